/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/aside.h"
#include "engine/export/onnx_parts.h"

#define IR      8
#define OPSET   17
#define ROOM    ((uint64_t)2000 << 20) /* bytes of weights that leave room for the graph below 2 GB */
#define ALIGN   4096                   /* of a weight in FILE.data, so that it can be mapped */
#define APART   1024                   /* bytes of a weight that is worth a place in FILE.data */
#define OUTSIDE 1                      /* the schema's number for external data */

struct sink {
    ProtobufCBuffer base;
    FILE *file;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
    fwrite(data, 1, size, ((struct sink *)buffer)->file); /* lw_aside_finish looks for errors */
}

static uint64_t weigh(const struct lw_onnx *g)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < g->graph.n_initializer; i++)
        bytes += g->graph.initializer[i]->raw_data.len;
    return bytes;
}

static Lw__Onnx__StringPair *pair(struct lw_onnx *g, Lw__Onnx__StringPair *p, const char *key,
                                  const char *value)
{
    char *copy = lw_onnx_take(g, strlen(value) + 1);

    lw__onnx__string_pair__init(p);
    p->key = (char *)(uintptr_t)key;
    if (copy)
        p->value = strcpy(copy, value);
    return p;
}

/* The tensor's data is `bytes` at `offset` of the file of that name. */
static void move_out(struct lw_onnx *g, Lw__Onnx__Tensor *t, const char *name, uint64_t offset)
{
    Lw__Onnx__StringPair *three = lw_onnx_take(g, 3 * sizeof *three);
    char number[24];

    t->external_data = lw_onnx_take(g, 3 * sizeof *t->external_data);
    if (!three || !t->external_data)
        return;
    t->external_data[0] = pair(g, &three[0], "location", name);
    snprintf(number, sizeof number, "%llu", (unsigned long long)offset);
    t->external_data[1] = pair(g, &three[1], "offset", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)t->raw_data.len);
    t->external_data[2] = pair(g, &three[2], "length", number);
    t->n_external_data = 3;
    t->data_location = OUTSIDE;
    t->raw_data = (ProtobufCBinaryData){0, NULL};
}

static int write_beside(struct lw_onnx *g, const char *path, struct lw_error *err)
{
    static const char zeros[ALIGN];
    struct lw_aside file;
    const char *name;
    uint64_t at = 0;
    char *beside;
    int rc;

    if (asprintf(&beside, "%s.data", path) < 0)
        return lw_fail(err, LW_EMEM, "out of memory writing %s", path);
    name = strrchr(beside, '/') ? strrchr(beside, '/') + 1 : beside;
    rc = lw_aside_open(&file, beside, err);
    for (size_t i = 0; !rc && i < g->graph.n_initializer; i++) {
        Lw__Onnx__Tensor *t = g->graph.initializer[i];
        size_t bytes = t->raw_data.len;

        if (bytes < APART)
            continue;
        fwrite(zeros, 1, (ALIGN - at % ALIGN) % ALIGN, file.file);
        at = (at + ALIGN - 1) / ALIGN * ALIGN;
        fwrite(t->raw_data.data, 1, bytes, file.file);
        move_out(g, t, name, at);
        at += bytes;
    }
    if (!rc)
        rc = lw_aside_finish(&file, err);
    free(beside);
    return rc;
}

static int write_model(struct lw_onnx *g, const char *path, struct lw_error *err)
{
    struct sink sink = {.base = {append}};
    Lw__Onnx__OperatorSet opset = LW__ONNX__OPERATOR_SET__INIT, *opsets[1] = {&opset};
    Lw__Onnx__Model model = LW__ONNX__MODEL__INIT;
    char producer[] = PACKAGE_NAME, version[] = PACKAGE_VERSION;
    struct lw_aside file;
    int rc;

    opset.version = OPSET;
    model.ir_version = IR;
    model.producer_name = producer;
    model.producer_version = version;
    model.graph = &g->graph;
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.n_metadata_props = g->note_count;
    model.metadata_props = g->notes;
    if ((rc = lw_aside_open(&file, path, err)))
        return rc;
    sink.file = file.file;
    protobuf_c_message_pack_to_buffer(&model.base, &sink.base);
    return lw_aside_finish(&file, err);
}

int lw_onnx_write_split(struct lw_onnx *g, const char *path, uint64_t limit, bool *beside,
                        struct lw_error *err)
{
    bool large = weigh(g) > limit;
    int rc = 0;

    if (beside)
        *beside = large;
    if (g->refused)
        return lw_fail(err, LW_EDATA, "cannot write %s: %s is not fp32", path, g->refused);
    if (large)
        rc = write_beside(g, path, err);
    if (!rc && g->failed)
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", path);
    return rc ? rc : write_model(g, path, err);
}

int lw_onnx_write(struct lw_onnx *g, const char *path, bool *beside, struct lw_error *err)
{
    return lw_onnx_write_split(g, path, ROOM, beside, err);
}

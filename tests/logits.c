/* SPDX-License-Identifier: MIT
 *
 * logits FOLDER OUT.safetensors [BATCH LENGTH [SAVED]]: what leeway's own model, read from a folder
 * in Hugging Face's layout, computes on the CPU for some tokens or images, beside these, so that
 * others can be compared with it. SAVED: a folder to write the model to again, and model.onnx.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/export/onnx.h"
#include "engine/export/safetensors.h"
#include "engine/model/model.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/hf_vit.h"

struct work {
    const char *folder, *out, *saved;
    int batch, length;
    struct lw_model_spec spec;
    bool images;
    void *input;   /* tokens or bytes of pixels */
    float *pixels; /* as transformers wants them */
    float *logits;
    size_t inputs, outputs;
};

static int read_spec(struct work *w, struct lw_error *err)
{
    bool normalised;
    int rc = lw_hf_vit_spec(w->folder, &w->spec, &normalised, err);

    w->images = !rc;
    if (rc)
        return lw_hf_gpt2_spec(w->folder, &w->spec, err);
    for (int c = 0; c < 3 && !normalised; c++)
        w->spec.mean[c] = w->spec.deviation[c] = 0.5f;
    return 0;
}

static int make_input(struct work *w, struct lw_error *err)
{
    const size_t plane = (size_t)w->spec.image_size * (size_t)w->spec.image_size;
    const size_t rows = (size_t)w->batch;

    if (!w->length)
        w->length = w->spec.positions;
    w->inputs = w->images ? rows * 3 * plane : rows * (size_t)w->length;
    w->outputs =
        w->spec.classes ? rows * (size_t)w->spec.classes : w->inputs * (size_t)w->spec.vocabulary;
    w->input = malloc(w->inputs * sizeof(int32_t));
    w->pixels = malloc(w->inputs * sizeof(float));
    w->logits = malloc(w->outputs * sizeof(float));
    if (!w->input || !w->pixels || !w->logits)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (size_t i = 0; i < w->inputs; i++) {
        size_t drawn = i * 2654435761u + i / 7;

        if (w->images) {
            size_t c = i / plane % 3;
            float byte = (float)(((unsigned char *)w->input)[i] = (unsigned char)(drawn >> 8));

            w->pixels[i] = (byte / 255 - w->spec.mean[c]) / w->spec.deviation[c];
        } else {
            ((int32_t *)w->input)[i] = (int32_t)(drawn % (size_t)w->spec.vocabulary);
        }
    }
    /* a classifier's rows of different lengths: row i ends i tokens sooner */
    for (int i = 1; i < w->batch && w->spec.classes && !w->images; i++)
        for (int j = 0; j < i && j < w->length - 1; j++)
            ((int32_t *)w->input)[(i + 1) * w->length - 1 - j] = w->spec.padding;
    return 0;
}

static int save(const struct work *w, struct lw_error *err)
{
    const int64_t size = w->spec.image_size;
    const int64_t in[] = {w->batch, w->images ? 3 : w->length, size, size};
    const int64_t out[] = {w->batch, w->spec.classes ? w->spec.classes : w->length,
                           w->spec.vocabulary};
    struct lw_safetensors_writer *f;
    int rc = lw_safetensors_writer_new(&f, w->out, err);

    if (rc)
        return rc;
    if (!(rc = lw_safetensors_declare(f, w->images ? "pixel_values" : "input_ids",
                                      w->images ? LW_F32 : LW_I32, w->images ? 4 : 2, in, err)) &&
        !(rc = lw_safetensors_declare(f, "logits", LW_F32, w->spec.classes ? 2 : 3, out, err)) &&
        !(rc = lw_safetensors_begin(f, err)) &&
        !(rc = lw_safetensors_write(f, w->images ? (void *)w->pixels : w->input,
                                    w->inputs * sizeof(float), err)) &&
        !(rc = lw_safetensors_write(f, w->logits, w->outputs * sizeof(float), err)))
        rc = lw_safetensors_finish(f, err);
    lw_safetensors_writer_free(f);
    return rc;
}

static int save_model(struct work *w, struct lw_model *g, struct lw_error *err)
{
    char *path = lw_path_join(w->saved, "model.onnx");
    int rc = path ? lw_hf_gpt2_save(w->saved, g, LW_F32, -1, err)
                  : lw_fail(err, LW_EMEM, "out of memory");

    if (!rc && (rc = lw_onnx_export(path, w->saved, &w->spec, 0, NULL, err)) == LW_EMISSING)
        rc = 0;
    free(path);
    return rc;
}

static int compute(struct work *w, struct lw_device *device, struct lw_model **g,
                   struct lw_error *err)
{
    struct lw_model_plan plan = {
        .eval_batch = w->batch, .eval_length = w->length, .attention = LW_ATTENTION_AUTO};
    int rc;

    if (!(rc = lw_model_create(g, &w->spec, &lw_backend_cpu, device, 1, err)) &&
        !(rc = lw_model_prepare(*g, &plan, err)) &&
        !(rc = lw_hf_load(w->folder, *g, 1, NULL, 0, err)) &&
        !(rc = lw_model_logits(*g, w->batch, w->length, w->input, w->logits, err)) &&
        !(rc = save(w, err)))
        rc = w->saved ? save_model(w, *g, err) : 0;
    return rc;
}

int main(int argc, char **argv)
{
    const struct lw_device_options options = {.threads = 2, .precision = LW_F32};
    struct work w = {.batch = 2};
    struct lw_device *device = NULL;
    struct lw_model *g = NULL;
    struct lw_error err = {0};
    int rc;

    if (argc != 3 && argc != 5 && argc != 6) {
        fputs("usage: logits FOLDER OUT.safetensors [BATCH LENGTH [SAVED]]\n", stderr);
        return 2;
    }
    w.folder = argv[1];
    w.out = argv[2];
    w.batch = argc > 3 ? atoi(argv[3]) : 2;
    w.length = argc > 3 ? atoi(argv[4]) : 0;
    w.saved = argc > 5 ? argv[5] : NULL;
    if (!(rc = read_spec(&w, &err)) && !(rc = make_input(&w, &err)) &&
        !(rc = lw_backend_cpu.open(&device, &options, &err)))
        rc = compute(&w, device, &g, &err);
    if (rc)
        fprintf(stderr, "logits: %s\n", err.text);
    lw_model_free(g);
    if (device)
        lw_backend_cpu.close(device);
    free(w.input);
    free(w.pixels);
    free(w.logits);
    return rc != 0;
}

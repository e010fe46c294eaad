/* SPDX-License-Identifier: MIT */
#include "engine/export/onnx_graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/export/onnx.pb-c.h"
#include "engine/export/onnx_parts.h"

#define CHUNK 65536

struct chunk {
    struct chunk *next;
    max_align_t data[];
};

/* Memory that lives as long as the graph; zeroed. NULL sets g->failed. */
static void *take(struct lw_onnx *g, size_t size)
{
    void *at;

    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (size > g->left) {
        size_t room = size > CHUNK ? size : CHUNK;
        struct chunk *c = calloc(1, sizeof *c + room);

        if (!c) {
            g->failed = true;
            return NULL;
        }
        c->next = g->chunks;
        g->chunks = c;
        g->at = (char *)c->data;
        g->left = room;
    }
    at = g->at;
    g->at += size;
    g->left -= size;
    return at;
}

/* "" instead of NULL, so that a graph goes on being built. */
static char *text(struct lw_onnx *g, const char *s)
{
    static char none[1] = "";
    char *copy = take(g, strlen(s) + 1);

    return copy ? strcpy(copy, s) : none;
}

/* A list of pointers with room for one more, which may be the list itself; NULL: no memory. Lists
 * are full at powers of two and then move to twice the room. */
static void *make_room(struct lw_onnx *g, const void *list, size_t count)
{
    void *grown;

    if (count & (count - 1))
        return (void *)(uintptr_t)list;
    grown = take(g, (count ? count * 2 : 1) * sizeof(void *));
    if (grown && count)
        memcpy(grown, list, count * sizeof(void *));
    return grown;
}

#define APPEND(g, list, count, item)                                                               \
    do {                                                                                           \
        __typeof__(list) room_ = make_room(g, list, count);                                        \
        __typeof__(*(list)) item_ = (item);                                                        \
                                                                                                   \
        if (room_ && item_) {                                                                      \
            (list) = room_;                                                                        \
            (list)[(count)++] = item_;                                                             \
        }                                                                                          \
    } while (0)

#define NEW(g, type, init)                                                                         \
    ({                                                                                             \
        type *new_ = take(g, sizeof *new_);                                                        \
        if (new_)                                                                                  \
            init(new_);                                                                            \
        new_;                                                                                      \
    })

int lw_onnx_new(struct lw_onnx **out, const char *name, struct lw_error *err)
{
    struct lw_onnx *g = *out = calloc(1, sizeof *g);

    if (!g)
        return lw_fail(err, LW_EMEM, "out of memory for an ONNX graph");
    lw__onnx__graph__init(&g->graph);
    g->graph.name = text(g, name);
    g->scope = text(g, "");
    return 0;
}

void lw_onnx_free(struct lw_onnx *g)
{
    while (g && g->chunks) {
        struct chunk *next = g->chunks->next;

        free(g->chunks);
        g->chunks = next;
    }
    free(g);
}

static Lw__Onnx__ValueInfo *describe(struct lw_onnx *g, const char *name, enum lw_onnx_type type,
                                     const struct lw_onnx_dim *dim, int rank)
{
    Lw__Onnx__ValueInfo *v = NEW(g, Lw__Onnx__ValueInfo, lw__onnx__value_info__init);
    Lw__Onnx__Type *t = NEW(g, Lw__Onnx__Type, lw__onnx__type__init);
    Lw__Onnx__TensorType *of = NEW(g, Lw__Onnx__TensorType, lw__onnx__tensor_type__init);
    Lw__Onnx__Shape *s = NEW(g, Lw__Onnx__Shape, lw__onnx__shape__init);

    if (!v || !t || !of || !s)
        return NULL;
    v->name = text(g, name);
    v->type = t;
    t->tensor_type = of;
    of->elem_type = type;
    of->shape = s;
    for (int i = 0; i < rank; i++) {
        Lw__Onnx__Dimension *d = NEW(g, Lw__Onnx__Dimension, lw__onnx__dimension__init);

        if (d && dim[i].name)
            d->dim_param = text(g, dim[i].name);
        else if (d)
            d->dim_value = dim[i].size;
        APPEND(g, s->dim, s->n_dim, d);
    }
    return v;
}

const char *lw_onnx_input(struct lw_onnx *g, const char *name, enum lw_onnx_type type,
                          const struct lw_onnx_dim *dim, int rank)
{
    APPEND(g, g->graph.input, g->graph.n_input, describe(g, name, type, dim, rank));
    return text(g, name);
}

void lw_onnx_output(struct lw_onnx *g, const char *name, const char *value,
                    enum lw_onnx_type type, const struct lw_onnx_dim *dim, int rank)
{
    APPEND(g, g->graph.output, g->graph.n_output, describe(g, name, type, dim, rank));
    LW_ONNX(g, "Identity", value);
    if (g->last && g->last->n_output)
        g->last->output[0] = text(g, name);
}

void lw_onnx_scope(struct lw_onnx *g, const char *scope, ...)
{
    char name[128];
    va_list args;

    va_start(args, scope);
    vsnprintf(name, sizeof name, scope, args);
    va_end(args);
    g->scope = text(g, name);
}

static Lw__Onnx__Tensor *find(struct lw_onnx *g, const char *name)
{
    for (size_t i = 0; i < g->graph.n_initializer; i++)
        if (!strcmp(g->graph.initializer[i]->name, name))
            return g->graph.initializer[i];
    return NULL;
}

/* The data is not copied. */
static const char *initializer(struct lw_onnx *g, const char *name, enum lw_onnx_type type,
                               int rank, const int64_t *shape, const void *data, size_t bytes)
{
    Lw__Onnx__Tensor *t = find(g, name);

    if (t)
        return t->name;
    if (!(t = NEW(g, Lw__Onnx__Tensor, lw__onnx__tensor__init)))
        return "";
    t->name = text(g, name);
    t->data_type = (int32_t)type;
    t->dims = take(g, ((size_t)rank + 1) * sizeof *t->dims);
    for (; t->dims && t->n_dims < (size_t)rank; t->n_dims++)
        t->dims[t->n_dims] = shape[t->n_dims];
    t->raw_data = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data};
    APPEND(g, g->graph.initializer, g->graph.n_initializer, t);
    return t->name;
}

const char *lw_onnx_weight(struct lw_onnx *g, const struct lw_tensor *t)
{
    if (t->type != LW_F32 && !g->refused)
        g->refused = t->name;
    return initializer(g, t->name, LW_ONNX_FLOAT, t->rank, t->shape, t->data, (size_t)t->bytes);
}

/* A constant is called by what it is. */
static const char *constant(struct lw_onnx *g, const char *name, enum lw_onnx_type type, int rank,
                            int64_t count, const void *data, size_t bytes)
{
    Lw__Onnx__Tensor *known = find(g, name);
    void *copy = known ? NULL : take(g, bytes);

    if (known)
        return known->name;
    if (!copy)
        return "";
    memcpy(copy, data, bytes);
    return initializer(g, name, type, rank, &count, copy, bytes);
}

const char *lw_onnx_ints(struct lw_onnx *g, const int64_t *values, int count)
{
    char name[256] = "ints";
    size_t used = strlen(name);

    for (int i = 0; i < count && used < sizeof name - 24; i++)
        used += (size_t)snprintf(name + used, sizeof name - used, "_%lld", (long long)values[i]);
    return constant(g, name, LW_ONNX_INT64, 1, count, values, (size_t)count * sizeof *values);
}

const char *lw_onnx_int(struct lw_onnx *g, int64_t value)
{
    char name[64];

    snprintf(name, sizeof name, "int_%lld", (long long)value);
    return constant(g, name, LW_ONNX_INT64, 0, 0, &value, sizeof value);
}

const char *lw_onnx_float(struct lw_onnx *g, double value)
{
    float narrow = (float)value;
    char name[64];

    snprintf(name, sizeof name, "float_%.9g", (double)narrow);
    return constant(g, name, LW_ONNX_FLOAT, 0, 0, &narrow, sizeof narrow);
}

void lw_onnx_nodes(struct lw_onnx *g, const char *op, const char *const *inputs,
                   const char **outputs, int count)
{
    Lw__Onnx__Node *n = NEW(g, Lw__Onnx__Node, lw__onnx__node__init);
    char name[256];

    g->last = n;
    for (int i = 0; i < count; i++)
        outputs[i] = "";
    if (!n)
        return;
    snprintf(name, sizeof name, "%s/%s_%zu", g->scope, op, g->graph.n_node);
    n->name = text(g, name);
    n->op_type = text(g, op);
    for (; *inputs; inputs++)
        APPEND(g, n->input, n->n_input, text(g, *inputs));
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s_output_%d", n->name, i);
        outputs[i] = text(g, name);
        APPEND(g, n->output, n->n_output, (char *)(uintptr_t)outputs[i]);
    }
    APPEND(g, g->graph.node, g->graph.n_node, n);
}

const char *lw_onnx_node(struct lw_onnx *g, const char *op, const char *const *inputs)
{
    const char *output;

    lw_onnx_nodes(g, op, inputs, &output, 1);
    return output;
}

enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

/* A new attribute of the last node; NULL when there is no memory. */
static Lw__Onnx__Attribute *attribute(struct lw_onnx *g, const char *name, int type)
{
    Lw__Onnx__Attribute *a = NEW(g, Lw__Onnx__Attribute, lw__onnx__attribute__init);

    if (!a || !g->last)
        return NULL;
    a->name = text(g, name);
    a->type = type;
    APPEND(g, g->last->attribute, g->last->n_attribute, a);
    return a;
}

void lw_onnx_set_int(struct lw_onnx *g, const char *name, int64_t value)
{
    Lw__Onnx__Attribute *a = attribute(g, name, ATTRIBUTE_INT);

    if (a)
        a->i = value;
}

void lw_onnx_set_float(struct lw_onnx *g, const char *name, double value)
{
    Lw__Onnx__Attribute *a = attribute(g, name, ATTRIBUTE_FLOAT);

    if (a)
        a->f = (float)value;
}

void lw_onnx_set_ints(struct lw_onnx *g, const char *name, const int64_t *values, int count)
{
    Lw__Onnx__Attribute *a = attribute(g, name, ATTRIBUTE_INTS);

    if (!a || !(a->ints = take(g, (size_t)count * sizeof *values)))
        return;
    memcpy(a->ints, values, (size_t)count * sizeof *values);
    a->n_ints = (size_t)count;
}

void lw_onnx_note(struct lw_onnx *g, const char *key, const char *fmt, ...)
{
    Lw__Onnx__StringPair *pair = NEW(g, Lw__Onnx__StringPair, lw__onnx__string_pair__init);
    char value[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    if (!pair)
        return;
    pair->key = text(g, key);
    pair->value = text(g, value);
    APPEND(g, g->notes, g->note_count, pair);
}

void *lw_onnx_take(struct lw_onnx *g, size_t size)
{
    return take(g, size);
}

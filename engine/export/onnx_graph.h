/* SPDX-License-Identifier: MIT
 *
 * Building an ONNX model (opset 17, IR 8): values are names, nodes are added one after the other
 * in the order in which they compute, weights stay where they are until the file is written.
 *
 * Functions that give a value return its name, which lives as long as the graph. Running out of
 * memory on the way makes them return "" and is told by lw_onnx_write: a graph is built without
 * a check a line.
 */
#ifndef LW_EXPORT_ONNX_GRAPH_H
#define LW_EXPORT_ONNX_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/export/safetensors.h"

enum lw_onnx_type { LW_ONNX_FLOAT = 1, LW_ONNX_INT64 = 7 }; /* the schema's numbers */

struct lw_onnx;

/* A dimension of an input or output: a name (any size), or a size. */
struct lw_onnx_dim {
    const char *name; /* NULL: size */
    int64_t size;
};

LW_NODISCARD int lw_onnx_new(struct lw_onnx **out, const char *name, struct lw_error *err);
void lw_onnx_free(struct lw_onnx *g); /* NULL is fine */

const char *lw_onnx_input(struct lw_onnx *g, const char *name, enum lw_onnx_type type,
                          const struct lw_onnx_dim *dim, int rank);
/* value is known to the outside as name from here on. */
void lw_onnx_output(struct lw_onnx *g, const char *name, const char *value,
                    enum lw_onnx_type type, const struct lw_onnx_dim *dim, int rank);

/* Nodes that follow are called SCOPE/OP: "h.0/attn". */
void lw_onnx_scope(struct lw_onnx *g, const char *scope, ...) LW_PRINTF(2, 3);

/* A tensor of a file as it lies there; it must be fp32 and outlive the graph. */
const char *lw_onnx_weight(struct lw_onnx *g, const struct lw_tensor *t);

/* Constants; one that was asked for before is the same. rank 0: a scalar of one value. */
const char *lw_onnx_ints(struct lw_onnx *g, const int64_t *values, int count);
const char *lw_onnx_int(struct lw_onnx *g, int64_t value);  /* scalar */
const char *lw_onnx_float(struct lw_onnx *g, double value); /* scalar, fp32 */

#define LW_ONNX_INTS(g, ...)                                                                       \
    lw_onnx_ints(g, (const int64_t[]){__VA_ARGS__},                                                \
                 sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* A node with one output; inputs are ended by NULL. */
const char *lw_onnx_node(struct lw_onnx *g, const char *op, const char *const *inputs);

#define LW_ONNX(g, op, ...) lw_onnx_node(g, op, (const char *const[]){__VA_ARGS__, NULL})

/* The same with `count` outputs. */
void lw_onnx_nodes(struct lw_onnx *g, const char *op, const char *const *inputs,
                   const char **outputs, int count);

/* Attributes of the node that was added last. */
void lw_onnx_set_int(struct lw_onnx *g, const char *name, int64_t value);
void lw_onnx_set_float(struct lw_onnx *g, const char *name, double value);
void lw_onnx_set_ints(struct lw_onnx *g, const char *name, const int64_t *values, int count);

#define LW_ONNX_SET_INTS(g, name, ...)                                                             \
    lw_onnx_set_ints(g, name, (const int64_t[]){__VA_ARGS__},                                      \
                     sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* A note in the model's metadata. */
void lw_onnx_note(struct lw_onnx *g, const char *key, const char *fmt, ...) LW_PRINTF(3, 4);

/* Write the model, each file whole or as it was. Protocol buffers end at 2 GB: what is larger has
 * its weights in FILE.data, beside FILE and found by that name, and *beside (may be NULL) says so.
 * Memory does not grow with the weights. */
LW_NODISCARD int lw_onnx_write(struct lw_onnx *g, const char *path, bool *beside,
                               struct lw_error *err);

/* The same with the limit (bytes of weights that fit in FILE itself) given. */
LW_NODISCARD int lw_onnx_write_split(struct lw_onnx *g, const char *path, uint64_t limit,
                                     bool *beside, struct lw_error *err);

#endif

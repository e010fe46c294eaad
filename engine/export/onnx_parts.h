/* SPDX-License-Identifier: MIT
 *
 * What building a graph (onnx_graph.c) and writing it (onnx_write.c) share.
 */
#ifndef LW_EXPORT_ONNX_PARTS_H
#define LW_EXPORT_ONNX_PARTS_H

#include <stdbool.h>

#include "engine/export/onnx.pb-c.h"
#include "engine/export/onnx_graph.h"

struct lw_onnx {
    Lw__Onnx__Graph graph;
    Lw__Onnx__Node *last;
    Lw__Onnx__StringPair **notes;
    size_t note_count;
    const char *scope;
    const char *refused; /* the first weight that is not fp32 */
    bool failed;         /* out of memory */
    struct chunk *chunks;
    char *at; /* in the first chunk */
    size_t left;
};

/* Zeroed memory that lives as long as the graph; NULL when there is none. */
void *lw_onnx_take(struct lw_onnx *g, size_t size);

#endif

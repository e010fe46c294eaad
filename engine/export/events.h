/* SPDX-License-Identifier: MIT
 *
 * TensorBoard's event files, an event at a time. Errors of writing wait for the end of the file.
 */
#ifndef LW_EXPORT_EVENTS_H
#define LW_EXPORT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One file being written. failed: out of memory; nothing is written from then on. */
struct lw_event_file {
    FILE *out;
    unsigned char *buffer;
    size_t room;
    bool failed;
};

struct lw_event_scalar {
    const char *tag;
    float value;
};

/* Counts between edges: bin i lies between edge[i] and edge[i + 1]. */
struct lw_event_histogram {
    const char *tag;
    const double *edge;     /* [bins + 1] */
    const uint64_t *count;  /* [bins] */
    int bins;
    double sum, sum_squares; /* of the values */
};

/* The first record of every file. */
void lw_event_begin(struct lw_event_file *f, FILE *out, double wall_time);
void lw_event_scalars(struct lw_event_file *f, double wall_time, int64_t step,
                      const struct lw_event_scalar *list, int count);
void lw_event_histogram(struct lw_event_file *f, double wall_time, int64_t step,
                        const struct lw_event_histogram *h);
void lw_event_end(struct lw_event_file *f); /* frees the buffer; out stays open */

#endif

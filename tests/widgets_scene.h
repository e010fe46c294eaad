/* SPDX-License-Identifier: MIT
 *
 * A made-up dashboard of ten panels that grows step by step, always the same way: for golden
 * frames, byte counts and looking.
 */
#ifndef LW_TESTS_WIDGETS_SCENE_H
#define LW_TESTS_WIDGETS_SCENE_H

#include "widgets/bars.h"
#include "widgets/chart.h"
#include "widgets/heatmap.h"
#include "widgets/layout.h"
#include "widgets/panel.h"
#include "widgets/table.h"

#define SCENE_STEPS 20000

struct curve {
    struct lw_point *raw, *smooth;
    size_t count;
    struct lw_ema ema;
    struct lw_domain y;
};

struct scene {
    int step, focus;
    bool zoom, cursor;
    struct lw_domain x;
    struct curve train, val, perplexity, accuracy, rate, before, after, time, drift;
};

/* NULL when out of memory. */
struct scene *scene_new(void);
void scene_free(struct scene *scene);

/* Go on for so many steps. */
void scene_run(struct scene *scene, int steps);

/* The frame for this step. */
void scene_paint(struct scene *scene, struct lw_surface *s);

#endif

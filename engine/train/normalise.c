/* SPDX-License-Identifier: MIT
 *
 * image_mean and image_std: computed where they are the data's own, and noted as they are used. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/train/device.h"
#include "engine/train/rank.h"

#define AT_A_TIME 1024 /* images of a rank between two words about how far it is */

/* The numbers of a channel each, shortest as they read back as the same float. */
static int change_three(struct lw_config *c, const char *field, const float x[3], const char *why,
                        struct lw_error *err)
{
    char number[3][32], text[128];

    for (int i = 0; i < 3; i++)
        for (int digits = 6; digits <= 9; digits++) {
            snprintf(number[i], sizeof number[i], "%.*g", digits, (double)x[i]);
            if (strtof(number[i], NULL) == x[i])
                break;
        }
    snprintf(text, sizeof text, "[%s, %s, %s]", number[0], number[1], number[2]);
    return lw_config_change(c, field, text, why, err);
}

/* Six digits are as many as anybody writes, and mean the same wherever they are read again. */
static int change_measured(struct lw_config *c, const char *field, const double x[3],
                           struct lw_error *err)
{
    char text[96];

    snprintf(text, sizeof text, "[%.6g, %.6g, %.6g]", x[0], x[1], x[2]);
    return lw_config_change(c, field, text, "of the training data", err);
}

/* The training images, each rank its share of them. */
static int add_up(struct lw_rank *r, struct lw_image_sums *sums, struct lw_error *err)
{
    const int64_t items = lw_items_info(r->train_items)->items, ranks = r->ranks;
    const int threads = lw_device_threads(&r->config, r->ranks);
    struct lw_image_sums *all;
    int rc = 0;

    for (int64_t at = 0; !rc && at < items; at += AT_A_TIME * ranks) {
        int64_t end = at + AT_A_TIME * ranks;
        char note[96];

        snprintf(note, sizeof note, "mean and deviation of the images: %" PRId64 " of %" PRId64, at,
                 items);
        lw_rank_progress(r, LW_STATE_STARTING, note, false);
        rc = lw_images_add_up(r->train_items, at + r->rank, ranks, end < items ? end : items,
                              threads, sums, err);
    }
    if (rc || !r->comm)
        return rc;
    if (!(all = calloc((size_t)ranks, sizeof *all)))
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_comm_gather(r->comm, sums, sizeof *sums, all, err);
    *sums = (struct lw_image_sums){0};
    for (int i = 0; !rc && i < ranks; i++) {
        sums->pixels += all[i].pixels;
        for (int c = 0; c < 3; c++) {
            sums->sum[c] += all[i].sum[c];
            sums->squares[c] += all[i].squares[c];
        }
    }
    free(all);
    return rc;
}

int lw_rank_normalise(struct lw_rank *r, struct lw_error *err)
{
    struct lw_config *c = &r->config;
    const bool wants_mean = c->image_mean.count == LW_NUMBERS_OF_DATA;
    const bool wants_deviation = c->image_std.count == LW_NUMBERS_OF_DATA;
    const double start = lw_clock_now();
    struct lw_image_sums sums = {0};
    double mean[3], deviation[3];
    int rc;

    if (!r->train_items || (!wants_mean && !wants_deviation))
        return 0;
    if ((rc = add_up(r, &sums, err)))
        return rc;
    lw_images_moments(&sums, mean, deviation);
    lw_events_add(
        r->events, LW_EVENT_INFO,
        "training data: mean [%.6g, %.6g, %.6g] and deviation [%.6g, %.6g, %.6g] of %" PRId64
        " images, computed in %.1f s",
        mean[0], mean[1], mean[2], deviation[0], deviation[1], deviation[2],
        lw_items_info(r->train_items)->items, lw_clock_now() - start);
    for (int i = 0; i < 3; i++)
        if (wants_deviation && !(deviation[i] > 0))
            return lw_fail(err, LW_EDATA,
                           "image_std: all pixels of channel %d of the training data are the same, "
                           "and nothing can be divided by a deviation of 0: use image_std=[1]",
                           i);
    if (wants_mean)
        rc = change_measured(c, "image_mean", mean, err);
    if (!rc && wants_deviation)
        rc = change_measured(c, "image_std", deviation, err);
    return rc;
}

int lw_rank_note_normalised(struct lw_config *c, const struct lw_model_spec *s, const char *why,
                            struct lw_error *err)
{
    int rc = 0;

    if (!c->image_mean.count)
        rc = change_three(c, "image_mean", s->mean, why, err);
    if (!rc && !c->image_std.count)
        rc = change_three(c, "image_std", s->deviation, why, err);
    return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * leeway bench drift: how fast profiles are made and compared, beside what this machine's memory
 * can do. Work is cut into slices of a few milliseconds at most, all kinds take turns, and the best
 * slice of each counts, in its thread's own time: what a core can do when nobody takes its caches
 * away. Before a kind comes back to a slice, more than a cache's worth of others has gone by. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/random.h"
#include "engine/drift/compare.h"
#include "engine/train/bench.h"

#define SLICE      ((size_t)8 << 20) /* bytes */
#define SLICES     8
#define BYTES      (SLICES * SLICE) /* of each kind of data: more than any cache */
#define ROUNDS     (5 * SLICES)
#define VOCABULARY 50257
#define DOCUMENT   256
#define COMPARED   0.5 /* seconds of one comparison again and again */

enum data { DATA_PIXELS, DATA_U16, DATA_IDS, DATA_LENGTHS, DATA_KINDS };

struct work {
    void *data[DATA_KINDS]; /* [BYTES] */
    void *copied;           /* [SLICE] */
    struct lw_profile text, text_2, vision;
};

/* Each works on one slice and returns how many things that were, 0 when it failed. */
static double copy(struct work *w, const void *slice, struct lw_error *err)
{
    (void)err;
    memcpy(w->copied, slice, SLICE);
    return 2.0 * SLICE;
}

static double read_only(struct work *w, const void *slice, struct lw_error *err)
{
    const uint64_t *x = slice;
    uint64_t sum[4] = {0};

    (void)err;
    for (size_t i = 0; i < SLICE / 8; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += x[i + (size_t)k];
    memcpy(w->copied, sum, sizeof sum);
    return SLICE;
}

static double tokens_u16(struct work *w, const void *slice, struct lw_error *err)
{
    return lw_tally_add_u16(&w->text.outputs, slice, SLICE / 2, err) ? 0 : (double)SLICE / 2;
}

static double tokens_by_document(struct work *w, const void *slice, struct lw_error *err)
{
    const int32_t *ids = slice;
    size_t n = SLICE / 4;

    for (size_t i = 0; i + DOCUMENT <= n; i += DOCUMENT)
        if (lw_profile_document(&w->text, ids + i, DOCUMENT, err))
            return 0;
    return (double)n;
}

static double lengths(struct work *w, const void *slice, struct lw_error *err)
{
    return lw_profile_lengths(&w->text, slice, SLICE / 4, err) ? 0 : (double)SLICE / 4;
}

static double images(struct work *w, const void *slice, struct lw_error *err)
{
    struct lw_images m = {.pixels = slice,
                          .count = SLICE / 3072,
                          .channels = 3,
                          .height = 32,
                          .width = 32,
                          .bytes = 1};

    return lw_profile_images(&w->vision, &m, err) ? 0 : 3072.0 * (double)m.count;
}

static double images_reference(struct work *w, const void *slice, struct lw_error *err)
{
    double n;

    w->vision.reference_only = true;
    n = images(w, slice, err);
    w->vision.reference_only = false;
    return n;
}

/* Ids as language has them (Zipf), lognormal lengths, any pixels. */
static void fill(char *out, enum data what)
{
    size_t size = what == DATA_U16 ? 2 : what == DATA_PIXELS ? 1 : 4, made = (1 << 20) * size;
    struct lw_random r;

    lw_random_init(&r, 1, (uint64_t)what + 100);
    for (size_t at = 0; at < made; at += size) {
        double u = lw_random_unit(&r);
        int32_t x = what == DATA_LENGTHS ? (int32_t)(1 + 120 * exp(1.2 * (u - 0.5) * 2))
                                         : (int32_t)pow(VOCABULARY, u) - 1;
        uint16_t small = (uint16_t)x;

        if (what == DATA_PIXELS)
            out[at] = (char)lw_random_u32(&r);
        else if (what == DATA_U16)
            memcpy(out + at, &small, 2);
        else
            memcpy(out + at, &x, 4);
    }
    for (size_t at = made; at < BYTES; at += made)
        memcpy(out + at, out, made < BYTES - at ? made : BYTES - at);
}

/* Another text: no two counts are alike. bent: of another language too, so that there is something
 * to explain. */
static int make_text(struct lw_profile *p, bool bent, struct lw_error *err)
{
    struct lw_random r;
    int32_t ids[DOCUMENT];
    int rc = 0;

    lw_random_init(&r, 2, 200);
    for (int d = 0; !rc && d < 65536; d++) {
        for (int i = 0; i < DOCUMENT; i++)
            ids[i] = (int32_t)pow(VOCABULARY, lw_random_unit(&r)) - 1;
        for (int i = 0; bent && i < DOCUMENT; i++) /* three words of four have moved */
            ids[i] ^= ids[i] & 3;
        rc = lw_profile_document(p, ids, DOCUMENT, err);
    }
    return rc;
}

/* Microseconds that one comparison takes; with a cached null, as checks of a run have it. alarm:
 * with what a run's alarm needs as well, as each check of a run. */
static int time_compare(const struct lw_profile *p, const struct lw_profile *q, bool alarm,
                        double *us, struct lw_error *err)
{
    struct lw_overlap_null cache = {0};
    struct lw_drift_settings s;
    struct lw_comparison c;
    double best = INFINITY, end = lw_clock_core() + COMPARED;
    int rc = 0;

    lw_drift_settings_init(&s, false, 0.1, 0.2);
    s.alarm = alarm;
    while (!rc && lw_clock_core() < end) {
        double start = lw_clock_core();

        rc = lw_drift_compare(&c, p, q, &s, &cache, err);
        best = fmin(best, lw_clock_core() - start);
    }
    *us = 1e6 * best;
    return rc;
}

static void put(json_t *out, const char *key, double x)
{
    json_object_set_new(out, key, json_real(x));
}

static int speeds(struct work *w, json_t *out, struct lw_error *err)
{
    static const struct {
        const char *key;
        double (*work)(struct work *, const void *slice, struct lw_error *);
        enum data data;
    } row[] = {
        {"copy_gb_per_second", copy, DATA_PIXELS},
        {"read_gb_per_second", read_only, DATA_PIXELS},
        {"tokens_u16_g_per_second", tokens_u16, DATA_U16},
        {"lengths_g_per_second", lengths, DATA_LENGTHS},
        {"images_reference_gb_per_second", images_reference, DATA_PIXELS},
        {"images_all_gb_per_second", images, DATA_PIXELS},
        {"tokens_with_documents_g_per_second", tokens_by_document, DATA_IDS},
    };
    enum { ROWS = sizeof row / sizeof *row };
    double best[ROWS] = {0};

    for (size_t i = 0; i < ROUNDS * (size_t)ROWS; i++) {
        size_t k = i % ROWS, slice = (i / ROWS + 2 * k) % SLICES;
        const char *at = (const char *)w->data[row[k].data] + slice * SLICE;
        double start = lw_clock_core(), n = row[k].work(w, at, err),
               seconds = lw_clock_core() - start;

        if (n == 0)
            return err->code;
        best[k] = fmax(best[k], n / seconds);
    }
    for (size_t k = 0; k < ROWS; k++)
        put(out, row[k].key, best[k] / 1e9);
    return 0;
}

static int compares(struct work *w, json_t *out, struct lw_error *err)
{
    double us;
    int rc;

    for (int bent = 0; bent < 2; bent++) {
        lw_profile_clear(&w->text_2);
        if ((rc = make_text(&w->text_2, bent, err)) ||
            (rc = time_compare(&w->text, &w->text_2, false, &us, err)))
            return rc;
        put(out, bent ? "compare_text_alert_microseconds" : "compare_text_microseconds", us);
    }
    rc = time_compare(&w->text, &w->text_2, true, &us, err);
    if (rc)
        return rc;
    put(out, "check_text_microseconds", us);
    rc = time_compare(&w->vision, &w->vision, false, &us, err);
    if (!rc)
        put(out, "compare_vision_microseconds", us);
    return rc;
}

int lw_bench_drift_speed(json_t *out, struct lw_error *err)
{
    struct lw_profile_options text = {.modality = LW_TEXT}, vision = {.modality = LW_VISION};
    struct work w = {.copied = malloc(SLICE)};
    bool all = w.copied;
    char how[80];
    int rc = 0;

    for (int i = 0; i < DATA_KINDS; i++)
        all = (w.data[i] = malloc(BYTES)) && all;
    if (!all)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    for (int i = 0; !rc && i < DATA_KINDS; i++)
        fill(w.data[i], (enum data)i);
    snprintf(how, sizeof how, "best of %d slices of %zu MB, in turns; a thread's own time", ROUNDS,
             SLICE >> 20);
    json_object_set_new(out, "how", json_string(how));
    if (rc || (rc = lw_profile_init(&w.text, &text, err)) ||
        (rc = lw_profile_init(&w.text_2, &text, err)) ||
        (rc = lw_profile_init(&w.vision, &vision, err)) || (rc = speeds(&w, out, err)))
        goto out;
    rc = compares(&w, out, err);
out:
    lw_profile_fini(&w.text);
    lw_profile_fini(&w.text_2);
    lw_profile_fini(&w.vision);
    for (int i = 0; i < DATA_KINDS; i++)
        free(w.data[i]);
    free(w.copied);
    return rc;
}

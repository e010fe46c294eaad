/* SPDX-License-Identifier: MIT */
#include "tests/fake_drift.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/random.h"
#include "engine/drift/compare.h"

#define REFERENCE_ITEMS 4000
#define SIDE            16 /* pixels of an image */
#define LONGEST         4000

static double normal(struct lw_random *r)
{
    return sqrt(-2 * log(1 - lw_random_unit(r))) * cos(6.283185307179586 * lw_random_unit(r));
}

static const char *name_of(void *user, uint32_t id, char out[28])
{
    static const char *const words[] = {" the",  " of", " and", " to",  " in",
                                        " that", ",",   ".",    " was", " he"};

    (void)user;
    if (id < 10)
        return words[id];
    snprintf(out, 28, " w%u", id);
    return out;
}

/* Lengths are lognormal, around 120 tokens; token ids follow a power law that begins elsewhere
 * where the data has shifted. */
static int add_document(struct lw_profile *p, struct lw_random *r, double shift,
                        struct lw_error *err)
{
    static int32_t ids[LONGEST];
    double length = 120 * exp(0.6 * normal(r) + 0.9 * shift);
    int n = (int)fmin(fmax(length, 1), LONGEST), label;

    for (int i = 0; i < n; i++) {
        int32_t id = (int32_t)(500 * pow(lw_random_unit(r), 3));

        ids[i] = lw_random_unit(r) < 0.5 * shift ? (id + 40) % 500 : id;
    }
    label = lw_random_unit(r) < 0.3 + 0.4 * shift;
    if (lw_profile_outputs(p, LW_OUTPUT_LABELS, &label, 1, err))
        return err->code;
    return lw_profile_document(p, ids, (size_t)n, err);
}

static int add_image(struct lw_profile *p, struct lw_random *r, double shift, struct lw_error *err)
{
    uint8_t pixel[SIDE * SIDE * 3];
    double level = 110 + 30 * normal(r) + 60 * shift;
    struct lw_images images = {
        .pixels = pixel, .count = 1, .channels = 3, .height = SIDE, .width = SIDE, .bytes = 1};
    int32_t label = (int32_t)(10 * lw_random_unit(r));

    for (size_t i = 0; i < sizeof pixel; i++)
        pixel[i] = (uint8_t)fmin(fmax(level + (25 + 15 * shift) * normal(r), 0), 255);
    if (lw_profile_outputs(p, LW_OUTPUT_LABELS, &label, 1, err))
        return err->code;
    return lw_profile_images(p, &images, err);
}

int fake_profile(struct lw_profile *p, enum lw_modality modality, int items, double shift,
                 uint64_t seed, struct lw_error *err)
{
    struct lw_profile_options options = {.modality = modality};
    struct lw_random r;
    int rc = lw_profile_init(p, &options, err);

    lw_random_init(&r, 7, seed);
    for (int i = 0; i < items && !rc; i++)
        rc = modality == LW_TEXT ? add_document(p, &r, shift, err) : add_image(p, &r, shift, err);
    return rc;
}

static void put(FILE *out, double v)
{
    if (isfinite(v))
        fprintf(out, "%.9g", v);
    putc(',', out);
}

static void put_row(FILE *out, const struct fake_check *check, const char *against,
                    const char *score, const struct lw_score *s, uint64_t items)
{
    bool unsure = s->verdict.state == LW_DRIFT_UNSURE, bounded = s->bounded;

    fprintf(out, "%" PRId64 ",", check->step);
    put(out, check->epoch);
    put(out, check->time);
    fprintf(out, "%s,%s,", against, score);
    put(out, s->value);
    put(out, bounded ? s->verdict.low : NAN);
    put(out, bounded ? s->verdict.high : NAN);
    put(out, bounded ? s->verdict.floor : NAN);
    fprintf(out, "%" PRIu64 ",%s,", items, lw_drift_state_name(s->verdict.state));
    if (unsure)
        fprintf(out, "%" PRId64, s->verdict.needed);
    putc(',', out);
    if (check->change_step && s->verdict.state >= LW_DRIFT_WARN)
        fprintf(out, "%" PRId64, check->change_step);
    putc('\n', out);
}

static int put_comparison(FILE *out, const struct fake_check *check, const char *against,
                          const struct lw_profile *a, const struct lw_profile *b,
                          struct lw_error *err)
{
    struct lw_drift_settings settings;
    struct lw_score all = {.present = true};
    struct lw_comparison c;
    int rc;

    lw_drift_settings_init(&settings, false, 0.1, 0.2);
    if ((rc = lw_drift_compare(&c, a, b, &settings, NULL, err)))
        return rc;
    for (int i = 0; i < LW_SCORES; i++)
        if (c.score[i].present)
            put_row(out, check, against, lw_score_name((enum lw_score_id)i), &c.score[i],
                    c.items[1]);
    all.value = c.max_drift;
    all.verdict.state = c.overall;
    put_row(out, check, against, "overall", &all, c.items[1]);
    return 0;
}

static int save(const char *dir, const char *name, const struct lw_profile *p, struct lw_error *err)
{
    char *path = lw_path_join(dir, name);
    int rc = path ? lw_profile_save(p, path, name_of, NULL, err) : lw_fail(err, LW_EMEM, "memory");

    free(path);
    return rc;
}

int fake_drift_check(const char *dir, const struct fake_check *check, struct lw_error *err)
{
    static const char *const against[] = {"reference", "validation", "previous"};
    struct lw_profile reference = {0}, current = {0}, other = {0};
    char *path = lw_path_join(dir, "drift.csv");
    FILE *out = path ? fopen(path, "ae") : NULL;
    int rc = out ? 0 : lw_fail_errno(err, "cannot write %s", path ? path : dir);

    if (!rc && ftell(out) == 0 && fseek(out, 0, SEEK_END) == 0 && ftell(out) == 0)
        fputs("step,epoch,time,comparison,score,value,low,high,floor,items,status,needed,"
              "change_step\n",
              out);
    if (!rc)
        rc = fake_profile(&reference, check->modality, REFERENCE_ITEMS, 0, 0, err);
    if (!rc)
        rc = fake_profile(&current, check->modality, check->items, check->shift,
                          (uint64_t)check->step, err);
    for (int i = 0; i < 3 && !rc; i++) {
        if (i && !(rc = fake_profile(&other, check->modality, check->items,
                                     check->shift * (i == 1 ? 0.5 : 0.9),
                                     (uint64_t)check->step + (uint64_t)i * 100000, err)))
            rc = put_comparison(out, check, against[i], &other, &current, err);
        else if (!rc)
            rc = put_comparison(out, check, against[i], &reference, &current, err);
        lw_profile_fini(&other);
        other = (struct lw_profile){0};
    }
    if (!rc)
        rc = save(dir, "profile-reference.json", &reference, err);
    if (!rc)
        rc = save(dir, "profile-current.json", &current, err);
    if (out && fclose(out) && !rc)
        rc = lw_fail_errno(err, "cannot write %s", path);
    lw_profile_fini(&reference);
    lw_profile_fini(&current);
    free(path);
    return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * The watch in a checkpoint: one JSON object, its profiles as lw_profile_write has them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/train/drift_internal.h"

#define VERSION 2

/* Where each profile of the state is; said: a tally beside it. */
struct place {
    const char *name;
    struct lw_profile *data;
    struct lw_tally *said;
};

enum { PLACES = 7 + BLOCKS };

static void find_places(struct lw_drift_watch *w, struct place at[PLACES])
{
    static const char *const block[BLOCKS] = {"closed_0", "closed_1", "closed_2", "closed_3"};

    at[0] = (struct place){"reference", &w->reference, NULL};
    at[1] = (struct place){"current", &w->current.data, &w->current.said};
    at[2] = (struct place){"validation", &w->validation, NULL};
    at[3] = (struct place){"epoch", &w->epoch, NULL};
    at[4] = (struct place){"open", &w->open, &w->said_open};
    at[5] = (struct place){"first", &w->first, NULL};
    at[6] = (struct place){"last", &w->last, NULL};
    for (int i = 0; i < BLOCKS; i++)
        at[7 + i] = (struct place){block[i], &w->closed[i], NULL};
}

static json_t *alarms(const struct lw_drift_watch *w)
{
    json_t *all = json_object();

    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_drift_alarm *a = &w->alarm[i];

        json_object_set_new(all, lw_score_name((enum lw_score_id)i),
                            json_pack("[f, I, I, I, i]", a->sum.sum, (json_int_t)a->sum.zero,
                                      (json_int_t)a->sum.seen, (json_int_t)a->zero_step, a->quiet));
    }
    return all;
}

static json_t *verdicts(const struct lw_drift_watch *w)
{
    json_t *all = json_array();

    for (int i = 0; i < COMPARISONS; i++)
        json_array_append_new(
            all, json_pack("[i, i]", (int)w->verdict[i].told, (int)w->verdict[i].last));
    return all;
}

static json_t *facts(const struct lw_drift_watch *w)
{
    return json_pack(
        "{s:i, s:I, s:I, s:I, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:[I, I, f, f, f], "
        "s:o, s:o}",
        "version", VERSION, "checks", (json_int_t)w->checks, "last_step", (json_int_t)w->last_step,
        "reference_windows", (json_int_t)w->reference_windows, "blocks", w->blocks, "fresh",
        w->fresh, "stored", w->stored, "settled", w->settled, "told_small", w->told_small,
        "validated", w->has_validation, "in_first_epoch", w->in_first_epoch, "epoch_whole",
        w->epoch_whole, "spread", (json_int_t)w->spread.begun, (json_int_t)w->spread.pairs,
        w->spread.common, w->spread.common_squared, w->spread.own, "alarms", alarms(w), "verdicts",
        verdicts(w));
}

/* A tally travels as the outputs of a profile that has nothing else. */
static int put_said(FILE *out, const struct lw_drift_watch *w, const struct lw_tally *said,
                    struct lw_error *err)
{
    struct lw_profile_options o = w->o.profile;
    struct lw_profile p;
    char *text = NULL;
    size_t size;
    int rc = lw_profile_init(&p, &o, err);

    if (rc)
        return rc;
    p.output = LW_OUTPUT_PREDICTIONS;
    p.outputs = *said;
    rc = lw_profile_write(&p, NULL, NULL, &text, &size, err);
    p.outputs = (struct lw_tally){0};
    lw_profile_fini(&p);
    if (!rc)
        fwrite(text, 1, size, out);
    free(text);
    return rc;
}

static int put_place(FILE *out, const struct lw_drift_watch *w, const struct place *at,
                     struct lw_error *err)
{
    char *text;
    size_t size;
    int rc = lw_profile_write(at->data, NULL, NULL, &text, &size, err);

    if (rc)
        return rc;
    fprintf(out, ",\n\"%s\": ", at->name);
    fwrite(text, 1, size, out);
    free(text);
    if (!at->said)
        return 0;
    fprintf(out, ",\n\"%s_said\": ", at->name);
    return put_said(out, w, at->said, err);
}

int lw_drift_save(struct lw_drift_watch *w, const char *path, struct lw_error *err)
{
    struct place at[PLACES];
    char *text = NULL, *head;
    size_t size = 0;
    json_t *o;
    FILE *out;
    int rc = 0;

    lw_drift_wait(w);
    o = facts(w);
    head = o ? json_dumps(o, JSON_REAL_PRECISION(17)) : NULL;
    json_decref(o);
    out = head ? open_memstream(&text, &size) : NULL;
    if (!out) {
        free(head);
        return lw_fail(err, LW_EMEM, "out of memory");
    }
    fprintf(out, "{\n\"watch\": %s", head);
    free(head);
    find_places(w, at);
    for (int i = 0; !rc && i < PLACES; i++)
        rc = put_place(out, w, &at[i], err);
    fputs("}\n", out);
    if (fclose(out) && !rc)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    if (!rc)
        rc = lw_replace_file(path, text, size, 1, err);
    free(text);
    return rc;
}

static int get_profile(struct lw_profile *p, const json_t *root, const char *name, const char *path,
                       struct lw_error *err)
{
    char *text = json_dumps(json_object_get(root, name), JSON_COMPACT);
    struct lw_profile read;
    int rc;

    if (!text)
        return lw_fail(err, LW_EDATA, "%s: %s is missing", path, name);
    rc = lw_profile_read(&read, text, strlen(text), path, err);
    free(text);
    if (rc)
        return rc;
    lw_profile_clear(p);
    rc = lw_profile_merge(p, &read, err); /* refuses what has other bins */
    lw_profile_fini(&read);
    return rc ? lw_wrap(err, "%s", path) : 0;
}

static int get_said(struct lw_tally *t, const struct lw_drift_watch *w, const json_t *root,
                    const char *name, const char *path, struct lw_error *err)
{
    struct lw_profile_options o = w->o.profile;
    struct lw_profile p;
    char key[32];
    int rc = lw_profile_init(&p, &o, err);

    snprintf(key, sizeof key, "%s_said", name);
    if (!rc)
        rc = get_profile(&p, root, key, path, err);
    if (!rc) {
        lw_tally_fini(t);
        *t = p.outputs;
        p.outputs = (struct lw_tally){0};
    }
    lw_profile_fini(&p);
    return rc;
}

static int get_facts(struct lw_drift_watch *w, json_t *o, bool *stored)
{
    int was_stored, settled, told_small, validated, fresh, in_first, whole, version;
    json_int_t checks, last, windows, begun, pairs;
    json_t *sums, *states;

    if (json_unpack(
            o,
            "{s:i, s:I, s:I, s:I, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:[I, I, F, F, F], "
            "s:o, s:o}",
            "version", &version, "checks", &checks, "last_step", &last, "reference_windows",
            &windows, "blocks", &w->blocks, "fresh", &fresh, "stored", &was_stored, "settled",
            &settled, "told_small", &told_small, "validated", &validated, "in_first_epoch",
            &in_first, "epoch_whole", &whole, "spread", &begun, &pairs, &w->spread.common,
            &w->spread.common_squared, &w->spread.own, "alarms", &sums, "verdicts", &states) < 0 ||
        version != VERSION || w->blocks < 0 || w->blocks > BLOCKS)
        return -1;
    for (int i = 0; i < LW_SCORES; i++) {
        struct lw_drift_alarm *a = &w->alarm[i];
        json_int_t zero, seen, step;

        if (json_unpack(json_object_get(sums, lw_score_name((enum lw_score_id)i)),
                        "[F, I, I, I, i]", &a->sum.sum, &zero, &seen, &step, &a->quiet) < 0)
            return -1;
        a->sum.zero = zero;
        a->sum.seen = seen;
        a->zero_step = (uint64_t)step;
    }
    for (int i = 0; i < COMPARISONS; i++) {
        int told, now;

        if (json_unpack(json_array_get(states, (size_t)i), "[i, i]", &told, &now) < 0 || told < 0 ||
            told > LW_DRIFT_ALERT || now < 0 || now > LW_DRIFT_ALERT)
            return -1;
        w->verdict[i] = (struct lw_drift_verdict){(enum lw_state)told, (enum lw_state)now};
    }
    w->spread.begun = (uint64_t)begun;
    w->spread.pairs = (uint64_t)pairs;
    w->checks = (uint64_t)checks;
    w->last_step = (uint64_t)last;
    w->reference_windows = (uint64_t)windows;
    w->settled = w->stored || settled;
    w->told_small = told_small;
    w->has_validation = validated;
    w->fresh = fresh;
    w->in_first_epoch = in_first;
    w->epoch_whole = whole;
    *stored = was_stored;
    return 0;
}

int lw_drift_load(struct lw_drift_watch *w, const char *path, struct lw_error *err)
{
    struct place at[PLACES];
    json_error_t why;
    json_t *root = json_load_file(path, 0, &why);
    bool stored = false;
    int rc = 0;

    if (!root)
        return lw_fail(err, LW_EDATA, "%s cannot be read", path);
    if (get_facts(w, json_object_get(root, "watch"), &stored) < 0)
        rc = lw_fail(err, LW_EDATA, "%s is not what a checkpoint has", path);
    find_places(w, at);
    for (int i = 0; !rc && i < PLACES; i++) {
        if (i == 0 && w->stored) /* the configuration names it: read already */
            continue;
        rc = get_profile(at[i].data, root, at[i].name, path, err);
        if (!rc && at[i].said)
            rc = get_said(at[i].said, w, root, at[i].name, path, err);
    }
    if (!rc && w->stored && !stored)
        memset(w->alarm, 0, sizeof w->alarm);
    w->reference_new = true;
    json_decref(root);
    return rc;
}

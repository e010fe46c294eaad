/* SPDX-License-Identifier: MIT
 *
 * leeway drift: two profiles compared, as a table or as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/drift/settings.h"
#include "tui/dashboard.h"
#include "tui/picture.h"
#include "tui/verb.h"

enum { EXIT_WARN = 3, EXIT_ALERT = 4, EXIT_UNSURE = 5 };

const struct lw_option lw_drift_options[] = {
    {"json", 0, NULL, "print one JSON document"},
    LW_PICTURE_OPTIONS,
    LW_COMMON_OPTIONS,
};

static int exit_code(enum lw_state s)
{
    return s == LW_DRIFT_OK      ? LW_EXIT_OK
           : s == LW_DRIFT_WARN  ? EXIT_WARN
           : s == LW_DRIFT_ALERT ? EXIT_ALERT
                                 : EXIT_UNSURE;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *score_json(enum lw_score_id id, const struct lw_score *s)
{
    json_t *o = json_pack("{s:s, s:o}", "score", lw_score_name(id), "value", number(s->value));
    json_t *why = json_array();

    if (s->bounded) {
        json_object_set_new(o, "low", number(s->verdict.low));
        json_object_set_new(o, "high", number(s->verdict.high));
        json_object_set_new(o, "floor", number(s->verdict.floor));
        json_object_set_new(o, "detectable", json_boolean(s->verdict.detectable));
    }
    if (s->verdict.state != LW_STATE_NONE)
        json_object_set_new(o, "status", json_string(lw_drift_state_name(s->verdict.state)));
    if (s->verdict.state == LW_DRIFT_UNSURE) {
        char text[64];

        if (s->verdict.needed > 0)
            json_object_set_new(o, "needed", json_integer((json_int_t)s->verdict.needed));
        json_object_set_new(o, "reason", json_string(lw_needed_words(&s->verdict, text)));
    } else if (s->absent) {
        json_object_set_new(o, "reason", json_string(s->absent));
    }
    for (int i = 0; i < s->whys; i++)
        json_array_append_new(
            why, json_pack("{s:s, s:f}", "what", s->why[i].what, "share", s->why[i].share));
    json_object_set_new(o, "why", why);
    return o;
}

static int print_json(const struct lw_comparison *c, char *const *file, struct lw_error *err)
{
    json_t *root = json_object(), *list = json_array(), *absent = json_object();
    static const char *const side[2] = {"reference", "current"};
    int rc = 0;

    for (int i = 0; i < 2; i++) {
        char name[4096];

        lw_text_clean(file[i], strlen(file[i]), name, sizeof name);
        json_object_set_new(
            root, side[i], json_pack("{s:s, s:I}", "file", name, "items", (json_int_t)c->items[i]));
    }
    json_object_set_new(root, "modality", json_string(lw_modality_name(c->modality)));
    json_object_set_new(root, "mode", json_string(c->reference_mode ? "reference" : "calibrated"));
    json_object_set_new(root, "overall", json_string(lw_drift_state_name(c->overall)));
    json_object_set_new(root, "max_drift", number(c->max_drift));
    for (int i = 0; i < LW_SCORES; i++) {
        const struct lw_score *s = &c->score[i];

        if (s->present)
            json_array_append_new(list, score_json((enum lw_score_id)i, s));
        else if (s->absent)
            json_object_set_new(absent, lw_score_name((enum lw_score_id)i), json_string(s->absent));
    }
    json_object_set_new(root, "scores", list);
    json_object_set_new(root, "absent", absent);
    if (json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
        rc = lw_fail(err, LW_EIO, "cannot write the comparison as JSON");
    else
        printf("\n");
    json_decref(root);
    return rc;
}

/* Overlaps are percentages, the rest has three decimals; what is not known is two dashes. */
static const char *cell(enum lw_score_id id, double x, char out[24])
{
    bool share = id == LW_SCORE_TOKEN_OVERLAP || id == LW_SCORE_TOKEN_OOV;

    if (isnan(x))
        snprintf(out, 24, "--");
    else if (share)
        snprintf(out, 24, "%.1f%%", 100 * x);
    else
        snprintf(out, 24, "%.3f", x);
    return out;
}

static void print_score(enum lw_score_id id, const struct lw_score *s)
{
    char value[24], low[24], high[24], bounds[64] = "", need[64];
    const char *words = lw_drift_state_words(s->verdict.state);

    if (s->bounded)
        snprintf(bounds, sizeof bounds, "%s to %s", cell(id, s->verdict.low, low),
                 cell(id, s->verdict.high, high));
    lw_needed_words(&s->verdict, need);
    printf("%-22s %9s  %-18s %-8s", lw_score_name(id), cell(id, s->value, value), bounds, words);
    if (need[0])
        printf("  %s", need);
    else if (s->verdict.state == LW_DRIFT_NO_DATA && s->absent)
        printf("  %s", s->absent);
    else if (s->verdict.state == LW_DRIFT_OK && s->bounded && s->verdict.detectable)
        printf("  detectable, but small");
    printf("\n");
}

static void print_why(enum lw_score_id id, const struct lw_score *s)
{
    if (!s->whys || s->verdict.state <= LW_DRIFT_NO_DATA)
        return;
    printf("\n%s is %s: %s\n", lw_score_name(id), lw_drift_state_words(s->verdict.state),
           id == LW_SCORE_TOKEN_OVERLAP ? "no longer among the most frequent are"
                                        : "most of it is");
    for (int i = 0; i < s->whys; i++) {
        char what[64];

        lw_text_clean(s->why[i].what, strlen(s->why[i].what), what, sizeof what);
        if (id == LW_SCORE_TOKEN_OVERLAP)
            printf("  %s\n", what);
        else
            printf("  %4.0f%%  %s %s\n", 100 * fabs(s->why[i].share),
                   s->why[i].share > 0 ? "more" : "less", what);
    }
}

static void print_table(const struct lw_comparison *c, char *const *file)
{
    const char *items = c->modality == LW_TEXT ? "documents" : "images";
    char value[24];

    for (int i = 0; i < 2; i++) {
        char name[1024];

        lw_text_clean(file[i], strlen(file[i]), name, sizeof name);
        printf("%-10s %s: %" PRIu64 " %s\n", i ? "current" : "reference", name, c->items[i], items);
    }
    printf("\n%-22s %9s  %-18s %-8s\n", "score", "value", c->reference_mode ? "" : "99% bounds",
           "status");
    printf("%-22s %9s  %-18s %-8s\n", "overall", "", "", lw_drift_state_words(c->overall));
    for (int i = 0; i < LW_SCORES; i++)
        if (c->score[i].present)
            print_score((enum lw_score_id)i, &c->score[i]);
    printf("%-22s %9s  %s\n", "max_drift", cell(LW_SCORE_LENGTH_JS, c->max_drift, value),
           isnan(c->max_drift) ? "" : lw_score_name(c->worst));
    for (int i = 0; i < LW_SCORES; i++)
        if (!c->score[i].present && c->score[i].absent)
            printf("%-22s is absent: %s\n", lw_score_name((enum lw_score_id)i), c->score[i].absent);
    for (int i = 0; i < LW_SCORES; i++)
        print_why((enum lw_score_id)i, &c->score[i]);
}

static int settings_from(struct lw_drift_settings *s, char *const *word, int words,
                         struct lw_error *err)
{
    static const char *const keys[] = {"drift_mode", "drift_warn", "drift_alert",
                                       "drift_thresholds", NULL};
    struct lw_config c;
    int rc = lw_config_init(&c, err);

    if (!rc && !(rc = lw_drift_words(&c, word, words, keys, "drift", err)))
        rc = lw_drift_settings_from(s, &c, err);
    lw_config_fini(&c);
    return rc;
}

/* A file that is no profile is a wrong argument. */
static int load(struct lw_profile *p, const char *path, struct lw_error *err)
{
    int rc = lw_profile_load(p, path, err);

    if (rc == LW_EDATA || rc == LW_EIO)
        rc = err->code = LW_EUSAGE;
    return rc;
}

static int compare(struct lw_drift **d, char *const *file, const struct lw_drift_settings *settings,
                   struct lw_error *err)
{
    struct lw_profile a = {0}, b = {0};
    int rc = load(&a, file[0], err);

    if (!rc && !(rc = load(&b, file[1], err)) &&
        (rc = lw_drift_of(d, &a, &b, settings, err)) == LW_EDATA)
        rc = err->code = LW_EUSAGE;
    lw_profile_fini(&a);
    lw_profile_fini(&b);
    return rc;
}

static int draw(const struct lw_picture_files *files, const struct lw_drift *d, char *const *file,
                struct lw_error *err)
{
    const char *const names[] = {file[0], file[1]};
    struct lw_dashboard *page = NULL;
    struct lw_picture picture;
    int rc = lw_dashboard_of_drift(&page, d, names, &picture, err);

    if (!rc)
        rc = lw_picture_save(files, &picture, err);
    lw_dashboard_close(page);
    return rc;
}

int lw_cmd_drift(const struct lw_verb *self, struct lw_args *args)
{
    struct lw_drift_settings settings;
    struct lw_picture_files pictures;
    struct lw_error err = {0};
    struct lw_drift *d = NULL;
    int rc;

    if (args->words < 2 || strchr(args->word[0], '=') || strchr(args->word[1], '=')) {
        lw_fail(&err, LW_EUSAGE,
                "two profiles are compared: leeway drift REFERENCE.json CURRENT.json; leeway "
                "profile makes them");
        return lw_verb_fail(self, &err);
    }
    rc = lw_picture_parse(&pictures, args, 16, 12, &err);
    if (!rc)
        rc = settings_from(&settings, args->word + 2, args->words - 2, &err);
    if (!rc)
        rc = compare(&d, args->word, &settings, &err);
    if (!rc && pictures.any)
        rc = draw(&pictures, d, args->word, &err);
    if (!rc && lw_args_get(args, "json"))
        rc = print_json(&d->now, args->word, &err);
    else if (!rc)
        print_table(&d->now, args->word);
    rc = rc ? lw_verb_fail(self, &err) : exit_code(d->now.overall);
    lw_drift_close(d);
    return rc;
}

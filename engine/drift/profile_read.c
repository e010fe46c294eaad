/* SPDX-License-Identifier: MIT
 *
 * Profiles from JSON. A file may be damaged, foreign or hostile: every number is looked at before
 * it is believed, and a message names the file and the key. Only the version, the modality and the
 * number of items must be there; a key that is missing leaves its part of the profile empty. */
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/drift/profile.h"

#define FILE_LIMIT  ((size_t)256 << 20)
#define COUNT_LIMIT ((lw_wide)1 << 60) /* sums of a histogram stay below: scores multiply two */

struct reader {
    const char *where;
    struct lw_error *err;
};

static int bad(struct reader *r, const char *key, const char *what)
{
    return lw_fail(r->err, LW_EDATA, "%s: %s %s", r->where, key, what);
}

/* A whole number that is not negative: an integer, or decimal digits as text. */
static int whole(struct reader *r, const char *key, const json_t *value, lw_wide *x)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *x = (lw_wide)json_integer_value(value);
        return 0;
    }
    if (json_is_string(value) && !lw_wide_read(json_string_value(value), x))
        return 0;
    if (json_is_number(value) && json_number_value(value) < 0)
        return bad(r, key, "has a negative count: a profile counts, so it must be 0 or more");
    return bad(r, key, "must be a whole number");
}

static int count(struct reader *r, const char *key, const json_t *value, uint64_t *x)
{
    lw_wide wide;
    int rc = whole(r, key, value, &wide);

    if (!rc && wide >= COUNT_LIMIT)
        rc = bad(r, key, "has a count of 2^60 or more");
    if (!rc)
        *x = (uint64_t)wide;
    return rc;
}

static int get_count(struct reader *r, const json_t *o, const char *key, uint64_t *x)
{
    const json_t *value = json_object_get(o, key);

    return value ? count(r, key, value, x) : 0;
}

static int get_whole(struct reader *r, const json_t *o, const char *key, lw_wide *x)
{
    const json_t *value = json_object_get(o, key);

    return value ? whole(r, key, value, x) : 0;
}

/* The list at key with exactly n elements (n < 0: any); *list NULL where the key is missing. */
static int get_list(struct reader *r, const json_t *o, const char *key, int n, const json_t **list)
{
    char what[64];

    *list = json_object_get(o, key);
    if (!*list)
        return 0;
    if (!json_is_array(*list))
        return bad(r, key, "must be a list");
    if (n < 0 || json_array_size(*list) == (size_t)n)
        return 0;
    snprintf(what, sizeof what, "must have %d elements, not %zu", n, json_array_size(*list));
    return bad(r, key, what);
}

static int get_counts(struct reader *r, const json_t *o, const char *key, int n, uint64_t *out)
{
    const json_t *list;
    lw_wide sum = 0;
    int rc = get_list(r, o, key, n, &list);

    for (int i = 0; !rc && list && i < n; i++) {
        rc = count(r, key, json_array_get(list, (size_t)i), &out[i]);
        sum += out[i];
    }
    return !rc && sum >= COUNT_LIMIT ? bad(r, key, "adds up to 2^60 or more") : rc;
}

static int get_wholes(struct reader *r, const json_t *o, const char *key, int n, lw_wide *out)
{
    const json_t *list;
    int rc = get_list(r, o, key, n, &list);

    for (int i = 0; !rc && list && i < n; i++)
        rc = whole(r, key, json_array_get(list, (size_t)i), &out[i]);
    return rc;
}

/* The row of one id; squares and crosses where the lists are there, else as if each id had come
 * alone. */
static int tally_row(struct reader *r, const char *key, struct lw_tally *t, size_t i,
                     const json_t *const list[4], int64_t *last)
{
    const json_t *id = json_array_get(list[0], i);
    struct lw_tally_row row = {0};
    int rc;

    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) >= LW_TALLY_IDS)
        return bad(r, key, "has an id that is no whole number below 1048576");
    if (json_integer_value(id) <= *last)
        return bad(r, key, "has ids that do not rise");
    *last = json_integer_value(id);
    if ((rc = count(r, key, json_array_get(list[1], i), &row.count)))
        return rc;
    if (row.count > LW_TALLY_LIMIT - t->total)
        return bad(r, key, "adds up to more than 2^46");
    row.square = row.cross = row.count;
    if (list[2] && (rc = count(r, key, json_array_get(list[2], i), &row.square)))
        return rc;
    if (list[3] && (rc = count(r, key, json_array_get(list[3], i), &row.cross)))
        return rc;
    if (row.square < row.count || row.cross < row.count)
        return bad(r, key, "has sums of squares smaller than its counts");
    if ((rc = lw_tally_reserve(t, (uint32_t)*last + 1, r->err)))
        return rc;
    t->row[*last] = row;
    t->total += row.count;
    return 0;
}

/* ids and counts, and in extra what tells how dependent they are. */
static int read_tally(struct reader *r, const json_t *o, const char *ids, const char *counts,
                      const json_t *extra, struct lw_tally *t)
{
    const json_t *list[4];
    int64_t last = -1;
    int rc, n;

    if ((rc = get_list(r, o, ids, -1, &list[0])) || !list[0])
        return rc;
    n = (int)json_array_size(list[0]);
    if ((rc = get_list(r, o, counts, n, &list[1])) ||
        (rc = get_list(r, extra, "squares", n, &list[2])) ||
        (rc = get_list(r, extra, "crosses", n, &list[3])))
        return rc;
    if (!list[1])
        return bad(r, counts, "is missing");
    for (int i = 0; !rc && i < n; i++)
        rc = tally_row(r, counts, t, (size_t)i, list, &last);
    t->units = t->unit_squares = t->total;
    if (rc || !extra)
        return rc;
    if ((rc = get_count(r, extra, "units", &t->units)) ||
        (rc = get_count(r, extra, "unit_squares", &t->unit_squares)))
        return rc;
    return t->units > t->total || t->unit_squares < t->total
               ? bad(r, "units", "do not fit the counts")
               : 0;
}

static int read_tokens(struct reader *r, const json_t *root, const char *key, struct lw_tally *t)
{
    const json_t *o = json_object_get(root, key);

    if (!o)
        return 0;
    if (!json_is_object(o))
        return bad(r, key, "must be an object with ids and counts");
    return read_tally(r, o, "ids", "counts", o, t);
}

static int read_names(struct reader *r, const json_t *root, struct lw_profile *p)
{
    json_t *words = json_object_get(root, "token_text"), *word;
    const json_t *o = json_object_get(root, "token_counts");
    size_t most = json_object_size(words);

    if (!words)
        return 0;
    if (!json_is_object(words))
        return bad(r, "token_text", "must be an object");
    p->name = calloc(most + 1, sizeof *p->name);
    if (!p->name)
        return lw_fail(r->err, LW_EMEM, "out of memory");
    for (size_t i = 0; (size_t)p->names < most && i < json_array_size(json_object_get(o, "ids"));
         i++) {
        uint32_t id = (uint32_t)json_integer_value(json_array_get(json_object_get(o, "ids"), i));
        char key[16];

        snprintf(key, sizeof key, "%" PRIu32, id);
        word = json_object_get(words, key);
        if (!json_is_string(word))
            continue;
        p->name[p->names].id = id;
        snprintf(p->name[p->names++].text, sizeof p->name->text, "%s", json_string_value(word));
    }
    return 0;
}

/* Edges say how many bins there are and where they end; only even ones are understood. */
static int read_edges(struct reader *r, const json_t *root, struct lw_profile_options *o)
{
    const char *key = "seq_length_bins";
    const json_t *list;
    int rc = get_list(r, root, key, -1, &list);
    size_t n;
    double max;

    if (rc || !list)
        return rc;
    n = json_array_size(list);
    if (n < 2 || n > LW_LENGTH_BINS_LIMIT + 1)
        return bad(r, key, "must have 2 to 1025 edges");
    max = json_number_value(json_array_get(list, n - 1));
    if (!(max >= 1) || max > INT_MAX || max != floor(max))
        return bad(r, key, "must end at a whole number of tokens");
    for (size_t i = 0; i < n; i++) {
        const json_t *edge = json_array_get(list, i);

        if (!json_is_number(edge) ||
            fabs(json_number_value(edge) - lw_bin_edge((int)i, (int)n - 1, max)) > 1e-9 * max)
            return bad(r, key, "must be evenly spaced numbers from 0");
    }
    o->length_bins = (int)n - 1;
    o->length_max = (int)max;
    return 0;
}

static int read_text(struct reader *r, const json_t *root, struct lw_profile *p)
{
    struct lw_text_profile *t = &p->text;
    int rc;

    if ((rc = get_counts(r, root, "seq_length_hist", t->length_bins, t->length_hist)) ||
        (rc = get_whole(r, root, "seq_length_sum", &t->length_sum)) ||
        (rc = get_whole(r, root, "seq_length_squares", &t->length_squares)) ||
        (rc = get_count(r, root, "seq_length_over", &t->over)) ||
        (rc = read_tokens(r, root, "token_counts", &t->tokens)) ||
        (rc = read_tokens(r, root, "token_blocks", &t->blocks)))
        return rc;
    return read_names(r, root, p);
}

static int read_feature(struct reader *r, const json_t *list, const char *key, uint64_t *hist)
{
    json_t *pair;
    lw_wide sum = 0;
    size_t i;

    if (!list)
        return 0;
    if (!json_is_array(list))
        return bad(r, key, "must be a list of [bin, count]");
    json_array_foreach(list, i, pair)
    {
        const json_t *bin = json_array_get(pair, 0);
        int rc;

        if (!json_is_integer(bin) || json_integer_value(bin) < 0 ||
            json_integer_value(bin) >= LW_FEATURE_BINS)
            return bad(r, key, "must be a list of [bin, count] with bins below 4096");
        rc = count(r, key, json_array_get(pair, 1), &hist[json_integer_value(bin)]);
        if (rc)
            return rc;
        sum += hist[json_integer_value(bin)];
    }
    return sum >= COUNT_LIMIT ? bad(r, key, "adds up to 2^60 or more") : 0;
}

static int read_vision(struct reader *r, const json_t *root, struct lw_profile *p)
{
    struct lw_vision_profile *v = &p->vision;
    const json_t *features = json_object_get(root, "features");
    uint64_t white = 0;
    int rc;

    if ((rc = get_counts(r, root, "brightness_hist", LW_BRIGHTNESS_BINS, v->brightness_hist)) ||
        (rc = get_count(r, root, "white", &white)) ||
        (rc = get_wholes(r, root, "mean_sums", 3, v->mean_sum)) ||
        (rc = get_wholes(r, root, "mean_crosses", 6, v->mean_cross)) ||
        (rc = get_count(r, root, "pixels", &v->pixels)) ||
        (rc = get_wholes(r, root, "pixel_sums", 3, v->pixel_sum)) ||
        (rc = get_wholes(r, root, "pixel_squares", 3, v->pixel_squares)) ||
        (rc = get_count(r, root, "featured", &v->featured)))
        return rc;
    if (white > 65535 || (!white && v->pixels))
        return bad(r, "white", "must be 1 to 65535");
    v->white = (uint32_t)white;
    for (int f = 0; !rc && f < LW_FEATURES; f++) {
        const char *name = lw_feature_name((enum lw_feature)f);

        rc = read_feature(r, json_object_get(features, name), name, v->feature_hist[f]);
    }
    return rc;
}

static int read_outputs(struct reader *r, const json_t *root, struct lw_profile *p)
{
    const json_t *source = json_object_get(root, "source");
    const json_t *extra = json_object_get(root, "output_units");

    if (!json_object_get(root, "output_classes"))
        return 0;
    if (source && !json_is_string(source))
        return bad(r, "source", "must be predictions or labels");
    if (source && !strcmp(json_string_value(source), "predictions"))
        p->output = LW_OUTPUT_PREDICTIONS;
    else if (source && !strcmp(json_string_value(source), "labels"))
        p->output = LW_OUTPUT_LABELS;
    else
        return bad(r, "source", "must say whether outputs are predictions or labels");
    return read_tally(r, root, "output_classes", "output_hist", extra, &p->outputs);
}

static int read_root(struct reader *r, const json_t *root, struct lw_profile *p)
{
    const json_t *version = json_object_get(root, "format_version");
    const json_t *modality = json_object_get(root, "modality");
    const json_t *block = json_object_get(root, "token_block");
    struct lw_profile_options o = {0};
    int rc;

    if (!json_is_object(root) || !version || !modality)
        return lw_fail(r->err, LW_EDATA,
                       "%s is not a profile: it has no format_version and modality", r->where);
    if (!json_is_integer(version) || json_integer_value(version) != LW_PROFILE_FORMAT)
        return bad(r, "format_version", "is not 1, the only one this version of leeway reads");
    if (json_is_string(modality) && !strcmp(json_string_value(modality), "vision"))
        o.modality = LW_VISION;
    else if (!json_is_string(modality) || strcmp(json_string_value(modality), "text") != 0)
        return bad(r, "modality", "must be text or vision");
    if (!json_object_get(root, "items"))
        return bad(r, "items", "is missing");
    if (block && (!json_is_integer(block) || json_integer_value(block) < 1 ||
                  json_integer_value(block) > INT_MAX))
        return bad(r, "token_block", "must be a whole number of tokens");
    o.block = (int)json_integer_value(block);
    if ((rc = read_edges(r, root, &o)) || (rc = lw_profile_init(p, &o, r->err)) ||
        (rc = count(r, "items", json_object_get(root, "items"), &p->items)) ||
        (rc = o.modality == LW_TEXT ? read_text(r, root, p) : read_vision(r, root, p)))
        return rc;
    return read_outputs(r, root, p);
}

int lw_profile_read(struct lw_profile *p, const char *text, size_t size, const char *where,
                    struct lw_error *err)
{
    struct reader r = {where, err};
    json_error_t problem;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    int rc;

    memset(p, 0, sizeof *p);
    if (!root) {
        char why[160]; /* it may quote the file */

        lw_text_clean(problem.text, strlen(problem.text), why, sizeof why);
        return lw_fail(err, LW_EDATA, "%s:%d: this is not JSON as a profile has it: %s", where,
                       problem.line, why);
    }
    rc = read_root(&r, root, p);
    json_decref(root);
    if (rc)
        lw_profile_fini(p);
    return rc;
}

int lw_profile_load(struct lw_profile *p, const char *path, struct lw_error *err)
{
    char *text;
    size_t size;
    int rc;

    memset(p, 0, sizeof *p);
    rc = lw_read_file(path, FILE_LIMIT, &text, &size, err);
    if (rc)
        return rc;
    rc = lw_profile_read(p, text, size, path, err);
    free(text);
    return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * A profile as JSON: one key a line, sums that a reader's doubles could not hold as decimal text.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/drift/profile.h"

#define EXACT  ((lw_wide)1 << 53) /* larger integers are written as text */
#define NAMES  1000               /* frequent tokens whose words are kept */
#define PRETTY (JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY)

static json_t *whole(lw_wide x)
{
    char text[LW_WIDE_TEXT];

    return x < EXACT ? json_integer((json_int_t)x) : json_string(lw_wide_text(x, text));
}

static json_t *real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *wholes(const lw_wide *x, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, whole(x[i]));
    return list;
}

static json_t *counts(const uint64_t *x, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, whole(x[i]));
    return list;
}

static json_t *edges(int bins, double max)
{
    json_t *list = json_array();

    for (int i = 0; i <= bins; i++)
        json_array_append_new(list, json_real(lw_bin_edge(i, bins, max)));
    return list;
}

/* Three lists of equal length, by id, and what they add up to. */
static json_t *tally(const struct lw_tally *t)
{
    json_t *list[4] = {json_array(), json_array(), json_array(), json_array()}, *o = json_object();

    for (uint32_t id = 0; id < t->rows; id++) {
        const struct lw_tally_row *r = &t->row[id];

        if (!r->count)
            continue;
        json_array_append_new(list[0], json_integer(id));
        json_array_append_new(list[1], whole(r->count));
        json_array_append_new(list[2], whole(r->square));
        json_array_append_new(list[3], whole(r->cross));
    }
    json_object_set_new(o, "ids", list[0]);
    json_object_set_new(o, "counts", list[1]);
    json_object_set_new(o, "squares", list[2]);
    json_object_set_new(o, "crosses", list[3]);
    json_object_set_new(o, "units", whole(t->units));
    json_object_set_new(o, "unit_squares", whole(t->unit_squares));
    return o;
}

static void put_names(json_t *root, const struct lw_profile *p, lw_profile_namer *name, void *user)
{
    struct lw_id_count *top = malloc(NAMES * sizeof *top);
    int n = top ? lw_tally_top(&p->text.tokens, top, NAMES) : 0;
    json_t *words = json_object(), *list = json_array();

    for (int i = 0; i < n; i++) {
        char room[28], clean[28], key[16];
        const char *word = name ? name(user, top[i].id, room) : lw_profile_name(p, top[i].id);

        if (i < LW_PROFILE_TOP)
            json_array_append_new(list,
                                  json_pack("[I, o]", (json_int_t)top[i].id, whole(top[i].count)));
        if (!word)
            continue;
        lw_text_clean(word, strlen(word), clean, sizeof clean);
        snprintf(key, sizeof key, "%u", top[i].id);
        json_object_set_new(words, key, json_string(clean));
    }
    json_object_set_new(root, "top_tokens", list);
    if (json_object_size(words))
        json_object_set_new(root, "token_text", words);
    else
        json_decref(words);
    free(top);
}

static void put_text(json_t *root, const struct lw_profile *p, lw_profile_namer *name, void *user)
{
    const struct lw_text_profile *t = &p->text;

    json_object_set_new(root, "seq_length_bins", edges(t->length_bins, t->length_max));
    json_object_set_new(root, "seq_length_hist", counts(t->length_hist, t->length_bins));
    if (p->items) {
        json_object_set_new(root, "seq_length_mean", real(lw_profile_length_mean(p)));
        json_object_set_new(root, "seq_length_std", real(lw_profile_length_std(p)));
    }
    json_object_set_new(root, "seq_length_sum", whole(t->length_sum));
    json_object_set_new(root, "seq_length_squares", whole(t->length_squares));
    json_object_set_new(root, "seq_length_over", whole(t->over));
    json_object_set_new(root, "tokens", whole(t->tokens.total));
    json_object_set_new(root, "vocabulary", json_integer(lw_tally_distinct(&t->tokens)));
    put_names(root, p, name, user);
    json_object_set_new(root, "token_counts", tally(&t->tokens));
    json_object_set_new(root, "token_block", json_integer(t->block));
    json_object_set_new(root, "token_blocks", tally(&t->blocks));
}

static json_t *feature(const uint64_t *hist)
{
    json_t *list = json_array();

    for (int i = 0; i < LW_FEATURE_BINS; i++)
        if (hist[i])
            json_array_append_new(list, json_pack("[i, o]", i, whole(hist[i])));
    return list;
}

static void put_vision(json_t *root, const struct lw_profile *p)
{
    const struct lw_vision_profile *v = &p->vision;
    json_t *means = json_array(), *stds = json_array(), *pixels = json_array();
    json_t *features = json_object();

    for (int c = 0; c < 3; c++) {
        json_array_append_new(means, real(lw_profile_channel_mean(p, c)));
        json_array_append_new(stds, real(sqrt(lw_profile_channel_covariance(p, c, c))));
        json_array_append_new(pixels, real(lw_profile_pixel_std(p, c)));
    }
    for (int f = 0; f < LW_FEATURES && v->feature_hist; f++)
        json_object_set_new(features, lw_feature_name((enum lw_feature)f),
                            feature(v->feature_hist[f]));
    json_object_set_new(root, "channel_means", means);
    json_object_set_new(root, "channel_stds", stds);
    json_object_set_new(root, "pixel_stds", pixels);
    json_object_set_new(root, "brightness_bins", edges(LW_BRIGHTNESS_BINS, 1));
    json_object_set_new(root, "brightness_hist", counts(v->brightness_hist, LW_BRIGHTNESS_BINS));
    json_object_set_new(root, "white", json_integer(v->white));
    json_object_set_new(root, "mean_sums", wholes(v->mean_sum, 3));
    json_object_set_new(root, "mean_crosses", wholes(v->mean_cross, 6));
    json_object_set_new(root, "pixels", whole(v->pixels));
    json_object_set_new(root, "pixel_sums", wholes(v->pixel_sum, 3));
    json_object_set_new(root, "pixel_squares", wholes(v->pixel_squares, 3));
    json_object_set_new(root, "featured", whole(v->featured));
    json_object_set_new(root, "features", features);
}

static json_t *build(const struct lw_profile *p, lw_profile_namer *name, void *user)
{
    json_t *root = json_object(), *outputs;

    json_object_set_new(root, "format_version", json_integer(LW_PROFILE_FORMAT));
    json_object_set_new(root, "modality", json_string(lw_modality_name(p->modality)));
    json_object_set_new(root, "items", whole(p->items));
    if (p->modality == LW_TEXT)
        put_text(root, p, name, user);
    else
        put_vision(root, p);
    if (p->output != LW_OUTPUT_NONE) {
        outputs = tally(&p->outputs);
        json_object_set_new(root, "source", json_string(lw_output_name(p->output)));
        json_object_set(root, "output_classes", json_object_get(outputs, "ids"));
        json_object_set(root, "output_hist", json_object_get(outputs, "counts"));
        json_object_del(outputs, "ids");
        json_object_del(outputs, "counts");
        json_object_set_new(root, "output_units", outputs);
    }
    return root;
}

static int append(char **text, size_t *n, size_t *room, const char *piece, size_t size)
{
    if (*n + size + 1 > *room) {
        size_t more = 2 * (*n + size + 1);
        char *grown = realloc(*text, more);

        if (!grown)
            return -1;
        *text = grown;
        *room = more;
    }
    memcpy(*text + *n, piece, size);
    *n += size;
    (*text)[*n] = '\0';
    return 0;
}

static int print(json_t *root, char **text, size_t *size)
{
    size_t room = 0, left = json_object_size(root);
    const char *key;
    json_t *value;
    int rc = append(text, size, &room, "{\n", 2);

    json_object_foreach(root, key, value)
    {
        char *cell = json_dumps(value, PRETTY);

        if (!cell)
            rc = -1;
        if (!rc && !(rc = append(text, size, &room, "\"", 1)) &&
            !(rc = append(text, size, &room, key, strlen(key))) &&
            !(rc = append(text, size, &room, "\": ", 3)) &&
            !(rc = append(text, size, &room, cell, strlen(cell))))
            rc = --left ? append(text, size, &room, ",\n", 2) : append(text, size, &room, "\n", 1);
        free(cell);
    }
    return rc ? rc : append(text, size, &room, "}\n", 2);
}

int lw_profile_write(const struct lw_profile *p, lw_profile_namer *name, void *user, char **text,
                     size_t *size, struct lw_error *err)
{
    json_t *root = build(p, name, user);
    int rc;

    *text = NULL;
    *size = 0;
    rc = root ? print(root, text, size) : -1;
    json_decref(root);
    if (!rc)
        return 0;
    free(*text);
    *text = NULL;
    return lw_fail(err, LW_EMEM, "out of memory");
}

int lw_profile_save(const struct lw_profile *p, const char *path, lw_profile_namer *name,
                    void *user, struct lw_error *err)
{
    char *text;
    size_t size;
    int rc = lw_profile_write(p, name, user, &text, &size, err);

    if (rc)
        return rc;
    rc = lw_replace_file(path, text, size, 0, err);
    free(text);
    return rc;
}

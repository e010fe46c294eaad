/* SPDX-License-Identifier: MIT */
#include "engine/model/hf_gpt2.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/export/safetensors.h"
#include "engine/model/hf_vit.h"
#include "engine/model/match.h"
#include "engine/model/store.h"

#define PREFIX "transformer."
#define HEAD   "lm_head.weight"

/* Old files keep the causal mask as h.N.attn.bias and h.N.attn.masked_bias. */
static bool is_mask(const char *name)
{
    if (!strncmp(name, PREFIX, strlen(PREFIX)))
        name += strlen(PREFIX);
    if (strncmp(name, "h.", 2) || !isdigit((unsigned char)name[2]))
        return false;
    name += 2 + strspn(name + 2, "0123456789");
    return !strcmp(name, ".attn.bias") || !strcmp(name, ".attn.masked_bias");
}

static bool ignored(const char *name)
{
    return is_mask(name) || !strcmp(name, HEAD);
}

/* Is the explicit head the embedding's equal? Dtypes may differ. */
static bool same_values(const struct lw_tensor *a, const struct lw_tensor *b)
{
    float x[256], y[256];

    if (a->count != b->count || a->rank != b->rank || a->shape[0] != b->shape[0] || a->type < 0 ||
        b->type < 0)
        return false;
    if (a->type == b->type)
        return !memcmp(a->data, b->data, a->bytes);
    for (uint64_t i = 0; i < a->count; i += 256) {
        size_t n = a->count - i < 256 ? (size_t)(a->count - i) : 256;
        size_t at = (size_t)i;

        lw_to_f32(x, (const char *)a->data + at * lw_dtype_size((enum lw_dtype)a->type),
                  (enum lw_dtype)a->type, n);
        lw_to_f32(y, (const char *)b->data + at * lw_dtype_size((enum lw_dtype)b->type),
                  (enum lw_dtype)b->type, n);
        if (memcmp(x, y, n * sizeof *x))
            return false;
    }
    return true;
}

static bool ignored_by_classifier(const char *name)
{
    return ignored(name) || !strcmp(name, "score.bias");
}

static bool ignored_by_vit(const char *name)
{
    if (!strncmp(name, "vit.", 4))
        name += 4;
    return !strncmp(name, "pooler.", 7) || !strcmp(name, "embeddings.mask_token");
}

static bool is_head(const char *name)
{
    return !strcmp(name, "score.weight") || !strncmp(name, "classifier.", 11);
}

/* What a new head replaces. */
static void tell_head(const struct lw_tensor *old, const struct lw_model_spec *s,
                      const char *folder, char *note, size_t size)
{
    if (!old)
        snprintf(note, size, "%s has no classifier: its head is new, for %d classes", folder,
                 s->classes);
    else
        snprintf(note, size,
                 "%s tells %lld classes apart, not %d: its head is replaced by a new one", folder,
                 old->rank ? (long long)old->shape[0] : 0, s->classes);
}

int lw_hf_load(const char *folder, struct lw_model *g, uint64_t seed, char *note, size_t note_size,
               struct lw_error *err)
{
    static const char *const suffixes[] = {""};
    const struct lw_model_spec *s = lw_model_spec(g);
    const struct lw_match_rules rules = {.what = folder,
                                         .suffixes = suffixes,
                                         .suffix_count = 1,
                                         .optional_prefix = s->image_size ? "vit." : PREFIX,
                                         .ignore = s->image_size ? ignored_by_vit
                                                   : s->classes  ? ignored_by_classifier
                                                                 : ignored,
                                         .other_name = s->image_size ? lw_hf_vit_newer_name : NULL,
                                         .replaceable = s->classes ? is_head : NULL};
    struct lw_params *p = lw_model_params(g);
    const struct lw_tensor *head;
    struct lw_tensor_set set;
    struct lw_match match;
    int rc = lw_tensor_set_open(&set, folder, err);

    if (note && note_size)
        *note = '\0';
    if (rc)
        return rc;
    rc = lw_match_tensors(&match, p, &set, &rules, err);
    for (int i = 0; i < p->params && !rc; i++) {
        rc = match.fresh[i] ? lw_params_fill_one(p, i, seed, err)
                            : lw_load_tensor(p, LW_WEIGHTS, i, match.of[i], err);
        if (!rc && match.fresh[i] && p->list[i].rank > 1 && note)
            tell_head(match.of[i], s, folder, note, note_size);
    }
    head = lw_tensor_set_find(&set, HEAD);
    if (!rc && head && note && !s->classes && !same_values(head, match.of[0]))
        snprintf(note, note_size,
                 "%s: lm_head.weight differs from the token embedding; leeway ties the head to the "
                 "embedding, so it is not used",
                 folder);
    lw_match_free(&match);
    lw_tensor_set_close(&set);
    return rc;
}

int lw_hf_gpt2_load(const char *folder, struct lw_model *g, char *note, size_t note_size,
                    struct lw_error *err)
{
    return lw_hf_load(folder, g, 0, note, note_size, err);
}

int lw_hf_gpt2_save(const char *folder, struct lw_model *g, enum lw_dtype type, int separator,
                    struct lw_error *err)
{
    char *path;
    int rc = lw_make_folders(folder, err);

    if (rc)
        return rc;
    if (!(path = lw_path_join(folder, "model.safetensors")))
        return lw_fail(err, LW_EMEM, "out of memory writing %s", folder);
    rc = lw_save_weights(lw_model_params(g), path, type, err);
    if (!rc)
        rc = lw_hf_save_config(folder, lw_model_spec(g), type, separator, err);
    free(path);
    return rc;
}

int lw_hf_save_config(const char *folder, const struct lw_model_spec *spec, enum lw_dtype type,
                      int separator, struct lw_error *err)
{
    return spec->image_size ? lw_hf_vit_save_config(folder, spec, type, err)
                            : lw_hf_gpt2_save_config(folder, spec, type, separator, err);
}

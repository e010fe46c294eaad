/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/hf_gpt2.h"
#include "engine/model/hf_json.h"

#define CLASSIFIER "GPT2ForSequenceClassification"

static bool is_classifier(const json_t *root)
{
    const char *name = json_string_value(json_array_get(json_object_get(root, "architectures"), 0));

    return name && !strcmp(name, CLASSIFIER);
}

static void read_spec(const json_t *root, struct lw_model_spec *s, struct lw_problems *p)
{
    static const char *const activations[] = {"gelu_new", "gelu_pytorch_tanh", NULL};

    if (!lw_hf_expect_kind(root, "gpt2", p))
        return; /* the rest of another kind of model means nothing */
    lw_hf_expect_text(root, "activation_function", activations, p);
    lw_hf_expect(root, "scale_attn_weights", true, p);
    lw_hf_expect(root, "scale_attn_by_inverse_layer_idx", false, p);
    lw_hf_expect(root, "add_cross_attention", false, p);
    s->vocabulary = lw_hf_size(root, "vocab_size", NULL, p);
    s->positions = lw_hf_size(root, "n_positions", "n_ctx", p);
    s->channels = lw_hf_size(root, "n_embd", NULL, p);
    s->layers = lw_hf_size(root, "n_layer", NULL, p);
    s->heads = lw_hf_size(root, "n_head", NULL, p);
    if (lw_hf_absent(json_object_get(root, "n_inner")))
        s->feed_forward = s->channels <= INT_MAX / 4 ? 4 * s->channels : INT_MAX;
    else
        s->feed_forward = lw_hf_size(root, "n_inner", NULL, p);
    s->dropout = lw_hf_real(root, "resid_pdrop", 0.1, p);
    s->epsilon = lw_hf_real(root, "layer_norm_epsilon", 1e-5, p);
    if (!is_classifier(root))
        return;
    s->classes = lw_hf_classes(root, p);
    if (json_is_integer(json_object_get(root, "pad_token_id")))
        s->padding = (int)json_integer_value(json_object_get(root, "pad_token_id"));
}

int lw_hf_gpt2_spec(const char *folder, struct lw_model_spec *out, struct lw_error *err)
{
    struct lw_problems problems = {.separator = "; "};
    struct lw_error wrong;
    char *path;
    json_t *root;
    int rc = lw_hf_json_open(folder, "config.json", false, &root, &path, err);

    *out = (struct lw_model_spec){0};
    if (!rc) {
        read_spec(root, out, &problems);
        if (problems.used)
            rc = lw_fail(err, LW_EDATA, "%s: %s", path, problems.text);
        else if (lw_model_check(out, &wrong))
            rc = lw_fail(err, LW_EDATA, "%s: %s", path, wrong.text);
    }
    json_decref(root);
    free(path);
    return rc;
}

static json_t *make_config(const struct lw_model_spec *s, enum lw_dtype type, int separator)
{
    double dropout = (double)s->dropout;
    json_t *root = json_pack(
        "{s:[s], s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, "
        "s:f, s:b, s:b, s:s, s:o, s:o}",
        "architectures", s->classes ? CLASSIFIER : "GPT2LMHeadModel", "model_type", "gpt2",
        "activation_function", "gelu_new", "vocab_size", s->vocabulary, "n_positions", s->positions,
        "n_ctx", s->positions, "n_embd", s->channels, "n_layer", s->layers, "n_head", s->heads,
        "n_inner", s->feed_forward, "layer_norm_epsilon", (double)s->epsilon, "attn_pdrop", dropout,
        "embd_pdrop", dropout, "resid_pdrop", dropout, "initializer_range", 0.02,
        "scale_attn_weights", 1, "tie_word_embeddings", 1, "torch_dtype", lw_hf_torch_type(type),
        "bos_token_id", separator >= 0 ? json_integer(separator) : json_null(), "eos_token_id",
        separator >= 0 ? json_integer(separator) : json_null());

    if (root && s->classes &&
        (json_object_set_new(root, "pad_token_id", json_integer(s->padding)) ||
         lw_hf_set_labels(root, s->classes, s->labels))) {
        json_decref(root);
        return NULL;
    }
    return root;
}

int lw_hf_gpt2_save_config(const char *folder, const struct lw_model_spec *spec, enum lw_dtype type,
                           int separator, struct lw_error *err)
{
    return lw_hf_json_save(folder, "config.json", make_config(spec, type, separator), err);
}

/* SPDX-License-Identifier: MIT */
#include "engine/model/hf_gpt2.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/model/problems.h"

#define CONFIG_MAX (1 << 20)

static bool absent(const json_t *value)
{
    return !value || json_is_null(value);
}

/* A size that must be there, under one name or an older one. */
static int size_of(const json_t *root, const char *name, const char *older, struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);
    json_int_t n;

    if (absent(value) && older)
        value = json_object_get(root, older);
    if (absent(value)) {
        lw_problem(p, "%s is missing", name);
        return 1;
    }
    n = json_integer_value(value);
    if (!json_is_integer(value) || n < 1 || n > INT_MAX) {
        lw_problem(p, "%s is not a positive whole number", name);
        return 1;
    }
    return (int)n;
}

static float real_of(const json_t *root, const char *name, double otherwise, struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);

    if (absent(value))
        return (float)otherwise;
    if (!json_is_number(value))
        lw_problem(p, "%s is not a number", name);
    return (float)json_number_value(value);
}

/* What we can't compute must have the value that means "off". */
static void expect(const json_t *root, const char *name, bool wanted, struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);

    if (!absent(value) && json_is_true(value) != wanted)
        lw_problem(p, "%s: %s is not supported", name, wanted ? "false" : "true");
}

static void expect_text(const json_t *root, const char *name, const char *const *known,
                        struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);
    const char *text = json_string_value(value);
    char shown[48];

    if (absent(value))
        return;
    for (int i = 0; text && known[i]; i++)
        if (!strcmp(text, known[i]))
            return;
    lw_text_clean(text ? text : "", text ? strlen(text) : 0, shown, sizeof shown);
    lw_problem(p, "%s is %s, not %s", name, text ? shown : "not a text", known[0]);
}

static void read_spec(const json_t *root, struct lw_gpt_spec *s, struct lw_problems *p)
{
    static const char *const types[] = {"gpt2", NULL};
    static const char *const activations[] = {"gelu_new", "gelu_pytorch_tanh", NULL};

    expect_text(root, "model_type", types, p);
    expect_text(root, "activation_function", activations, p);
    expect(root, "scale_attn_weights", true, p);
    expect(root, "scale_attn_by_inverse_layer_idx", false, p);
    expect(root, "add_cross_attention", false, p);
    s->vocabulary = size_of(root, "vocab_size", NULL, p);
    s->positions = size_of(root, "n_positions", "n_ctx", p);
    s->channels = size_of(root, "n_embd", NULL, p);
    s->layers = size_of(root, "n_layer", NULL, p);
    s->heads = size_of(root, "n_head", NULL, p);
    if (absent(json_object_get(root, "n_inner")))
        s->feed_forward = s->channels <= INT_MAX / 4 ? 4 * s->channels : INT_MAX;
    else
        s->feed_forward = size_of(root, "n_inner", NULL, p);
    s->dropout = real_of(root, "resid_pdrop", 0.1, p);
    s->epsilon = real_of(root, "layer_norm_epsilon", 1e-5, p);
}

int lw_hf_gpt2_spec(const char *folder, struct lw_gpt_spec *out, struct lw_error *err)
{
    struct lw_problems problems = {.separator = "; "};
    char *path = lw_path_join(folder, "config.json"), *text = NULL;
    json_t *root = NULL;
    struct lw_error wrong;
    json_error_t why;
    size_t size;
    int rc;

    *out = (struct lw_gpt_spec){0};
    rc = path ? lw_read_file(path, CONFIG_MAX, &text, &size, err)
              : lw_fail(err, LW_EMEM, "out of memory reading %s", folder);
    if (rc)
        goto done;
    root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        rc = lw_fail(err, LW_EDATA, "%s: line %d: %s", path, root ? 1 : why.line,
                     root ? "it is not an object" : why.text);
        goto done;
    }
    read_spec(root, out, &problems);
    if (problems.used)
        rc = lw_fail(err, LW_EDATA, "%s: %s", path, problems.text);
    else if (lw_gpt_check(out, &wrong))
        rc = lw_fail(err, LW_EDATA, "%s: %s", path, wrong.text);
done:
    json_decref(root);
    free(text);
    free(path);
    return rc;
}

static const char *torch_type(enum lw_dtype type)
{
    return type == LW_BF16 ? "bfloat16" : type == LW_F16 ? "float16" : "float32";
}

static json_t *make_config(const struct lw_gpt_spec *s, enum lw_dtype type, int separator)
{
    double dropout = (double)s->dropout;

    return json_pack(
        "{s:[s], s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, "
        "s:f, s:b, s:b, s:s, s:o, s:o}",
        "architectures", "GPT2LMHeadModel", "model_type", "gpt2", "activation_function", "gelu_new",
        "vocab_size", s->vocabulary, "n_positions", s->positions, "n_ctx", s->positions, "n_embd",
        s->channels, "n_layer", s->layers, "n_head", s->heads, "n_inner", s->feed_forward,
        "layer_norm_epsilon", (double)s->epsilon, "attn_pdrop", dropout, "embd_pdrop", dropout,
        "resid_pdrop", dropout, "initializer_range", 0.02, "scale_attn_weights", 1,
        "tie_word_embeddings", 1, "torch_dtype", torch_type(type), "bos_token_id",
        separator >= 0 ? json_integer(separator) : json_null(), "eos_token_id",
        separator >= 0 ? json_integer(separator) : json_null());
}

int lw_hf_gpt2_save_config(const char *folder, const struct lw_gpt_spec *spec, enum lw_dtype type,
                           int separator, struct lw_error *err)
{
    char *path = lw_path_join(folder, "config.json"), *text = NULL;
    json_t *root = make_config(spec, type, separator);
    int rc;

    if (root) /* 7 digits are what a float holds: 1e-05, not 9.99999975e-06 */
        text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
    rc = path && text ? lw_replace_file(path, text, strlen(text), 1, err)
                      : lw_fail(err, LW_EMEM, "out of memory writing %s", folder);
    json_decref(root);
    free(text);
    free(path);
    return rc;
}

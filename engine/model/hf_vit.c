/* SPDX-License-Identifier: MIT */
#include "engine/model/hf_vit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/hf_json.h"

#define PROCESSOR "preprocessor_config.json"

static void read_spec(const json_t *root, struct lw_model_spec *s, struct lw_problems *p)
{
    static const char *const activations[] = {"gelu", NULL};

    if (!lw_hf_expect_kind(root, "vit", p))
        return; /* the rest of another kind of model means nothing */
    lw_hf_expect_text(root, "hidden_act", activations, p);
    lw_hf_expect(root, "qkv_bias", true, p);
    if (!lw_hf_absent(json_object_get(root, "num_channels")) &&
        lw_hf_size(root, "num_channels", NULL, p) != 3)
        lw_problem(p, "num_channels is not 3");
    s->channels = lw_hf_size(root, "hidden_size", NULL, p);
    s->layers = lw_hf_size(root, "num_hidden_layers", NULL, p);
    s->heads = lw_hf_size(root, "num_attention_heads", NULL, p);
    s->feed_forward = lw_hf_size(root, "intermediate_size", NULL, p);
    s->image_size = lw_hf_size(root, "image_size", NULL, p);
    s->patch_size = lw_hf_size(root, "patch_size", NULL, p);
    s->positions = lw_vit_positions(s->image_size, s->patch_size);
    s->dropout = lw_hf_real(root, "hidden_dropout_prob", 0, p);
    s->epsilon = lw_hf_real(root, "layer_norm_eps", 1e-12, p);
    s->classes = lw_hf_classes(root, p);
}

/* Three numbers; false where they are not there. */
static bool read_three(const json_t *root, const char *name, float out[3], struct lw_problems *p)
{
    const json_t *list = json_object_get(root, name);

    if (lw_hf_absent(list))
        return false;
    for (size_t i = 0; i < 3; i++) {
        const json_t *value = json_array_get(list, i);

        out[i] = (float)json_number_value(value);
        if (!json_is_number(value) || json_array_size(list) != 3) {
            lw_problem(p, "%s is not three numbers", name);
            return false;
        }
    }
    return true;
}

static int read_processor(const char *folder, struct lw_model_spec *s, bool *normalised,
                          struct lw_error *err)
{
    struct lw_problems problems = {.separator = "; "};
    json_t *root;
    char *path;
    int rc = lw_hf_json_open(folder, PROCESSOR, true, &root, &path, err);

    *normalised = false;
    if (root && json_is_false(json_object_get(root, "do_normalize"))) {
        *normalised = true;
        for (int c = 0; c < 3; c++)
            s->deviation[c] = 1;
    } else if (root) {
        bool mean = read_three(root, "image_mean", s->mean, &problems);

        *normalised = read_three(root, "image_std", s->deviation, &problems) && mean;
    }
    if (!rc && problems.used)
        rc = lw_fail(err, LW_EDATA, "%s: %s", path, problems.text);
    json_decref(root);
    free(path);
    return rc;
}

int lw_hf_vit_spec(const char *folder, struct lw_model_spec *out, bool *normalised,
                   struct lw_error *err)
{
    struct lw_problems problems = {.separator = "; "};
    struct lw_model_spec checked;
    struct lw_error wrong;
    char *path;
    json_t *root;
    int rc = lw_hf_json_open(folder, "config.json", false, &root, &path, err);

    *out = (struct lw_model_spec){0};
    *normalised = false;
    if (!rc) {
        read_spec(root, out, &problems);
        checked = *out;
        for (int c = 0; c < 3; c++)
            checked.deviation[c] = 1;
        if (problems.used)
            rc = lw_fail(err, LW_EDATA, "%s: %s", path, problems.text);
        else if (lw_model_check(&checked, &wrong))
            rc = lw_fail(err, LW_EDATA, "%s: %s", path, wrong.text);
        else
            rc = read_processor(folder, out, normalised, err);
    }
    json_decref(root);
    free(path);
    return rc;
}

static json_t *make_config(const struct lw_model_spec *s, enum lw_dtype type)
{
    double dropout = (double)s->dropout;
    json_t *root =
        json_pack("{s:[s], s:s, s:i, s:i, s:i, s:i, s:s, s:f, s:i, s:i, s:i, s:b, s:f, "
                  "s:f, s:f, s:s}",
                  "architectures", "ViTForImageClassification", "model_type", "vit", "hidden_size",
                  s->channels, "num_hidden_layers", s->layers, "num_attention_heads", s->heads,
                  "intermediate_size", s->feed_forward, "hidden_act", "gelu", "layer_norm_eps",
                  (double)s->epsilon, "image_size", s->image_size, "patch_size", s->patch_size,
                  "num_channels", 3, "qkv_bias", 1, "hidden_dropout_prob", dropout,
                  "attention_probs_dropout_prob", dropout, "initializer_range", 0.02, "torch_dtype",
                  lw_hf_torch_type((int)type));

    if (root && lw_hf_set_labels(root, s->classes, s->labels)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

/* resample 2 is bilinear, which is what we resize by. */
static json_t *make_processor(const struct lw_model_spec *s)
{
    return json_pack("{s:s, s:b, s:{s:i, s:i}, s:i, s:b, s:f, s:b, s:[f, f, f], s:[f, f, f]}",
                     "image_processor_type", "ViTImageProcessor", "do_resize", 1, "size", "height",
                     s->image_size, "width", s->image_size, "resample", 2, "do_rescale", 1,
                     "rescale_factor", 1.0 / 255, "do_normalize", 1, "image_mean",
                     (double)s->mean[0], (double)s->mean[1], (double)s->mean[2], "image_std",
                     (double)s->deviation[0], (double)s->deviation[1], (double)s->deviation[2]);
}

int lw_hf_vit_save_config(const char *folder, const struct lw_model_spec *spec, enum lw_dtype type,
                          struct lw_error *err)
{
    int rc = lw_hf_json_save(folder, "config.json", make_config(spec, type), err);

    return rc ? rc : lw_hf_json_save(folder, PROCESSOR, make_processor(spec), err);
}

bool lw_hf_vit_newer_name(const char *name, char *out, size_t size)
{
    static const char older[] = "vit.encoder.layer.", newer[] = "vit.layers.";
    static const struct {
        const char *older, *newer;
    } parts[] = {
        {".attention.attention.query.", ".attention.q_proj."},
        {".attention.attention.key.", ".attention.k_proj."},
        {".attention.attention.value.", ".attention.v_proj."},
        {".attention.output.dense.", ".attention.o_proj."},
        {".intermediate.dense.", ".mlp.fc1."},
        {".output.dense.", ".mlp.fc2."},
        {".layernorm_before.", ".layernorm_before."},
        {".layernorm_after.", ".layernorm_after."},
    };
    const char *number = name + sizeof older - 1, *rest;

    if (strncmp(name, older, sizeof older - 1))
        return false;
    rest = number + strspn(number, "0123456789");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i].older);

        if (strncmp(rest, parts[i].older, n))
            continue;
        snprintf(out, size, "%s%.*s%s%s", newer, (int)(rest - number), number, parts[i].newer,
                 rest + n);
        return true;
    }
    return false;
}

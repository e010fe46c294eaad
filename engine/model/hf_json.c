/* SPDX-License-Identifier: MIT */
#include "engine/model/hf_json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/ops/dtype.h"

#define CONFIG_MAX (16 << 20) /* ImageNet-21k's labels alone are 2 MB */

int lw_hf_json_open(const char *folder, const char *name, bool optional, json_t **root, char **path,
                    struct lw_error *err)
{
    char *text = NULL;
    json_error_t why;
    size_t size;
    int rc = 0;

    *root = NULL;
    *path = lw_path_join(folder, name);
    if (!*path)
        return lw_fail(err, LW_EMEM, "out of memory reading %s", folder);
    if (optional && access(*path, F_OK))
        return 0;
    if ((rc = lw_read_file(*path, CONFIG_MAX, &text, &size, err)))
        return rc;
    *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(*root)) {
        rc = lw_fail(err, LW_EDATA, "%s: line %d: %s", *path, *root ? 1 : why.line,
                     *root ? "it is not an object" : why.text);
        json_decref(*root);
        *root = NULL;
    }
    free(text);
    return rc;
}

bool lw_hf_absent(const json_t *value)
{
    return !value || json_is_null(value);
}

int lw_hf_size(const json_t *root, const char *name, const char *older, struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);
    json_int_t n;

    if (lw_hf_absent(value) && older)
        value = json_object_get(root, older);
    if (lw_hf_absent(value)) {
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

float lw_hf_real(const json_t *root, const char *name, double otherwise, struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);

    if (lw_hf_absent(value))
        return (float)otherwise;
    if (!json_is_number(value))
        lw_problem(p, "%s is not a number", name);
    return (float)json_number_value(value);
}

void lw_hf_expect(const json_t *root, const char *name, bool wanted, struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);

    if (!lw_hf_absent(value) && json_is_true(value) != wanted)
        lw_problem(p, "%s: %s is not supported", name, wanted ? "false" : "true");
}

void lw_hf_expect_text(const json_t *root, const char *name, const char *const *known,
                       struct lw_problems *p)
{
    const json_t *value = json_object_get(root, name);
    const char *text = json_string_value(value);
    char shown[48];

    if (lw_hf_absent(value))
        return;
    for (int i = 0; text && known[i]; i++)
        if (!strcmp(text, known[i]))
            return;
    lw_text_clean(text ? text : "", text ? strlen(text) : 0, shown, sizeof shown);
    lw_problem(p, "%s is %s, not %s", name, text ? shown : "not a text", known[0]);
}

bool lw_hf_expect_kind(const json_t *root, const char *kind, struct lw_problems *p)
{
    static const char *const known[][2] = {
        {"gpt2", "task=lm and task=text_classification go on with a GPT-2"},
        {"vit", "task=vision_classification goes on with a ViT"},
    };
    const char *const wanted[] = {kind, NULL};
    const char *there = json_string_value(json_object_get(root, "model_type"));
    const size_t before = p->used;

    lw_hf_expect_text(root, "model_type", wanted, p);
    if (p->used == before)
        return true;
    for (size_t i = 0; there && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i][0], there))
            lw_problem(p, "%s", known[i][1]);
    return false;
}

int lw_hf_classes(const json_t *root, struct lw_problems *p)
{
    const json_t *labels = json_object_get(root, "id2label");
    const size_t named = json_object_size(labels);

    if (named && named <= INT_MAX)
        return (int)named;
    if (json_is_object(labels) || lw_hf_absent(json_object_get(root, "num_labels")))
        return 2;
    return lw_hf_size(root, "num_labels", NULL, p);
}

int lw_hf_set_labels(json_t *root, int classes, const char *const *labels)
{
    json_t *names = json_object(), *ids = json_object();
    int rc = names && ids ? 0 : -1;

    for (int i = 0; i < classes && !rc; i++) {
        char id[16], plain[32];

        snprintf(id, sizeof id, "%d", i);
        snprintf(plain, sizeof plain, "LABEL_%d", i);
        rc |= json_object_set_new(names, id, json_string(labels ? labels[i] : plain));
        rc |= json_object_set_new(ids, labels ? labels[i] : plain, json_integer(i));
    }
    rc |= json_object_set_new(root, "id2label", names);
    rc |= json_object_set_new(root, "label2id", ids);
    return rc;
}

int lw_hf_json_save(const char *folder, const char *name, json_t *root, struct lw_error *err)
{
    char *path = lw_path_join(folder, name), *text = NULL;
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

const char *lw_hf_torch_type(int type)
{
    return type == LW_BF16 ? "bfloat16" : type == LW_F16 ? "float16" : "float32";
}

/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/data/bpe.h"

static json_t *load(const char *text, size_t size, const char *name, struct lw_error *err)
{
    char said[160];
    json_error_t where;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);

    if (root && json_is_object(root))
        return root;
    if (root)
        lw_fail(err, LW_EDATA, "%s is not a JSON object", name);
    else {
        lw_text_clean(where.text, strlen(where.text), said, sizeof said);
        lw_fail(err, LW_EDATA, "%s is not JSON: line %d: %s", name, where.line, said);
    }
    json_decref(root);
    return NULL;
}

static int add_tokens(struct lw_bpe_builder *b, json_t *vocab, const char *name,
                      struct lw_error *err)
{
    char shown[64];
    const char *key;
    json_t *id;
    int rc;

    json_object_foreach(vocab, key, id)
    {
        if (!json_is_integer(id)) {
            lw_text_clean(key, strlen(key), shown, sizeof shown);
            return lw_fail(err, LW_EDATA, "%s: the id of \"%s\" is not a whole number", name,
                           shown);
        }
        rc = lw_bpe_add_token(b, key, strlen(key), json_integer_value(id), 0, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int add_line(struct lw_bpe_builder *b, const char *line, size_t n, size_t number,
                    const char *name, struct lw_error *err)
{
    const char *blank = memchr(line, ' ', n);
    size_t left;

    if (!blank || memchr(blank + 1, ' ', n - (size_t)(blank + 1 - line)))
        return lw_fail(err, LW_EDATA, "%s: line %zu is not two tokens with a blank between", name,
                       number);
    left = (size_t)(blank - line);
    return lw_bpe_add_merge(b, line, left, blank + 1, n - left - 1, number, err);
}

static int add_merges(struct lw_bpe_builder *b, const char *text, size_t size, const char *name,
                      struct lw_error *err)
{
    static const char version[] = "#version";
    size_t number = 0;
    int rc = 0;

    while (!rc && size) {
        const char *end = memchr(text, '\n', size);
        size_t whole = end ? (size_t)(end - text) + 1 : size, n = end ? whole - 1 : size;

        number++;
        if (n && text[n - 1] == '\r')
            n--;
        if (n && !(number == 1 && n >= strlen(version) && !memcmp(text, version, strlen(version))))
            rc = add_line(b, text, n, number, name, err);
        text += whole;
        size -= whole;
    }
    return rc;
}

int lw_bpe_parse_pair(struct lw_tokenizer *t, const char *vocab, size_t vocab_size,
                      const char *vocab_name, const char *merges, size_t merges_size,
                      const char *merges_name, struct lw_error *err)
{
    struct lw_bpe_builder *b = NULL;
    json_t *root = load(vocab, vocab_size, vocab_name, err);
    int rc;

    if (!root)
        return LW_EDATA;
    rc = lw_bpe_builder_new(&b, t, vocab_name, merges_name, err);
    if (!rc)
        rc = add_tokens(b, root, vocab_name, err);
    if (!rc)
        rc = lw_bpe_seal_tokens(b, err);
    if (!rc)
        rc = add_merges(b, merges, merges_size, merges_name, err);
    if (!rc)
        rc = lw_bpe_finish(b, err);
    lw_bpe_builder_free(b);
    json_decref(root);
    return rc;
}

/* A setting that must be absent, null, false or "" for our encoding to be the right one. */
static int unset(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && !json_string_length(value));
}

static int is_text(const json_t *value, const char *text)
{
    return json_is_string(value) && !strcmp(json_string_value(value), text);
}

/* Only what GPT-2 does: byte level, its own splitting pattern, nothing else on the way. */
static int check_kind(const json_t *root, const json_t *model, const char *name,
                      struct lw_error *err)
{
    static const char *const extra[] = {"dropout", "continuing_subword_prefix",
                                        "end_of_word_suffix", "byte_fallback", "ignore_merges"};
    const json_t *pre = json_object_get(root, "pre_tokenizer"), *regex;

    if (!is_text(json_object_get(model, "type"), "BPE"))
        return lw_fail(err, LW_EDATA, "%s: model.type is not BPE, the only kind leeway reads",
                       name);
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
        if (!unset(json_object_get(model, extra[i])))
            return lw_fail(err, LW_EDATA, "%s: model.%s is set, which leeway does not support",
                           name, extra[i]);
    if (!unset(json_object_get(root, "normalizer")))
        return lw_fail(err, LW_EDATA, "%s has a normalizer, which leeway does not support", name);
    regex = json_object_get(pre, "use_regex");
    if (!is_text(json_object_get(pre, "type"), "ByteLevel") ||
        !unset(json_object_get(pre, "add_prefix_space")) || (regex && !json_is_true(regex)))
        return lw_fail(err, LW_EDATA,
                       "%s: pre_tokenizer is not ByteLevel as GPT-2's (without add_prefix_space), "
                       "the only kind leeway reads",
                       name);
    return 0;
}

static int add_specials(struct lw_bpe_builder *b, const json_t *list, const char *name,
                        struct lw_error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const json_t *id = json_object_get(item, "id"), *text = json_object_get(item, "content");
        int rc;

        if (!json_is_integer(id) || !json_is_string(text))
            return lw_fail(err, LW_EDATA, "%s: added_tokens[%zu] lacks an id or its content", name,
                           i);
        rc = lw_bpe_add_token(b, json_string_value(text), json_string_length(text),
                              json_integer_value(id), 1, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* Merges are written "A B" or ["A", "B"]. */
static int add_merge_list(struct lw_bpe_builder *b, const json_t *list, const char *name,
                          struct lw_error *err)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const json_t *l = json_array_get(item, 0), *r = json_array_get(item, 1);
        int rc;

        if (json_is_string(item))
            rc = add_line(b, json_string_value(item), json_string_length(item), i + 1, name, err);
        else if (json_array_size(item) == 2 && json_is_string(l) && json_is_string(r))
            rc = lw_bpe_add_merge(b, json_string_value(l), json_string_length(l),
                                  json_string_value(r), json_string_length(r), i + 1, err);
        else
            rc = lw_fail(err, LW_EDATA, "%s: merge %zu is not a pair of tokens", name, i + 1);
        if (rc)
            return rc;
    }
    return 0;
}

int lw_bpe_parse_json(struct lw_tokenizer *t, const char *text, size_t size, const char *name,
                      struct lw_error *err)
{
    struct lw_bpe_builder *b = NULL;
    json_t *root = load(text, size, name, err), *model, *vocab, *merges;
    int rc;

    if (!root)
        return LW_EDATA;
    model = json_object_get(root, "model");
    vocab = json_object_get(model, "vocab");
    merges = json_object_get(model, "merges");
    rc = check_kind(root, model, name, err);
    if (!rc && (!json_is_object(vocab) || !json_is_array(merges)))
        rc = lw_fail(err, LW_EDATA, "%s has no model.%s", name,
                     json_is_object(vocab) ? "merges" : "vocab");
    if (!rc)
        rc = lw_bpe_builder_new(&b, t, name, name, err);
    if (!rc)
        rc = add_tokens(b, vocab, name, err);
    if (!rc)
        rc = add_specials(b, json_object_get(root, "added_tokens"), name, err);
    if (!rc)
        rc = lw_bpe_seal_tokens(b, err);
    if (!rc)
        rc = add_merge_list(b, merges, name, err);
    if (!rc)
        rc = lw_bpe_finish(b, err);
    lw_bpe_builder_free(b);
    json_decref(root);
    return rc;
}

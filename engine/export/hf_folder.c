/* SPDX-License-Identifier: MIT */
#include "engine/export/hf_folder.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"

#define CONFIG_MAX (1 << 20)
#define SEPARATOR  "<|endoftext|>"

static int save_json(const char *folder, const char *name, const json_t *root, struct lw_error *err)
{
    char *path = lw_path_join(folder, name), *line = NULL;
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    int rc = 0;

    if (!path || !text || asprintf(&line, "%s\n", text) < 0)
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", folder);
    else
        rc = lw_replace_file(path, line, strlen(line), 1, err);
    free(line);
    free(text);
    free(path);
    return rc;
}

static json_t *load_config(const char *folder, struct lw_error *err)
{
    char *path = lw_path_join(folder, "config.json"), *text = NULL;
    json_t *root = NULL;
    json_error_t why;
    size_t size;

    if (!path)
        lw_fail(err, LW_EMEM, "out of memory reading %s", folder);
    else if (!lw_read_file(path, CONFIG_MAX, &text, &size, err) &&
             !(root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why)))
        lw_fail(err, LW_EDATA, "%s: line %d: %s", path, why.line, why.text);
    free(text);
    free(path);
    return root;
}

static int copy_one(const char *from, const char *to, const char *name, bool must,
                    struct lw_error *err)
{
    char *source = lw_path_join(from, name), *target = lw_path_join(to, name);
    int rc = 0;

    if (!source || !target)
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", to);
    else if (must || !access(source, F_OK))
        rc = lw_copy_file(source, target, err);
    free(source);
    free(target);
    return rc;
}

/* config.json, and generation_config.json from it. Where nobody knows the tokenizer, nobody knows
 * the id that ends a text. */
static int write_config(const char *folder, const char *checkpoint,
                        const struct lw_model_spec *spec, enum lw_export_ids ids,
                        struct lw_error *err)
{
    static const char *const keys[] = {"bos_token_id", "eos_token_id", NULL};
    json_t *config = load_config(checkpoint, err), *generation = NULL;
    int rc = 0;

    if (!config)
        return err->code;
    generation = json_pack("{s:b}", "_from_model_config", 1);
    for (int i = 0; generation && keys[i]; i++) {
        if (ids == LW_IDS_UNKNOWN)
            json_object_set_new(config, keys[i], json_null());
        json_object_set(generation, keys[i], json_object_get(config, keys[i]));
    }
    rc = ids == LW_IDS_UNKNOWN ? save_json(folder, "config.json", config, err)
                               : copy_one(checkpoint, folder, "config.json", true, err);
    if (!rc && !spec->classes)
        rc = save_json(folder, "generation_config.json", generation, err);
    json_decref(generation);
    json_decref(config);
    return rc;
}

/* The bytes as byte-level byte-pair encoding that never joins two of them: each byte is spelled as
 * GPT-2 does, a character that can be seen. */
static int write_bytes(const char *folder, struct lw_error *err)
{
    static const char merges[] = "#version: 0.2\n";
    char *path = lw_path_join(folder, "merges.txt");
    json_t *vocab = json_object();
    int others = 0, rc;

    for (int byte = 0; byte < 256; byte++) {
        bool seen = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
        char text[5] = "";

        text[lw_utf8_encode((uint32_t)(seen ? byte : 256 + others++), text)] = '\0';
        json_object_set_new(vocab, text, json_integer(byte));
    }
    json_object_set_new(vocab, SEPARATOR, json_integer(256));
    rc = path ? lw_replace_file(path, merges, sizeof merges - 1, 1, err)
              : lw_fail(err, LW_EMEM, "out of memory writing %s", folder);
    if (!rc)
        rc = save_json(folder, "vocab.json", vocab, err);
    json_decref(vocab);
    free(path);
    return rc;
}

static int write_tokenizer(const char *folder, const char *checkpoint, enum lw_export_ids ids,
                           int positions, bool classifier, struct lw_error *err)
{
    static const char *const files[] = {"vocab.json", "merges.txt", "tokenizer.json", NULL};
    json_t *root;
    int rc = ids == LW_IDS_BYTES ? write_bytes(folder, err) : 0;

    for (int i = 0; !rc && ids == LW_IDS_FILES && files[i]; i++)
        rc = copy_one(checkpoint, folder, files[i], false, err);
    if (rc || ids == LW_IDS_UNKNOWN)
        return rc;
    root =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:s*, s:b, s:b}", "tokenizer_class", "GPT2Tokenizer",
                  "model_max_length", positions, "bos_token", SEPARATOR, "eos_token", SEPARATOR,
                  "unk_token", SEPARATOR, "pad_token", classifier ? SEPARATOR : NULL,
                  "add_prefix_space", 0, "clean_up_tokenization_spaces", 0);
    rc = save_json(folder, "tokenizer_config.json", root, err);
    json_decref(root);
    return rc;
}

int lw_hf_folder_write(const char *folder, const char *checkpoint, const struct lw_model_spec *spec,
                       enum lw_export_ids ids, struct lw_error *err)
{
    int rc = lw_make_folders(folder, err);

    if (!rc)
        rc = copy_one(checkpoint, folder, "model.safetensors", true, err);
    if (!rc && spec->image_size) {
        rc = copy_one(checkpoint, folder, "config.json", true, err);
        return rc ? rc : copy_one(checkpoint, folder, "preprocessor_config.json", true, err);
    }
    if (!rc)
        rc = write_config(folder, checkpoint, spec, ids, err);
    if (!rc)
        rc = write_tokenizer(folder, checkpoint, ids, spec->positions, spec->classes > 0, err);
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "engine/export/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/export/safetensors_scan.h"

#define INDEX_MAX  (16 << 20) /* bytes of model.safetensors.index.json */
#define SHARDS_MAX 1000

static int add_file(struct lw_tensor_set *s, const char *folder, const char *name,
                    struct lw_error *err)
{
    struct lw_safetensors *files = realloc(s->files, (size_t)(s->file_count + 1) * sizeof *files);
    char *path = lw_path_join(folder, name);
    int rc;

    if (files)
        s->files = files;
    if (!files || !path)
        rc = lw_fail(err, LW_EMEM, "out of memory opening %s", folder);
    else if (!(rc = lw_safetensors_open(&files[s->file_count], path, err)))
        s->file_count++;
    free(path);
    return rc;
}

/* A name right in the folder: an index from elsewhere may not lead out of it. */
static bool plain_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/');
}

/* The open shard of that name, opened if need be; by number, because opening moves the array. */
static int shard(struct lw_tensor_set *s, const char *folder, const char *name, json_t *numbers,
                 int *number, struct lw_error *err)
{
    json_t *known = json_object_get(numbers, name);
    char shown[96];
    int rc;

    if (known) {
        *number = (int)json_integer_value(known);
        return 0;
    }
    if (!plain_name(name))
        return lw_fail(err, LW_EDATA,
                       "%s/model.safetensors.index.json names %s, which is not a "
                       "file of that folder",
                       folder, lw_tensor_show(name, shown));
    if (s->file_count == SHARDS_MAX)
        return lw_fail(err, LW_EDATA, "%s/model.safetensors.index.json names more than %d files",
                       folder, SHARDS_MAX);
    if ((rc = add_file(s, folder, name, err)))
        return rc;
    *number = s->file_count - 1;
    if (json_object_set_new(numbers, name, json_integer(*number)))
        return lw_fail(err, LW_EMEM, "out of memory opening %s", folder);
    return 0;
}

static int open_shards(struct lw_tensor_set *s, const char *folder, const json_t *map,
                       struct lw_error *err)
{
    json_t *numbers = json_object(), *value;
    const char *name;
    char shown[96];
    int rc = 0, number = 0;

    json_object_foreach((json_t *)map, name, value)
    {
        const char *file = json_string_value(value);

        if (!file)
            rc = lw_fail(err, LW_EDATA,
                         "%s/model.safetensors.index.json: the file of %s is not a name", folder,
                         lw_tensor_show(name, shown));
        else
            rc = shard(s, folder, file, numbers, &number, err);
        if (!rc && !lw_safetensors_find(&s->files[number], name))
            rc = lw_fail(err, LW_EDATA,
                         "%s: tensor %s is not in the file that model.safetensors.index.json says",
                         s->files[number].path, lw_tensor_show(name, shown));
        if (rc)
            break;
    }
    json_decref(numbers);
    return rc;
}

/* No name in two files: which one would count? */
static int check_doubles(const struct lw_tensor_set *s, struct lw_error *err)
{
    char shown[96];

    for (int i = 0; i < s->file_count; i++)
        for (size_t j = 0; j < s->files[i].tensors; j++) {
            const char *name = s->files[i].list[j].name;

            for (int k = 0; k < i; k++)
                if (lw_safetensors_find(&s->files[k], name))
                    return lw_fail(err, LW_EDATA, "tensor %s is in both %s and %s",
                                   lw_tensor_show(name, shown), s->files[k].path, s->files[i].path);
        }
    return 0;
}

static int open_index(struct lw_tensor_set *s, const char *folder, const char *path,
                      struct lw_error *err)
{
    json_error_t why;
    json_t *root = NULL, *map;
    char *text = NULL;
    size_t size;
    int rc = lw_read_file(path, INDEX_MAX, &text, &size, err);

    if (rc)
        return rc;
    root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!root)
        return lw_fail(err, LW_EDATA, "%s: line %d: %s", path, why.line, why.text);
    map = json_object_get(root, "weight_map");
    if (!json_is_object(map) || !json_object_size(map))
        rc = lw_fail(err, LW_EDATA, "%s: it has no weight_map", path);
    else if (!(rc = open_shards(s, folder, map, err)))
        rc = check_doubles(s, err);
    json_decref(root);
    return rc;
}

static int nothing_there(const char *folder, struct lw_error *err)
{
    char *pickle = lw_path_join(folder, "pytorch_model.bin");
    bool old = pickle && !access(pickle, F_OK);

    free(pickle);
    return lw_fail(err, LW_EDATA,
                   "%s has neither model.safetensors nor "
                   "model.safetensors.index.json%s",
                   folder,
                   old ? "; pytorch_model.bin is a pickle and not read: save the model as "
                         "safetensors"
                       : "");
}

int lw_tensor_set_open(struct lw_tensor_set *s, const char *folder, struct lw_error *err)
{
    char *one = lw_path_join(folder, "model.safetensors");
    char *index = lw_path_join(folder, "model.safetensors.index.json");
    int rc;

    *s = (struct lw_tensor_set){0};
    if (!one || !index)
        rc = lw_fail(err, LW_EMEM, "out of memory opening %s", folder);
    else if (!access(one, F_OK))
        rc = add_file(s, folder, "model.safetensors", err);
    else if (!access(index, F_OK))
        rc = open_index(s, folder, index, err);
    else
        rc = nothing_there(folder, err);
    free(one);
    free(index);
    if (rc)
        lw_tensor_set_close(s);
    return rc;
}

void lw_tensor_set_close(struct lw_tensor_set *s)
{
    for (int i = 0; i < s->file_count; i++)
        lw_safetensors_close(&s->files[i]);
    free(s->files);
    *s = (struct lw_tensor_set){0};
}

const struct lw_tensor *lw_tensor_set_find(const struct lw_tensor_set *s, const char *name)
{
    for (int i = 0; i < s->file_count; i++) {
        const struct lw_tensor *t = lw_safetensors_find(&s->files[i], name);

        if (t)
            return t;
    }
    return NULL;
}

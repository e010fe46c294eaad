/* SPDX-License-Identifier: MIT
 *
 * SHA-256 of what a bundle was made from and holds. doc/INTEROP.md says how sha256sum gives the
 * same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/files.h"
#include "engine/export/sha256.h"
#include "engine/train/bundle.h"
#include "engine/train/checkpoint.h"

#define FILES_MAX 100                  /* of a folder that are listed one by one */
#define SAY_FROM  ((int64_t)256 << 20) /* bytes of data whose hashing is announced */

/* The line that sha256sum prints of a file: it begins with a backslash where the name holds one, or
 * a line break. */
static void print_line(FILE *out, const char *digest, const char *name)
{
    bool odd = strpbrk(name, "\\\n\r") != NULL;

    fprintf(out, "%s%s  ", odd ? "\\" : "", digest);
    for (; *name; name++)
        if (*name == '\\')
            fputs("\\\\", out);
        else if (*name == '\n')
            fputs("\\n", out);
        else if (*name == '\r')
            fputs("\\r", out);
        else
            fputc(*name, out);
    fputc('\n', out);
}

/* One after the other; the lines that sha256sum would print of them go to `lines`. */
static int hash_files(const struct lw_files *f, size_t prefix, json_t *each, FILE *lines,
                      struct lw_error *err)
{
    char digest[LW_SHA256_TEXT];

    for (size_t i = 0; i < f->count; i++) {
        const char *name = f->path[i] + prefix;
        int rc = lw_sha256_file(f->path[i], digest, err);

        if (rc)
            return rc;
        print_line(lines, digest, name);
        /* a name that is no UTF-8 is in the digest of all alone */
        if (each)
            json_object_set_new(each, name, json_string(digest));
    }
    return 0;
}

static int64_t bytes_of(const struct lw_files *f)
{
    int64_t bytes = 0;
    struct stat st;

    for (size_t i = 0; i < f->count; i++)
        bytes += stat(f->path[i], &st) ? 0 : st.st_size;
    return bytes;
}

static json_t *describe(struct lw_export *e, const char *path, const struct lw_files *f,
                        struct lw_error *err)
{
    const int64_t bytes = bytes_of(f);
    json_t *each = f->folder && f->count <= FILES_MAX ? json_object() : NULL, *out = NULL;
    char digest[LW_SHA256_TEXT] = "", *text = NULL;
    size_t prefix = strlen(path), size = 0;
    FILE *lines = open_memstream(&text, &size);
    int rc = lines ? 0 : lw_fail(err, LW_EMEM, "out of memory");

    while (f->folder && f->count && f->path[0][prefix] == '/')
        prefix++;
    if (bytes >= SAY_FROM)
        lw_export_say(e, "hashing the data: %s, %.1f GB", path, (double)bytes * 1e-9);
    if (!rc)
        rc = hash_files(f, prefix, each, lines, err);
    if (lines && fclose(lines) && !rc)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    if (!rc && f->folder)
        rc = lw_sha256(text, size, digest, err);
    else if (!rc)
        snprintf(digest, sizeof digest, "%.64s", *text == '\\' ? text + 1 : text);
    if (!rc)
        out = json_pack("{s:s, s:I, s:I}", "sha256", digest, "files", (json_int_t)f->count, "bytes",
                        (json_int_t)bytes);
    if (out && each)
        json_object_set(out, "sha256_of_files", each);
    json_decref(each);
    free(text);
    return out;
}

/* Data as it lies there now. */
static json_t *hash_data(struct lw_export *e, const char *path, struct lw_error *err)
{
    struct lw_files f;
    json_t *out;

    if (lw_files_list(&f, path, err))
        return NULL;
    out = describe(e, path, &f, err);
    lw_files_free(&f);
    return out;
}

static json_t *hash_one(const char *folder, const char *name, struct lw_error *err)
{
    char *path = lw_path_join(folder, name), digest[LW_SHA256_TEXT];
    json_t *out = path && !lw_sha256_file(path, digest, err) ? json_string(digest) : NULL;

    free(path);
    return out;
}

/* The hash, or null and why. */
static void put(struct lw_export *e, json_t *hashes, json_t *missing, const char *name,
                json_t *value, const struct lw_error *err)
{
    char key[80];

    if (!value) {
        snprintf(key, sizeof key, "hash of %s", name);
        json_object_set_new(missing, key, json_string(err->text));
        lw_export_say(e, "%s is missing: %s", key, err->text);
    }
    json_object_set_new(hashes, name, value ? value : json_null());
}

static void add_data(struct lw_export *e, json_t *hashes, json_t *missing)
{
    struct lw_error err = {0};

    if (e->config.data)
        put(e, hashes, missing, "data", hash_data(e, e->config.data, &err), &err);
    else
        json_object_set_new(hashes, "data", json_string("built in"));
    if (e->config.validation_data)
        put(e, hashes, missing, "validation_data", hash_data(e, e->config.validation_data, &err),
            &err);
}

json_t *lw_bundle_hashes(struct lw_export *e, const char *folder, json_t *missing)
{
    static const char *const written[] = {"artifacts/model.safetensors", "artifacts/model.onnx",
                                          "artifacts/model.onnx.data"};
    json_t *hashes = json_object();
    char digest[LW_SHA256_TEXT];
    struct lw_error err = {0};

    if (lw_sha256("", 0, digest, &err)) { /* one word for all of them */
        put(e, hashes, missing, "data and checkpoint", NULL, &err);
        return hashes;
    }
    json_object_set_new(hashes, "algorithm", json_string("SHA-256"));
    add_data(e, hashes, missing);
    put(e, hashes, missing, "checkpoint", hash_one(e->checkpoint, LW_CHECKPOINT_MODEL, &err), &err);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        char *path = lw_path_join(folder, written[i]);

        if (path && !access(path, F_OK))
            put(e, hashes, missing, written[i], hash_one(folder, written[i], &err), &err);
        free(path);
    }
    return hashes;
}

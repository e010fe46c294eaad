/* SPDX-License-Identifier: MIT */
#include "engine/export/safetensors.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"

struct lw_safetensors_writer {
    char *path, *aside;
    int fd;
    FILE *header; /* grows the JSON text in memory */
    char *text;
    size_t text_size;
    FILE *notes;
    char *notes_text;
    size_t notes_size;
    bool format;    /* a note says it */
    uint64_t bytes; /* declared so far */
    uint64_t left;  /* not written yet */
    bool begun;
};

static int no_memory(const struct lw_safetensors_writer *w, struct lw_error *err)
{
    return lw_fail(err, LW_EMEM, "out of memory writing %s", w ? w->path : "a model");
}

int lw_safetensors_writer_new(struct lw_safetensors_writer **out, const char *path,
                              struct lw_error *err)
{
    struct lw_safetensors_writer *w = calloc(1, sizeof *w);

    *out = NULL;
    if (!w)
        return no_memory(NULL, err);
    w->fd = -1;
    w->path = strdup(path);
    if (asprintf(&w->aside, "%s.%ld.tmp", path, (long)getpid()) < 0)
        w->aside = NULL;
    w->header = open_memstream(&w->text, &w->text_size);
    w->notes = open_memstream(&w->notes_text, &w->notes_size);
    if (!w->path || !w->aside || !w->header || !w->notes) {
        lw_safetensors_writer_free(w);
        return no_memory(NULL, err);
    }
    *out = w;
    return 0;
}

static void put_string(FILE *f, const char *s)
{
    putc('"', f);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20)
            fprintf(f, "\\u%04x", c);
        else
            putc(c, f);
    }
    putc('"', f);
}

int lw_safetensors_declare(struct lw_safetensors_writer *w, const char *name, enum lw_dtype type,
                           int rank, const int64_t *shape, struct lw_error *err)
{
    uint64_t bytes = lw_dtype_size(type);

    putc(',', w->header); /* after __metadata__, which comes first */
    put_string(w->header, name);
    fprintf(w->header, ":{\"dtype\":\"%s\",\"shape\":[", lw_dtype_name(type));
    for (int i = 0; i < rank; i++) {
        fprintf(w->header, "%s%lld", i ? "," : "", (long long)shape[i]);
        bytes *= (uint64_t)shape[i];
    }
    fprintf(w->header, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)w->bytes,
            (unsigned long long)(w->bytes + bytes));
    w->bytes += bytes;
    return ferror(w->header) ? no_memory(w, err) : 0;
}

int lw_safetensors_set_note(struct lw_safetensors_writer *w, const char *key, const char *value,
                            struct lw_error *err)
{
    w->format |= !strcmp(key, "format");
    if (ftell(w->notes) > 0)
        putc(',', w->notes);
    put_string(w->notes, key);
    putc(':', w->notes);
    put_string(w->notes, value);
    return ferror(w->notes) ? no_memory(w, err) : 0;
}

static int cannot_write(const struct lw_safetensors_writer *w, struct lw_error *err)
{
    return lw_fail_errno(err, "cannot write %s", w->path);
}

/* The length, the notes, the tensors, and blanks so that the data begins at a multiple of 8. */
static int write_header(struct lw_safetensors_writer *w, struct lw_error *err)
{
    static const char open[] = "{\"__metadata__\":{", close[] = "}";
    const size_t size =
        sizeof open - 1 + w->notes_size + sizeof close - 1 + w->text_size + sizeof close - 1;
    const size_t padded = (size + 7) / 8 * 8;
    unsigned char length[8];

    if (padded > LW_TENSOR_HEADER_MAX)
        return lw_fail(err, LW_EDATA, "cannot write %s: too many tensors for one file", w->path);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(padded >> 8 * i & 0xff);
    if (lw_write_all(w->fd, length, 8) || lw_write_all(w->fd, open, sizeof open - 1) ||
        lw_write_all(w->fd, w->notes_text, w->notes_size) ||
        lw_write_all(w->fd, close, sizeof close - 1) ||
        lw_write_all(w->fd, w->text, w->text_size) ||
        lw_write_all(w->fd, close, sizeof close - 1) ||
        lw_write_all(w->fd, "       ", padded - size))
        return cannot_write(w, err);
    return 0;
}

int lw_safetensors_begin(struct lw_safetensors_writer *w, struct lw_error *err)
{
    int rc = w->format ? 0 : lw_safetensors_set_note(w, "format", "pt", err);

    if (rc)
        return rc;
    if (fflush(w->header) || fflush(w->notes))
        return no_memory(w, err);
    w->fd = open(w->aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (w->fd < 0)
        return cannot_write(w, err);
    w->begun = true;
    w->left = w->bytes;
    return write_header(w, err);
}

int lw_safetensors_write(struct lw_safetensors_writer *w, const void *data, size_t bytes,
                         struct lw_error *err)
{
    if (bytes > w->left)
        return lw_fail(err, LW_EDATA, "cannot write %s: more data than was declared", w->path);
    if (lw_write_all(w->fd, data, bytes))
        return cannot_write(w, err);
    w->left -= bytes;
    return 0;
}

int lw_safetensors_finish(struct lw_safetensors_writer *w, struct lw_error *err)
{
    char *copy;
    int rc, fd = w->fd;

    if (w->left)
        return lw_fail(err, LW_EDATA, "cannot write %s: less data than was declared", w->path);
    if (fsync(fd) < 0)
        return cannot_write(w, err);
    w->fd = -1;
    if (close(fd) < 0 || rename(w->aside, w->path) < 0)
        return cannot_write(w, err);
    w->begun = false;
    if (!(copy = strdup(w->path)))
        return no_memory(w, err);
    rc = lw_sync_folder(dirname(copy), err);
    free(copy);
    return rc;
}

void lw_safetensors_writer_free(struct lw_safetensors_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->begun)
        unlink(w->aside);
    if (w->header)
        fclose(w->header);
    if (w->notes)
        fclose(w->notes);
    free(w->text);
    free(w->notes_text);
    free(w->path);
    free(w->aside);
    free(w);
}

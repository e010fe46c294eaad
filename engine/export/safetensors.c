/* SPDX-License-Identifier: MIT */
#include "engine/export/safetensors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/export/safetensors_scan.h"

static int by_place(const void *a, const void *b)
{
    const struct lw_tensor *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct lw_tensor *const *)a)->name,
                  (*(const struct lw_tensor *const *)b)->name);
}

/* The tensors must cover the data from its first byte to its last, each byte once. */
static int place(struct lw_safetensors *s, const char *data, size_t size, struct lw_error *err)
{
    uint64_t at = 0;
    char shown[96];

    if (s->tensors)
        qsort(s->list, s->tensors, sizeof *s->list, by_place);
    for (size_t i = 0; i < s->tensors; i++) {
        struct lw_tensor *t = &s->list[i];

        lw_tensor_show(t->name, shown);
        if (t->begin != at)
            return lw_fail(err, LW_EDATA, "%s: tensor %s %s", s->path, shown,
                           t->begin < at ? "overlaps another"
                                         : "leaves a gap in the data before it");
        if (t->bytes > size - at)
            return lw_fail(err, LW_EDATA,
                           "%s: tensor %s ends beyond the file, which may have been cut short",
                           s->path, shown);
        t->data = data + at;
        at += t->bytes;
    }
    if (at != size)
        return lw_fail(err, LW_EDATA, "%s: %llu bytes of data belong to no tensor", s->path,
                       (unsigned long long)(size - at));
    return 0;
}

static int index_names(struct lw_safetensors *s, struct lw_error *err)
{
    char shown[96];

    if (!s->tensors)
        return 0;
    if (!(s->by_name = malloc(s->tensors * sizeof *s->by_name)))
        return lw_fail(err, LW_EMEM, "out of memory reading the header of %s", s->path);
    for (size_t i = 0; i < s->tensors; i++)
        s->by_name[i] = &s->list[i];
    qsort(s->by_name, s->tensors, sizeof *s->by_name, by_name);
    for (size_t i = 1; i < s->tensors; i++)
        if (!strcmp(s->by_name[i - 1]->name, s->by_name[i]->name))
            return lw_fail(err, LW_EDATA, "%s: tensor %s is there twice", s->path,
                           lw_tensor_show(s->by_name[i]->name, shown));
    return 0;
}

static int parse(struct lw_safetensors *s, const void *bytes, size_t size, struct lw_error *err)
{
    const unsigned char *b = bytes;
    uint64_t header = 0;
    int rc;

    if (size < 8)
        return lw_fail(err, LW_EDATA, "%s: not a safetensors file: only %zu bytes", s->path, size);
    for (int i = 7; i >= 0; i--)
        header = header << 8 | b[i];
    if (header > LW_TENSOR_HEADER_MAX)
        return lw_fail(err, LW_EDATA,
                       "%s: not a safetensors file: a header of %llu bytes is beyond the limit of "
                       "%d",
                       s->path, (unsigned long long)header, LW_TENSOR_HEADER_MAX);
    if (header > size - 8)
        return lw_fail(err, LW_EDATA,
                       "%s: the header should have %llu bytes, but the file ends before: it may "
                       "have been cut short",
                       s->path, (unsigned long long)header);
    if ((rc = lw_safetensors_scan(s, (const char *)b + 8, (size_t)header, err)))
        return rc;
    if ((rc = place(s, (const char *)b + 8 + header, size - 8 - (size_t)header, err)))
        return rc;
    return index_names(s, err);
}

int lw_safetensors_parse(struct lw_safetensors *s, const char *path, const void *bytes, size_t size,
                         struct lw_error *err)
{
    int rc;

    *s = (struct lw_safetensors){.path = strdup(path)};
    rc = s->path ? parse(s, bytes, size, err) : lw_fail(err, LW_EMEM, "out of memory");
    if (rc)
        lw_safetensors_close(s);
    return rc;
}

/* Map a regular file; *map is NULL for an empty one. */
static int map_file(const char *path, void **map, size_t *size, struct lw_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    struct stat st;

    *map = NULL;
    *size = 0;
    if (fd < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) < 0) {
        rc = lw_fail_errno(err, "cannot read %s", path);
    } else if (!S_ISREG(st.st_mode)) {
        rc = lw_fail(err, LW_EDATA, "%s is not a file", path);
    } else if (st.st_size > 0) {
        *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (*map == MAP_FAILED) {
            *map = NULL;
            rc = lw_fail_errno(err, "cannot map %s", path);
        } else {
            *size = (size_t)st.st_size;
        }
    }
    close(fd);
    return rc;
}

int lw_safetensors_open(struct lw_safetensors *s, const char *path, struct lw_error *err)
{
    size_t size;
    void *map;
    int rc = map_file(path, &map, &size, err);

    *s = (struct lw_safetensors){0};
    if (rc)
        return rc;
    rc = lw_safetensors_parse(s, path, map ? map : "", size, err);
    if (rc && map)
        munmap(map, size);
    if (rc)
        return rc;
    s->map = map;
    s->map_bytes = size;
    return 0;
}

void lw_safetensors_close(struct lw_safetensors *s)
{
    if (s->map)
        munmap(s->map, s->map_bytes);
    free(s->list);
    free(s->notes);
    free(s->by_name);
    free(s->text);
    free(s->path);
    *s = (struct lw_safetensors){0};
}

const struct lw_tensor *lw_safetensors_find(const struct lw_safetensors *s, const char *name)
{
    struct lw_tensor wanted = {.name = name};
    const struct lw_tensor *key = &wanted, *const * found;

    if (!s->tensors)
        return NULL;
    found = bsearch(&key, s->by_name, s->tensors, sizeof *s->by_name, by_name);
    return found ? *found : NULL;
}

const char *lw_safetensors_note(const struct lw_safetensors *s, const char *key)
{
    for (size_t i = 0; i < s->note_count; i++)
        if (!strcmp(s->notes[i].key, key))
            return s->notes[i].value;
    return NULL;
}

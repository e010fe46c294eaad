/* SPDX-License-Identifier: MIT */
#include "engine/data/images_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lw_items_store *lw_image_parts_new(const struct lw_items_kind *kind, size_t files,
                                          const char *path, struct lw_error *err)
{
    struct lw_items_store *s = lw_items_store_new(kind, err);
    struct lw_image_parts *own = calloc(1, sizeof *own);

    if (s && own && (s->path = strdup(path)) && (own->part = calloc(files, sizeof *own->part))) {
        s->own = own;
        return s;
    }
    free(own);
    lw_items_store_release(s);
    lw_fail(err, LW_EMEM, "out of memory opening %s", path);
    return NULL;
}

void lw_image_parts_close(void *own)
{
    struct lw_image_parts *all = own;

    for (int i = 0; all && i < all->parts; i++) {
        if (all->part[i].fd >= 0)
            close(all->part[i].fd);
        free(all->part[i].path);
    }
    if (all)
        free(all->part);
    free(all);
}

struct lw_image_part *lw_image_parts_add(struct lw_items_store *s, const char *path,
                                         struct lw_error *err)
{
    struct lw_image_parts *own = s->own;
    struct lw_image_part *p = &own->part[own->parts];

    *p = (struct lw_image_part){.path = strdup(path), .fd = -1, .first = s->info.items};
    if (!p->path) {
        lw_fail(err, LW_EMEM, "out of memory opening %s", path);
        return NULL;
    }
    own->parts++;
    return p;
}

int lw_image_parts_grow(struct lw_items_store *s, struct lw_image_part *p, int64_t count,
                        struct lw_error *err)
{
    int32_t *grown = realloc(s->label, ((size_t)(p->first + count) + 1) * sizeof *grown);

    if (!grown)
        return lw_fail(err, LW_EMEM, "out of memory for labels");
    s->label = grown;
    p->count = count;
    s->info.items = p->first + count;
    return 0;
}

const struct lw_image_part *lw_image_parts_find(const struct lw_items_store *s, int64_t i)
{
    const struct lw_image_part *p = ((const struct lw_image_parts *)s->own)->part;

    while (i >= p->first + p->count)
        p++;
    return p;
}

int lw_image_label_check(const char *path, int label, int64_t i, int classes, struct lw_error *err)
{
    if (label < classes)
        return 0;
    return lw_fail(err, LW_EDATA,
                   "%s: label %d of image %lld is out of range: there are %d classes", path, label,
                   (long long)i, classes);
}

/* SPDX-License-Identifier: MIT
 *
 * Notes of batches, made in a loader's thread. */
#include <stdlib.h>

#include "engine/drift/windows.h"
#include "engine/train/drift_internal.h"

int lw_drift_note_make(struct lw_drift_watch *w, void **note, struct lw_error *err)
{
    struct lw_profile_options o = w->o.profile;
    struct lw_profile *p = calloc(1, sizeof *p);
    int rc;

    if (!p)
        return lw_fail(err, LW_EMEM, "out of memory");
    o.sparse = true;
    o.limit = 0;
    rc = lw_profile_init(p, &o, err);
    if (rc)
        free(p);
    else
        *note = p;
    return rc;
}

void lw_drift_note_drop(void *note)
{
    lw_profile_fini(note);
    free(note);
}

int lw_drift_note_images(void *note, const struct lw_images *images, const int32_t *labels,
                         struct lw_error *err)
{
    struct lw_profile *p = note;
    int rc;

    lw_profile_clear(p);
    rc = lw_profile_images(p, images, err);
    for (size_t i = 0; labels && !rc && i < images->count; i++)
        rc = lw_profile_outputs(p, LW_OUTPUT_LABELS, labels + i, 1, err);
    return rc;
}

static int make(void *user, void **note, struct lw_error *err)
{
    return lw_drift_note_make(user, note, err);
}

static int fill(void *user, void *note, const struct lw_batch *b, const struct lw_dataset *data,
                struct lw_error *err)
{
    int rc = 0;

    (void)user;
    lw_profile_clear(note);
    for (int row = 0; !rc && row < b->rows; row++)
        if (b->position[row] >= 0)
            rc = lw_profile_window(note, data, b->position[row],
                                   b->tokens + (size_t)row * (size_t)b->length, (size_t)b->length,
                                   err);
    return rc;
}

/* Items of classes: images as they were before anything was done to them, or texts, each of which
 * is a document; and their labels. What pads an evaluation's last batch comes last. */
static int fill_items(void *user, void *note, const struct lw_batch *b,
                      const struct lw_dataset *data, struct lw_error *err)
{
    struct lw_images images = {.pixels = b->raw,
                               .channels = 3,
                               .height = b->side,
                               .width = b->side,
                               .bytes = 1,
                               .planar = true};
    struct lw_profile *p = note;
    int rc = 0;

    (void)user;
    (void)data;
    while (images.count < (size_t)b->rows && b->position[images.count] >= 0)
        images.count++;
    if (b->side)
        return lw_drift_note_images(note, &images, b->targets, err);
    lw_profile_clear(p);
    for (size_t row = 0; !rc && row < images.count; row++) {
        const int32_t *ids = b->tokens + row * (size_t)b->length;
        size_t n = (size_t)b->length;

        while (n && ids[n - 1] == b->padding)
            n--;
        rc = lw_profile_document(p, ids, n, err);
        if (!rc)
            rc = lw_profile_outputs(p, LW_OUTPUT_LABELS, b->targets + row, 1, err);
    }
    return rc;
}

struct lw_loader_notes lw_drift_items_notes(struct lw_drift_watch *w)
{
    return (struct lw_loader_notes){
        .make = make, .fill = fill_items, .drop = lw_drift_note_drop, .user = w};
}

struct lw_loader_notes lw_drift_text_notes(struct lw_drift_watch *w)
{
    return (struct lw_loader_notes){
        .make = make, .fill = fill, .drop = lw_drift_note_drop, .user = w};
}

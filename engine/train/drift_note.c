/* SPDX-License-Identifier: MIT
 *
 * Notes of batches, made in a loader's thread. */
#include <stdlib.h>
#include <string.h>

#include "engine/drift/windows.h"
#include "engine/train/drift_internal.h"

#define DOCUMENT ((size_t)1 << 16) /* tokens of a generated one that are looked at beyond a batch  \
                                    */

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

/* Of a batch of generated text, which goes on where the one before ended: the documents that begin
 * in it, whole, so that each is one unit and none is in two batches. */
static int fill_whole(struct lw_profile *note, const struct lw_dataset *data, int64_t start,
                      const int32_t *ids, size_t n, struct lw_error *err)
{
    const int32_t separator = lw_dataset_info(data)->separator;
    int32_t *whole = malloc((n + DOCUMENT) * sizeof *whole), before = separator;
    size_t from = 0, end = n;
    int rc = whole ? 0 : lw_fail(err, LW_EMEM, "out of memory");

    if (!rc && start)
        rc = lw_dataset_read(data, start - 1, 1, &before, err);
    while (before != separator && from < n)
        before = ids[from++];
    if (!rc && from < n) {
        memcpy(whole, ids, n * sizeof *whole);
        while (!rc && whole[end - 1] != separator && end < n + DOCUMENT)
            if (!(rc = lw_dataset_read(data, start + (int64_t)end, 1, whole + end, err)))
                end++;
        if (!rc)
            rc =
                lw_profile_window(note, data, start + (int64_t)from, whole + from, end - from, err);
    }
    free(whole);
    return rc;
}

/* Windows that follow each other in the data, as all do that nothing shuffles, are one: what they
 * have of one document is one unit. As units of their own its parts would seem independent, and an
 * alarm be raised about nothing. */
static int fill(void *user, void *note, const struct lw_batch *b, const struct lw_dataset *data,
                struct lw_error *err)
{
    const bool endless = lw_dataset_info(data)->endless;
    int rc = 0, end;

    (void)user;
    lw_profile_clear(note);
    for (int row = 0; !rc && row < b->rows; row = end) {
        end = row + 1;
        if (b->position[row] < 0)
            continue;
        while (end < b->rows && b->position[end] == b->position[end - 1] + b->length)
            end++;
        rc = (endless ? fill_whole : lw_profile_window)(
            note, data, b->position[row], b->tokens + (size_t)row * (size_t)b->length,
            (size_t)(end - row) * (size_t)b->length, err);
    }
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

/* SPDX-License-Identifier: MIT
 *
 * A rank's data where items have classes: images, or texts. */
#include <inttypes.h>
#include <string.h>

#include "engine/model/hf_vit.h"
#include "engine/train/device.h"
#include "engine/train/rank.h"

/* Generated items to validate on: a tenth of a percent of accuracy each. */
#define GENERATED_VALIDATION 1000
#define GENERATED_EPOCH      4096

static enum lw_items_shift shift_of(const struct lw_config *c)
{
    switch ((enum lw_config_shift)c->shift) {
    case LW_CONFIG_SHIFT_BRIGHTNESS:
        return LW_ITEMS_BRIGHTER;
    case LW_CONFIG_SHIFT_CLASSES:
        return LW_ITEMS_CLASSES;
    case LW_CONFIG_SHIFT_LENGTH:
        return LW_ITEMS_LONGER;
    case LW_CONFIG_SHIFT_VOCABULARY:
        return LW_ITEMS_NEW_WORDS;
    case LW_CONFIG_SHIFT_NONE:
        break;
    }
    return LW_ITEMS_STEADY;
}

static void say_items(struct lw_rank *r, const char *what, const struct lw_items *d)
{
    const struct lw_items_info *i = lw_items_info(d);
    char size[32] = "";

    if (i->image_size)
        snprintf(size, sizeof size, " of %d x %d pixels", i->image_size, i->image_size);
    lw_events_add(r->events, LW_EVENT_INFO, "%s: %s (%s), %" PRId64 " %s%s%s, %d classes", what,
                  i->path         ? i->path
                  : i->image_size ? "generated images"
                                  : "generated texts",
                  i->format, i->items, i->image_size ? "images" : "texts", size,
                  i->endless ? " an epoch" : "", i->classes);
    if (i->note && i->note[0])
        lw_events_add(r->events, LW_EVENT_WARN, "%s: %s", what, i->note);
}

/* The side that a model which is gone on with takes. */
static int size_of_model(const struct lw_config *c, int *side, struct lw_error *err)
{
    struct lw_model_spec spec;
    bool normalised;
    int rc;

    *side = c->image_size;
    if (!c->init_from)
        return 0;
    rc = lw_hf_vit_spec(c->init_from, &spec, &normalised, err);
    if (!rc && *side && *side != spec.image_size)
        return lw_fail(err, LW_EUSAGE,
                       "image_size: %s was made for images of %d pixels, not %d: leave image_size "
                       "out",
                       c->init_from, spec.image_size, *side);
    *side = spec.image_size;
    return rc;
}

/* What "true" means for these images. */
static int settle_augment(struct lw_rank *r, struct lw_error *err)
{
    const struct lw_items_info *info = lw_items_info(r->train_items);
    const bool flip = info->bears & LW_AUGMENT_FLIP;

    if (r->config.augment != LW_CONFIG_AUGMENT_AUTO)
        return 0;
    lw_events_add(r->events, LW_EVENT_INFO, "augment: %s%s", flip ? "crop+flip" : "crop",
                  flip ? "" : ", for what IDX files hold often has no mirror image: digits, letters");
    return lw_config_change(&r->config, "augment", flip ? "crop+flip" : "crop",
                            flip ? "true" : "true, for IDX", err);
}

int lw_rank_open_items(struct lw_rank *r, struct lw_error *err)
{
    const struct lw_config *c = &r->config;
    struct lw_items_options o = {
        .data = c->data,
        .validation_data = c->validation_data,
        .validation_split = c->validation_split,
        .seed = (uint64_t)c->random_seed,
        .classes = c->num_classes,
        .length = c->max_seq_len,
        .threads = lw_device_threads(c, r->ranks),
        .epoch_items = GENERATED_EPOCH,
        .validation_items = GENERATED_VALIDATION,
        .shift = shift_of(c),
        .shift_from = lw_rank_shift_from(r, 1),
    };
    const struct lw_items_info *info;
    int rc;

    if (lw_config_is_vision(c)) {
        if (!(rc = size_of_model(c, &o.image_size, err)))
            rc = lw_images_open(&o, &r->train_items, &r->val_items, err);
    } else {
        rc = lw_texts_open(&o, r->tokenizer, &r->train_items, &r->val_items, err);
    }
    if (rc)
        return rc;
    say_items(r, "training data", r->train_items);
    if (r->val_items)
        say_items(r, "validation data", r->val_items);
    info = lw_items_info(r->train_items);
    r->data = (struct lw_rank_data){.path = info->path,
                                    .format = info->format,
                                    .unit = info->image_size ? "images" : "texts",
                                    .hash = info->hash,
                                    .bytes = info->bytes,
                                    .count = info->items,
                                    .endless = info->endless,
                                    .vocabulary = info->vocab_size,
                                    .image_size = info->image_size,
                                    .classes = info->classes,
                                    .labels = info->labels,
                                    .padding = info->padding};
    return info->image_size ? settle_augment(r, err) : 0;
}

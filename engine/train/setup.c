/* SPDX-License-Identifier: MIT
 *
 * From a configuration to a device, data, a model and a plan. */
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/data/tokenizer.h"
#include "engine/model/hf_gpt2.h"
#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"
#include "engine/train/device.h"
#include "engine/train/plan.h"
#include "engine/train/rank.h"

/* Tokens of built-in text to validate on: enough for two digits of the loss, and soon read. */
#define GENERATED_VALIDATION 16384

#define GPU_LOOK_S 1.0 /* between two samples of the card */

static void tell_gpu(void *context, bool warn, const char *text)
{
    lw_events_add(context, warn ? LW_EVENT_WARN : LW_EVENT_INFO, "%s", text);
}

/* Telemetry is welcome, not needed: a run without it has empty cells. */
static void watch_gpu(struct lw_rank *r)
{
    struct lw_error why;

    if (!r->rank && r->info.pci[0] &&
        lw_gpu_watch_start(&r->gpu, r->info.pci, GPU_LOOK_S, tell_gpu, r->events, &why))
        lw_events_add(r->events, LW_EVENT_INFO, "%s", why.text);
}

int lw_rank_open_device(struct lw_rank *r, struct lw_error *err)
{
    struct lw_notes notes;
    int rc = lw_device_open(&r->config, r->comm ? lw_comm_local_rank(r->comm) : 0,
                            r->comm ? lw_comm_local_size(r->comm) : 1, &r->backend, &r->device,
                            &notes, err);

    if (rc)
        return rc;
    for (int i = 0; i < notes.count; i++)
        lw_events_add(r->events, LW_EVENT_WARN, "%s", notes.line[i]);
    r->backend->info(r->device, &r->info);
    lw_events_add(r->events, LW_EVENT_INFO, "device: %s", r->info.name);
    watch_gpu(r);
    return 0;
}

static void say_data(struct lw_rank *r, const char *what, const struct lw_dataset *d)
{
    const struct lw_dataset_info *i = lw_dataset_info(d);
    char documents[64] = "";

    if (i->documents >= 0)
        snprintf(documents, sizeof documents, ", %" PRId64 " documents", i->documents);
    lw_events_add(r->events, LW_EVENT_INFO, "%s: %s (%s), %" PRId64 " tokens%s%s%s", what,
                  i->path ? i->path : "generated text", i->format, i->tokens,
                  i->endless ? " an epoch" : "", documents,
                  i->from_cache ? ", tokens from the cache" : "");
    if (i->invalid_bytes)
        lw_events_add(r->events, LW_EVENT_WARN,
                      "%s: %" PRId64 " bytes are not valid UTF-8; they are kept as bytes", what,
                      i->invalid_bytes);
    /* of what is parted in two it is the same, and said once */
    if (i->note && i->note[0] &&
        (d == r->train_data || strcmp(i->note, lw_dataset_info(r->train_data)->note) != 0))
        lw_events_add(r->events, LW_EVENT_WARN, "%s: %s", what, i->note);
}

/* How many bytes each id stands for, where ids come from our tokenizer. */
static int measure_tokens(struct lw_rank *r, struct lw_error *err)
{
    int n = lw_tokenizer_vocab_size(r->tokenizer);

    if (lw_dataset_info(r->train_data)->shards)
        return 0;
    r->token_bytes = calloc((size_t)n, sizeof *r->token_bytes);
    if (!r->token_bytes)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (int id = 0; id < n; id++) {
        size_t bytes = 0;

        if (id != lw_tokenizer_separator(r->tokenizer) &&
            lw_tokenizer_bytes(r->tokenizer, (uint32_t)id, &bytes))
            r->token_bytes[id] = (uint16_t)(bytes < UINT16_MAX ? bytes : UINT16_MAX);
    }
    return 0;
}

int64_t lw_rank_shift_from(const struct lw_rank *r, int64_t size)
{
    const int64_t factors[] = {r->config.batch_size, r->config.gradient_accumulation_steps,
                               r->ranks, size};
    int64_t from = r->config.shift_at;

    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (__builtin_mul_overflow(from, factors[i], &from))
            return INT64_MAX;
    return from;
}

static int open_stream(struct lw_rank *r, struct lw_error *err)
{
    struct lw_config *c = &r->config;
    char *copy = strdup(r->dir), *cache = copy ? lw_path_join(dirname(copy), ".cache") : NULL;
    struct lw_data_options o = {
        .data = c->data,
        .validation_data = c->validation_data,
        .validation_split = c->validation_split,
        .read = {.document_separator = c->document_separator,
                 .cache_dir = cache,
                 .threads = lw_device_threads(c, 1)},
        .seed = (uint64_t)c->random_seed,
        .length = c->max_seq_len,
        .validation_tokens = GENERATED_VALIDATION,
        .generate = {.shift = c->shift == LW_CONFIG_SHIFT_LENGTH       ? LW_SHIFT_LENGTH
                              : c->shift == LW_CONFIG_SHIFT_VOCABULARY ? LW_SHIFT_VOCABULARY
                                                                       : LW_SHIFT_NONE,
                     .shift_from = lw_rank_shift_from(r, c->max_seq_len)},
    };
    int rc;

    if (!cache)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!(rc = lw_data_open(&o, r->tokenizer, &r->train_data, &r->val_data, err)) &&
             !(rc = measure_tokens(r, err))) {
        const struct lw_dataset_info *info = lw_dataset_info(r->train_data);

        say_data(r, "training data", r->train_data);
        if (r->val_data)
            say_data(r, "validation data", r->val_data);
        r->data = (struct lw_rank_data){.path = info->path,
                                        .format = info->format,
                                        .unit = "tokens",
                                        .hash = info->hash,
                                        .bytes = info->bytes,
                                        .count = info->tokens,
                                        .endless = info->endless,
                                        .vocabulary = info->vocab_size};
    }
    free(copy);
    free(cache);
    return rc;
}

int lw_rank_open_data(struct lw_rank *r, struct lw_error *err)
{
    int rc = r->config.init_from && !r->resumed
                 ? lw_plan_check_folder(r->config.init_from, err)
                 : 0;

    if (!rc)
        rc = lw_tokenizer_open(&r->tokenizer, r->config.tokenizer, err);
    if (rc)
        return rc;
    return lw_config_is_lm(&r->config) ? open_stream(r, err) : lw_rank_open_items(r, err);
}

/* The model's numbers: those of init_from, or the configuration's. */
static int find_spec(struct lw_rank *r, struct lw_model_spec *spec, struct lw_error *err)
{
    const struct lw_plan_data data = {.vocabulary = r->data.vocabulary,
                                      .image_size = r->data.image_size,
                                      .classes = r->data.classes,
                                      .labels = r->data.labels,
                                      .padding = r->data.padding};
    int rc;

    rc = lw_plan_spec(&r->config, &data, spec, err);
    if (rc || !r->train_data)
        return rc;
    rc = lw_dataset_check_ids(r->train_data, spec->vocabulary, err);
    if (!rc && r->val_data)
        rc = lw_dataset_check_ids(r->val_data, spec->vocabulary, err);
    return rc;
}

static int fill_model(struct lw_rank *r, struct lw_error *err)
{
    char note[256];
    int rc;

    if (r->rank) /* rank 0's come to all */
        return 0;
    if (r->resumed)
        return lw_checkpoint_load(r->resumed, r->model, err);
    if (!r->config.init_from)
        return lw_model_init(r->model, (uint64_t)r->config.random_seed, err);
    rc = lw_hf_load(r->config.init_from, r->model, (uint64_t)r->config.random_seed, note,
                    sizeof note, err);
    if (rc)
        return rc;
    if (note[0])
        lw_events_add(r->events, LW_EVENT_WARN, "%s", note);
    lw_events_add(r->events, LW_EVENT_INFO, "weights from %s", r->config.init_from);
    return 0;
}

int lw_rank_open_model(struct lw_rank *r, struct lw_error *err)
{
    struct lw_config *c = &r->config;
    struct lw_model_spec spec;
    struct lw_model_plan plan;
    int rc = find_spec(r, &spec, err);

    if (rc)
        return rc;
    lw_plan_shapes(c, r->val_data || r->val_items, &plan);
    rc = lw_plan_prepare(&r->model, &spec, &plan, r->backend, r->device, err);
    if (!rc)
        rc = fill_model(r, err);
    if (!rc)
        rc = lw_rank_share_model(r, err);
    if (rc)
        return rc;
    r->flops_per_token = lw_model_flops(&spec, c->max_seq_len);
    lw_events_add(r->events, LW_EVENT_INFO, "%s", lw_model_attention(r->model)->event);
    lw_events_add(r->events, LW_EVENT_INFO,
                  "model: %.2fM parameters, %d layers, %d heads, width %d, %s %d; %.0f MB "
                  "of memory",
                  (double)lw_model_parameters(&spec) * 1e-6, spec.layers, spec.heads, spec.channels,
                  spec.classes ? "classes" : "vocabulary",
                  spec.classes ? spec.classes : spec.vocabulary,
                  (double)lw_model_memory(r->model)->total * 1e-6);
    return 0;
}

static int open_loader(struct lw_rank *r, bool evaluation, struct lw_error *err)
{
    const struct lw_config *c = &r->config;
    struct lw_loader_options o = {.rows = c->batch_size,
                                  .length = c->max_seq_len,
                                  .rank = r->rank,
                                  .ranks = r->ranks,
                                  .shuffle = c->shuffle,
                                  .evaluation = evaluation,
                                  .augment = c->augment,
                                  .seed = (uint64_t)c->random_seed};
    struct lw_loader_notes notes = {0};
    const struct lw_loader_state *start = evaluation ? NULL : &r->state.loader;
    struct lw_loader **out = evaluation ? &r->val_loader : &r->loader;

    if (r->drift)
        notes = r->train_items ? lw_drift_items_notes(r->drift) : lw_drift_text_notes(r->drift);
    o.notes = r->drift ? &notes : NULL;
    if (r->train_items)
        return lw_loader_open_items(out, evaluation ? r->val_items : r->train_items, &o, start,
                                    err);
    return lw_loader_open(out, evaluation ? r->val_data : r->train_data, &o, start, err);
}

/* Less than a batch may be left of the epoch, where batches are larger than they were. */
static void count_steps_left(struct lw_rank *r)
{
    struct lw_loader_state *at = &r->state.loader;
    int64_t left = lw_loader_left(r->loader, at);

    if (!left) {
        *at = (struct lw_loader_state){at->epoch + 1, 0};
        left = lw_loader_batches(r->loader);
    }
    lw_steps_go_on(&r->steps, r->state.step, (uint64_t)at->epoch, (uint64_t)left);
}

int lw_rank_plan_steps(struct lw_rank *r, struct lw_error *err)
{
    struct lw_config *c = &r->config;
    int rc = open_loader(r, false, err);

    if (!rc && (r->val_data || r->val_items))
        rc = open_loader(r, true, err);
    if (!rc)
        rc = lw_steps_init(&r->steps, (uint64_t)lw_loader_batches(r->loader),
                           (uint64_t)c->gradient_accumulation_steps, (uint64_t)c->epochs,
                           (uint64_t)c->max_steps, err);
    if (rc)
        return rc;
    count_steps_left(r);
    lw_rate_init(&r->rate, (enum lw_schedule)c->lr_schedule, c->learning_rate, c->min_lr_ratio,
                 c->warmup_ratio, r->steps.total);
    r->adamw = (struct lw_adamw){.beta1 = (float)c->beta1,
                                 .beta2 = (float)c->beta2,
                                 .epsilon = (float)c->epsilon,
                                 .weight_decay = (float)c->weight_decay,
                                 .max_norm = (float)c->max_grad_norm};
    r->state.stop.patience = c->early_stopping_patience;
    r->state.stop.min_delta = c->early_stopping_min_delta;
    return 0;
}

static int change_number(struct lw_config *c, const char *field, int value, const char *why,
                         struct lw_error *err)
{
    char text[24];

    snprintf(text, sizeof text, "%d", value);
    return lw_config_change(c, field, text, why, err);
}

static int note_classifier(struct lw_config *c, const struct lw_model_spec *s, struct lw_error *err)
{
    const char *why = c->init_from ? "from init_from" : "from the data";
    int rc = 0;

    if (c->num_classes != s->classes)
        rc = change_number(c, "num_classes", s->classes, "from the data", err);
    if (rc || !s->image_size)
        return rc;
    if (c->image_size != s->image_size)
        rc = change_number(c, "image_size", s->image_size, why, err);
    if (!rc && c->patch_size != s->patch_size)
        rc = change_number(c, "patch_size", s->patch_size, why, err);
    why = c->init_from ? "from init_from, or ImageNet's" : "ImageNet's";
    return rc ? rc : lw_rank_note_normalised(c, s, why, err);
}

int lw_rank_note(struct lw_rank *r, struct lw_error *err)
{
    const struct lw_rank_data *d = &r->data;
    const struct lw_model_spec *s = lw_model_spec(r->model);
    struct lw_config *c = &r->config;
    char *path;
    int rc = lw_config_note(
        c, err, "training data: %s, %s, %" PRId64 " bytes, %" PRId64 " %s, hash %s",
        d->path ? d->path : "built in", d->format, d->bytes, d->count, d->unit, d->hash);

    if (!rc && c->init_from)
        if (!(rc = change_number(c, "d_model", s->channels, "from init_from", err)) &&
            !(rc = change_number(c, "num_layers", s->layers, "from init_from", err)) &&
            !(rc = change_number(c, "num_heads", s->heads, "from init_from", err)))
            rc = change_number(c, "d_ff", s->feed_forward, "from init_from", err);
    if (!rc && s->classes)
        rc = note_classifier(c, s, err);
    if (!rc && s->vocabulary && c->vocab_size != s->vocabulary)
        rc = change_number(c, "vocab_size", s->vocabulary,
                           c->init_from ? "from init_from" : "from the data", err);
    if (rc)
        return rc;
    path = lw_path_join(r->dir, LW_RUN_CONFIG);
    rc = path ? lw_config_save(c, path, err) : lw_fail(err, LW_EMEM, "out of memory");
    free(path);
    return rc;
}

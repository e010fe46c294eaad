/* SPDX-License-Identifier: MIT
 *
 * What the model makes of data it has not seen, in numbers and in words. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/model/sample.h"
#include "engine/train/rank.h"

#define SAMPLE_BYTES  200 /* about so much text a sample */
#define BYTES_A_TOKEN 4   /* of BPE, roughly */

static uint64_t count_bytes(const struct lw_rank *r, const struct lw_batch *b)
{
    uint64_t bytes = 0;

    for (int i = 0; i < b->rows * b->length; i++)
        if (b->targets[i] != LW_IGNORE)
            bytes += r->token_bytes[b->targets[i]];
    return bytes;
}

/* Forward over the whole set; *bytes is the text that its targets stand for. */
static int pass(struct lw_rank *r, uint64_t *bytes, struct lw_error *err)
{
    struct lw_loader_state start = {0, 0};
    const struct lw_batch *b;
    int rc = lw_loader_seek(r->val_loader, &start, err);

    *bytes = 0;
    if (!rc && r->drift)
        lw_drift_validating(r->drift);
    lw_comm_at(r->comm, LW_AT_DATA, r->state.step);
    while (!rc && !(rc = lw_loader_next(r->val_loader, &b, err)) && b) {
        lw_comm_at(r->comm, LW_AT_EVALUATION, r->state.step);
        if (r->token_bytes)
            *bytes += count_bytes(r, b);
        rc = lw_model_evaluate(r->model, b->rows, b->length, lw_batch_input(b), b->targets, NULL,
                               err);
        if (!rc && r->drift)
            rc = lw_drift_validated(r->drift, b->note, err);
        if (!rc)
            rc = lw_rank_commands(r, err);
        if (!rc && r->finishing)
            rc = LW_ESTOPPED;
        lw_comm_at(r->comm, LW_AT_DATA, r->state.step);
    }
    return rc;
}

/* Every rank saw its share of the set. */
static int add_up(struct lw_rank *r, struct lw_result *result, uint64_t *bytes,
                  struct lw_error *err)
{
    double all[] = {result->loss_sum, result->targets, result->correct, result->top5,
                    (double)*bytes};
    int rc = r->comm ? lw_comm_sum(r->comm, all, 5, err) : 0;

    result->loss_sum = all[0];
    result->targets = all[1];
    result->correct = all[2];
    result->top5 = all[3];
    *bytes = (uint64_t)all[4];
    return rc;
}

static void put_row(struct lw_rank *r, const struct lw_result *result, uint64_t bytes)
{
    double loss = r->state.val_loss;
    struct lw_metrics_row row;

    if (!r->recorder)
        return;
    lw_metrics_clear(&row);
    lw_metrics_put(&row, LW_METRIC_STEP, (double)r->state.step);
    lw_metrics_put(&row, LW_METRIC_EPOCH, r->state.epoch);
    lw_metrics_put(&row, LW_METRIC_TIME, lw_rank_time(r));
    lw_metrics_put(&row, LW_METRIC_VAL_LOSS, loss);
    if (r->val_data)
        lw_metrics_put(&row, LW_METRIC_VAL_PERPLEXITY, lw_perplexity(loss));
    lw_metrics_put(&row, LW_METRIC_VAL_ACCURACY, result->correct / result->targets);
    if (r->data.classes > 5) /* else all are among the five */
        lw_metrics_put(&row, LW_METRIC_VAL_TOP5_ACCURACY, result->top5 / result->targets);
    if (bytes)
        lw_metrics_put(&row, LW_METRIC_VAL_BITS_PER_BYTE,
                       result->loss_sum / log(2.0) / (double)bytes);
    lw_recorder_put(r->recorder, &row);
}

int lw_rank_evaluate(struct lw_rank *r, bool *better, struct lw_error *err)
{
    double start = lw_clock_now();
    struct lw_result result;
    char accuracy[40] = "";
    uint64_t bytes;
    int rc = lw_rank_drain(r, err), collected;

    *better = false;
    if (rc)
        return rc;
    rc = pass(r, &bytes, err);
    r->backend->finish(r->device);
    lw_comm_waits(r->comm, true);
    collected = r->backend->collect(r->device, true, &result, err);
    lw_comm_waits(r->comm, false);
    if (collected < 0)
        return LW_EBACKEND;
    if (!rc && r->drift)
        rc = lw_drift_validation_done(r->drift, err);
    if (rc || (rc = add_up(r, &result, &bytes, err)))
        return rc;
    r->state.val_loss = result.loss_sum / result.targets;
    *better = lw_early_stop_take(&r->state.stop, r->state.val_loss, r->state.step);
    put_row(r, &result, bytes);
    r->state.evaluated = r->state.step;
    r->evaluated = lw_rank_time(r);
    r->mark += lw_clock_now() - start;
    if (r->data.classes)
        snprintf(accuracy, sizeof accuracy, ", accuracy %.2f %%",
                 100 * result.correct / result.targets);
    lw_events_add(r->events, LW_EVENT_INFO, "step %" PRIu64 ": validation loss %.4f%s%s",
                  r->state.step, r->state.val_loss, accuracy, *better ? ", the best so far" : "");
    return 0;
}

static int keep_id(void *context, int32_t token)
{
    struct lw_ids *ids = context;

    if (ids->count < ids->capacity)
        ids->id[ids->count++] = (uint32_t)token;
    return ids->count == ids->capacity;
}

/* What the ids stand for, freed by the caller; NULL: out of memory. A model may have more ids than
 * the tokenizer, and says them before it has learned not to. */
static char *text_of(const struct lw_rank *r, const struct lw_ids *ids)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out && i < ids->count; i++) {
        size_t n = 0;
        const char *bytes = lw_tokenizer_bytes(r->tokenizer, ids->id[i], &n);

        if (bytes)
            fwrite(bytes, 1, n, out);
        else
            fputs("\xef\xbf\xbd", out); /* U+FFFD: a character that is not known */
    }
    if (out && fclose(out)) {
        free(text);
        text = NULL;
    }
    return text;
}

int lw_rank_sample(struct lw_rank *r, struct lw_error *err)
{
    double start = lw_clock_now();
    struct lw_ids prompt = {0}, ids = {0};
    struct lw_sample how = {.temperature = 0.8,
                            .top_k = 40,
                            .seed = (uint64_t)r->config.random_seed + r->state.step,
                            .stop = lw_tokenizer_separator(r->tokenizer)};
    char *text = NULL;
    int rc = lw_rank_drain(r, err);

    if (rc)
        return rc;
    lw_comm_at(r->comm, LW_AT_SAMPLE, r->state.step);
    how.tokens = SAMPLE_BYTES;
    if (strcmp(lw_tokenizer_name(r->tokenizer), "bytes") != 0)
        how.tokens /= BYTES_A_TOKEN;
    ids.capacity = (size_t)how.tokens;
    ids.id = malloc(ids.capacity * sizeof *ids.id);
    if (!ids.id)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!(rc = lw_encode_prompt(r->tokenizer, r->config.sample_prompt, &prompt, err)) &&
             !(rc = lw_sample(r->model, (const int32_t *)prompt.id, (int)prompt.count, &how,
                              keep_id, &ids, err)) &&
             !(text = text_of(r, &ids)))
        rc = lw_fail(err, LW_EMEM, "out of memory");
    if (!rc)
        lw_events_add(r->events, LW_EVENT_INFO, "sample at step %" PRIu64 ": %s%s", r->state.step,
                      r->config.sample_prompt ? r->config.sample_prompt : "", text);
    free(text);
    lw_ids_free(&prompt);
    lw_ids_free(&ids);
    r->sampled = lw_rank_time(r);
    r->mark += lw_clock_now() - start;
    return rc;
}

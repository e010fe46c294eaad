/* SPDX-License-Identifier: MIT */
#include "engine/model/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/model/model_internal.h"

/* The cached sequence: what has been read into the cache, and what comes next. */
struct sequence {
    int32_t *tokens;
    int length; /* tokens there are */
    int cached; /* of them, in the key/value cache */
};

/* Read up to LW_MODEL_CHUNK tokens into the cache; returns what the last layer made of them. */
static struct lw_block_stream extend(struct lw_model *g, const int32_t *tokens, int position,
                                     int count)
{
    const struct lw_model_buffers *b = &g->sample;
    struct lw_block_stream stream = {b->saved->s1, NULL};
    const size_t row = (size_t)g->spec.channels * b->shape.element;
    const size_t cache = (size_t)b->shape.length * row;
    const size_t wpe =
        g->params.list[g->at.wpe].offset + (size_t)position * (size_t)g->spec.channels;

    g->backend->feed(g->device, b->input, tokens, (size_t)count * sizeof *tokens);
    g->backend->embed(g->device, 1, count, g->spec.channels, b->saved->s1, b->input,
                      lw_model_weight(g, g->at.wte), lw_weight_at(&g->params, wpe),
                      lw_model_dropout(g, false, 0));
    for (int i = 0; i < g->spec.layers; i++) {
        struct lw_block_call c = lw_model_call(g, b, &b->shape, i, false);

        stream = lw_block_extend(&c, stream, b->keys + (size_t)i * cache,
                                 b->values + (size_t)i * cache, position, count);
    }
    return stream;
}

/* Logits of what comes after the sequence. */
static int predict(struct lw_model *g, struct sequence *s, float *logits, struct lw_error *err)
{
    const struct lw_model_buffers *b = &g->sample;
    const size_t row = (size_t)g->spec.channels * b->shape.element;
    struct lw_head head = lw_model_head(g, 1);
    struct lw_block_stream stream = {0};
    int count = 0, rc;

    while (s->cached < s->length) {
        count = s->length - s->cached;
        if (count > LW_MODEL_CHUNK)
            count = LW_MODEL_CHUNK;
        stream = extend(g, s->tokens + s->cached, s->cached, count);
        s->cached += count;
    }
    lw_model_last_norm(g, b, count, stream, false);
    g->backend->head_logits(g->device, &head, b->logits, (char *)b->y + (size_t)(count - 1) * row,
                            lw_model_weight(g, g->at.head_weight), NULL);
    if ((rc = g->backend->wait(g->device, err)))
        return rc;
    return g->backend->download(g->device, logits, b->logits,
                                (size_t)g->spec.vocabulary * sizeof *logits, err);
}

/* Append; of a full cache only the newer half is kept, to be read again from position 0. */
static void append(struct sequence *s, int capacity, int32_t token)
{
    if (s->length == capacity) {
        int keep = capacity / 2;

        memmove(s->tokens, s->tokens + s->length - keep, (size_t)keep * sizeof *s->tokens);
        s->length = keep;
        s->cached = 0;
    }
    s->tokens[s->length++] = token;
}

static int most_likely(const float *logits, int count)
{
    int best = 0;

    for (int i = 1; i < count; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x < y) - (x > y);
}

/* The k-th largest; `spare` has room for count. */
static float threshold(const float *logits, int count, int k, float *spare)
{
    memcpy(spare, logits, (size_t)count * sizeof *logits);
    qsort(spare, (size_t)count, sizeof *spare, descending);
    return spare[k - 1];
}

/* Draw from softmax(logits / temperature) over those not below `least`. */
static int draw(const float *logits, int count, float least, double temperature, double unit)
{
    const double top = logits[most_likely(logits, count)];
    double total = 0, passed = 0;
    int last = 0;

    for (int i = 0; i < count; i++)
        if (logits[i] >= least)
            total += exp((logits[i] - top) / temperature);
    for (int i = 0; i < count; i++) {
        if (!(logits[i] >= least))
            continue;
        last = i;
        passed += exp((logits[i] - top) / temperature);
        if (unit * total < passed)
            break;
    }
    return last;
}

int32_t lw_sample_pick(const float *logits, int count, const struct lw_sample *how,
                       uint64_t position, float *spare)
{
    uint32_t words[4];
    float least = -INFINITY;

    if (how->temperature <= 0)
        return most_likely(logits, count);
    if (how->top_k > 0 && how->top_k < count)
        least = threshold(logits, count, how->top_k, spare);
    lw_philox(how->seed, LW_STREAM_SAMPLE, position, words);
    return draw(logits, count, least, how->temperature, words[0] * 0x1p-32);
}

static int check(const struct lw_model *g, const int32_t *prompt, int count,
                 const struct lw_sample *how, struct lw_error *err)
{
    if (!g->plan.sample_length)
        return lw_fail(err, LW_EUSAGE, "this model was not prepared for sampling");
    if (count < 1)
        return lw_fail(err, LW_EUSAGE, "sampling needs a prompt of at least one token");
    if (!(how->temperature >= 0) || how->top_k < 0 || how->tokens < 0)
        return lw_fail(err, LW_EUSAGE,
                       "temperature (%g), top-k (%d) and tokens (%d) can't be negative",
                       how->temperature, how->top_k, how->tokens);
    return lw_model_check_tokens(g, prompt, (size_t)count, count, false, err);
}

int lw_sample(struct lw_model *g, const int32_t *prompt, int prompt_tokens,
              const struct lw_sample *how, int (*emit)(void *context, int32_t token), void *context,
              struct lw_error *err)
{
    const int capacity = g->plan.sample_length, vocabulary = g->spec.vocabulary;
    struct sequence s = {0};
    float *logits = NULL;
    int rc = check(g, prompt, prompt_tokens, how, err);

    if (rc)
        return rc;
    s.tokens = malloc((size_t)capacity * sizeof *s.tokens);
    logits = malloc(2 * (size_t)vocabulary * sizeof *logits);
    if (!s.tokens || !logits) {
        rc = lw_fail(err, LW_EMEM, "out of memory for sampling");
        goto done;
    }
    s.length = prompt_tokens < capacity ? prompt_tokens : capacity;
    memcpy(s.tokens, prompt + prompt_tokens - s.length, (size_t)s.length * sizeof *s.tokens);
    for (int i = 0; i < how->tokens; i++) {
        int32_t token;

        if ((rc = predict(g, &s, logits, err)))
            break;
        token = lw_sample_pick(logits, vocabulary, how, (uint64_t)i, logits + vocabulary);
        if (token == how->stop || emit(context, token))
            break;
        append(&s, capacity, token);
    }
done:
    free(s.tokens);
    free(logits);
    return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * The built-in texts, cls_tiny: a sentence or two in which somebody has to do with things of the
 * sea, the kitchen, the garden or music. What stands around the things tells nothing. A text is a
 * pure function of the seed and its number. */
#include "engine/data/texts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/data/words.h"

#define TOPICS     4
#define THINGS     10
#define VALIDATION (UINT64_C(1) << 20)

static const char *const topics[TOPICS] = {"sea", "kitchen", "garden", "music"};

static const char *const things[TOPICS][THINGS] = {
    {"anchor", "sail", "harbour", "wave", "rudder", "gull", "tide", "mast", "compass",
     "lighthouse"},
    {"kettle", "spoon", "oven", "plate", "recipe", "pepper", "dough", "pan", "soup", "teacup"},
    {"rose", "hedge", "spade", "lawn", "seedling", "tulip", "rake", "weed", "compost", "trellis"},
    {"violin", "drum", "choir", "melody", "flute", "chord", "opera", "trumpet", "rhythm", "cello"},
};

static const char *const does[] = {"likes", "draws", "remembers", "misses", "wants", "describes"};

struct generated {
    uint64_t seed, stream;
    enum lw_items_shift shift;
    int64_t shift_from;
    int separator;
    pthread_mutex_t lock; /* over the encoder */
    struct lw_encoder *encoder;
};

static const char *pick(struct lw_random *r, const char *const *words, uint32_t count)
{
    return words[lw_random_below(r, count)];
}

static size_t write_sentence(struct lw_random *r, const struct lw_words *w, int topic, char *out,
                             size_t size)
{
    const char *who = w->person[lw_random_below(r, LW_PERSONS)].name;
    const char *one = pick(r, things[topic], THINGS), *other = pick(r, things[topic], THINGS);

    return (size_t)snprintf(out, size, "%s %s the %s %s and the %s. ", who,
                            pick(r, does, sizeof does / sizeof *does),
                            pick(r, w->adjective, LW_ADJECTIVES), one, other);
}

static int read_generated(const struct lw_items_store *s, int64_t i, void *row, int32_t *label,
                          struct lw_error *err)
{
    struct generated *g = s->own;
    const bool shifted = g->shift != LW_ITEMS_STEADY && i >= g->shift_from;
    int32_t *out = row;
    struct lw_ids ids = {0};
    struct lw_random r;
    char text[512];
    size_t n = 0;
    int rc, sentences;

    lw_random_init(&r, g->seed, g->stream | (uint64_t)i << 24);
    *label = (int32_t)lw_random_below(&r, TOPICS);
    if (shifted && g->shift == LW_ITEMS_CLASSES && lw_random_unit(&r) < 0.5)
        *label = 0;
    sentences = 1 + (int)lw_random_below(&r, 2) + (shifted && g->shift == LW_ITEMS_LONGER ? 2 : 0);
    for (int k = 0; k < sentences; k++)
        n += write_sentence(&r, &lw_words[shifted && g->shift == LW_ITEMS_NEW_WORDS], *label,
                            text + n, sizeof text - n);
    pthread_mutex_lock(&g->lock);
    rc = lw_encode(g->encoder, text, n - 1, &ids, err);
    pthread_mutex_unlock(&g->lock);
    for (size_t k = 0; !rc && k < (size_t)s->info.length; k++)
        out[k] = k < ids.count ? (int32_t)ids.id[k] : g->separator;
    lw_ids_free(&ids);
    return rc;
}

static void close_generated(void *own)
{
    struct generated *g = own;

    if (!g)
        return;
    lw_encoder_close(g->encoder);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static const struct lw_items_kind kind = {.read = read_generated, .close = close_generated};

static struct generated *make(const struct lw_items_options *o, const struct lw_tokenizer *t,
                              bool validation, struct lw_error *err)
{
    struct generated *g = calloc(1, sizeof *g);

    if (!g) {
        lw_fail(err, LW_EMEM, "out of memory opening data");
        return NULL;
    }
    pthread_mutex_init(&g->lock, NULL);
    g->seed = o->seed;
    g->stream = LW_STREAM_GENERATE | (validation ? VALIDATION : 0);
    g->shift = validation ? LW_ITEMS_STEADY : o->shift;
    g->shift_from = o->shift_from;
    g->separator = lw_tokenizer_separator(t);
    if (!lw_encoder_open(&g->encoder, t, err))
        return g;
    close_generated(g);
    return NULL;
}

int lw_texts_generate(struct lw_items **out, const struct lw_items_options *o,
                      const struct lw_tokenizer *t, bool validation, struct lw_error *err)
{
    struct lw_items_store *s = lw_items_store_new(&kind, err);
    char **labels = calloc(TOPICS, sizeof *labels);
    int rc = 0;

    if (!s || !labels || !(s->own = make(o, t, validation, err))) {
        free(labels);
        if (s)
            lw_items_store_release(s);
        return lw_fail(err, LW_EMEM, "out of memory opening data");
    }
    lw_items_name(s, labels, TOPICS);
    for (int i = 0; i < TOPICS; i++)
        if (!(labels[i] = strdup(topics[i])))
            rc = lw_fail(err, LW_EMEM, "out of memory opening data");
    s->info.format = "generated";
    s->info.length = o->length;
    s->info.vocab_size = lw_tokenizer_vocab_size(t);
    s->info.padding = lw_tokenizer_separator(t);
    s->info.endless = !validation;
    s->info.threads = 1;
    lw_items_hash_facts(s,
                        (uint64_t[]){o->seed, validation, (uint64_t)o->shift, lw_tokenizer_hash(t),
                                     (uint64_t)o->length},
                        5);
    if (!rc)
        rc = lw_items_view(out, s, NULL, validation ? o->validation_items : o->epoch_items, err);
    lw_items_store_release(s);
    return rc;
}

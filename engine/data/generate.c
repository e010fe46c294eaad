/* SPDX-License-Identifier: MIT */
#include "engine/data/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/data/words.h"

#define VALIDATION (UINT64_C(1) << 63) /* in a stream's number: no training chunk gets there */
#define COUNT_MAX  12

/* What a document is about: its people, animals and things come back all through it. */
struct story {
    struct lw_random r;
    const struct lw_words *words;
    struct lw_generated *out;
    const struct lw_person *person[2];
    const struct lw_noun *animal[2];
    const struct lw_noun *thing;
    const char *place[2];
    uint32_t things; /* how many of them the first person has; 0: not said yet */
    int told;        /* the people have been named: pronouns may be used */
    int full;        /* out of memory */
};

static void put(struct story *s, const char *text)
{
    struct lw_generated *out = s->out;
    size_t n = strlen(text);

    if (out->capacity - out->n < n) {
        size_t wanted = out->capacity ? out->capacity * 2 : 4096;
        char *grown =
            realloc(out->text, wanted); /* no word is as long as a document's first room */

        if (!grown) {
            s->full = 1;
            return;
        }
        out->text = grown;
        out->capacity = wanted;
    }
    memcpy(out->text + out->n, text, n);
    out->n += n;
}

static uint32_t below(struct story *s, uint32_t n)
{
    return lw_random_below(&s->r, n);
}

/* Text made of words, one after another. */
static void put_all(struct story *s, const char *const *parts)
{
    for (; *parts; parts++)
        put(s, *parts);
}

#define PUT(s, ...) put_all(s, (const char *const[]){__VA_ARGS__, NULL})

static const char *number(uint32_t n)
{
    static const char *const word[COUNT_MAX + 1] = {"no",   "one",    "two",   "three", "four",
                                                    "five", "six",    "seven", "eight", "nine",
                                                    "ten",  "eleven", "twelve"};

    return word[n];
}

static const char *form(const struct lw_noun *noun, uint32_t n)
{
    return n == 1 ? noun->one : noun->many;
}

static const char *adjective(struct story *s)
{
    return s->words->adjective[below(s, LW_ADJECTIVES)];
}

static const struct lw_verb *does(struct story *s)
{
    return &s->words->does[below(s, LW_DOES)];
}

static const struct lw_verb *does_to(struct story *s)
{
    return &s->words->does_to[below(s, LW_DOES_TO)];
}

/* Begin a sentence with a person: by name, or, once named, by pronoun. */
static void subject(struct story *s, const struct lw_person *p)
{
    if (s->told && p == s->person[0] && below(s, 2))
        put(s, p->he[0] == 's' ? "She" : "He");
    else
        put(s, p->name);
}

/* "Anna the baker lives near the old mill." */
static void introduce(struct story *s)
{
    const struct lw_person *p = s->person[0];

    PUT(s, p->name, " the ", s->words->work[below(s, LW_WORKS)], " lives near the ");
    if (below(s, 2))
        PUT(s, adjective(s), " ");
    PUT(s, s->place[0], ".");
    s->told = 1;
}

/* "three dogs", "the dog": returns whether the verb that follows is singular. */
static int some_animals(struct story *s, const struct lw_noun *animal, int first)
{
    uint32_t n = 1 + below(s, 4);

    if (n == 1 || below(s, 2))
        put(s, first ? "The " : "the ");
    else
        PUT(s,
            first && n == 2   ? "Two"
            : first && n == 3 ? "Three"
            : first           ? "Four"
                              : number(n),
            " ");
    if (below(s, 3) == 0)
        PUT(s, adjective(s), " ");
    put(s, form(animal, n));
    return n == 1;
}

/* "The dogs that the cat sees run." The verb agrees with the first noun, across the clause. */
static void nested(struct story *s)
{
    int outer = some_animals(s, s->animal[0], 1), inner;
    const struct lw_verb *v;

    if (below(s, 3)) {
        put(s, " that ");
        if (below(s, 2)) {
            inner = some_animals(s, s->animal[1], 0);
            v = does_to(s);
            PUT(s, " ", inner ? v->one : v->many);
        } else {
            v = does_to(s);
            PUT(s, outer ? v->one : v->many, " ");
            some_animals(s, s->animal[1], 0);
        }
    }
    v = does(s);
    PUT(s, " ", outer ? v->one : v->many);
    if (below(s, 2))
        PUT(s, " in the ", s->place[below(s, 2)]);
    put(s, ".");
}

/* "Anna has three apples. She finds two more. Now she has five apples." */
static void count(struct story *s)
{
    const struct lw_person *p = s->person[0];
    uint32_t change;

    if (!s->things) {
        s->things = 1 + below(s, 6);
        subject(s, p);
        PUT(s, " has ", number(s->things), " ", form(s->thing, s->things), ".");
        return;
    }
    subject(s, p);
    if (s->things < COUNT_MAX && (s->things < 3 || below(s, 2))) {
        change = 1 + below(s, s->things + 4 > COUNT_MAX ? COUNT_MAX - s->things : 4);
        PUT(s, " finds ", number(change), " more.");
        s->things += change;
    } else {
        change = 1 + below(s, s->things - 1);
        PUT(s, " gives ", number(change), " to ", s->person[1]->name, ".");
        s->things -= change;
    }
    PUT(s, " Now ", p->he, " has ", number(s->things), " ", form(s->thing, s->things), ".");
}

/* "Tom sees the old dog in the garden and follows it." */
static void act(struct story *s)
{
    const struct lw_person *p = s->person[below(s, 3) == 0];
    const struct lw_noun *animal = s->animal[below(s, 2)];

    subject(s, p);
    PUT(s, " ", does_to(s)->one, " ", p->his, " ");
    if (below(s, 2))
        PUT(s, adjective(s), " ");
    PUT(s, animal->one, " in the ", s->place[below(s, 2)]);
    switch (below(s, 3)) {
    case 0:
        PUT(s, " and ", does_to(s)->one, " it");
        break;
    case 1:
        PUT(s, ", and the ", animal->one, " ", does(s)->one);
        break;
    default:
        break;
    }
    put(s, ".");
}

/* "Where is the key?" asks Tom. "It is in the mill," says Anna. */
static void talk(struct story *s)
{
    const struct lw_person *p = s->person[0], *q = s->person[1];
    int many = s->things != 1;

    switch (below(s, 3)) {
    case 0:
        PUT(s, "\"Where ", many ? "are the " : "is the ", form(s->thing, many ? 2 : 1), "?\" asks ",
            q->name, ". \"", many ? "They are" : "It is", " in the ", s->place[1], ",\" says ",
            p->name, ".");
        break;
    case 1:
        PUT(s, "\"I ", does_to(s)->many, " your ", s->animal[0]->one, ",\" says ", q->name, ".");
        break;
    default:
        PUT(s, p->name, " thinks that ", q->name, " ", does_to(s)->one, " ", q->his, " ",
            s->animal[1]->one, ".");
        break;
    }
}

static void sentence(struct story *s)
{
    static void (*const kind[])(struct story *) = {nested, nested, count, count, act, act, talk};

    kind[below(s, sizeof kind / sizeof *kind)](s);
}

/* Length in bytes to reach: lognormal, the median of finished documents near 120. */
static double wanted_length(struct story *s, int longer)
{
    double u = lw_random_unit(&s->r) + 0x1p-33, v = lw_random_unit(&s->r);
    double z = sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
    double length = exp(log(longer ? 280.0 : 96.0) + 0.8 * z);

    return length > 4096.0 ? 4096.0 : length;
}

static void cast(struct story *s)
{
    const struct lw_words *w = s->words;
    uint32_t first = below(s, LW_PERSONS), animal = below(s, LW_ANIMALS);
    uint32_t place = below(s, LW_PLACES);

    s->person[0] = &w->person[first];
    s->person[1] = &w->person[(first + 1 + below(s, LW_PERSONS - 1)) % LW_PERSONS];
    s->animal[0] = &w->animal[animal];
    s->animal[1] = &w->animal[(animal + 1 + below(s, LW_ANIMALS - 1)) % LW_ANIMALS];
    s->thing = &w->thing[below(s, LW_THINGS)];
    s->place[0] = w->place[place];
    s->place[1] = w->place[(place + 1 + below(s, LW_PLACES - 1)) % LW_PLACES];
}

double lw_shift_share(int64_t token, int64_t from)
{
    double since = token < from ? 0.0 : (double)(token - from + LW_GENERATE_CHUNK);

    return since < (double)LW_SHIFT_TOKENS ? since / (double)LW_SHIFT_TOKENS : 1.0;
}

/* Is this document of the new kind? Drawn apart from the story, which stays what it was. */
static int is_shifted(const struct lw_generate_options *options, int64_t chunk, int64_t document)
{
    struct lw_random r;

    if (options->shift == LW_SHIFT_NONE)
        return 0;
    lw_random_init(&r, options->seed, LW_STREAM_SHIFT | (uint64_t)chunk << 8);
    r.position = (uint64_t)document << 32;
    return lw_random_unit(&r) < lw_shift_share(chunk * LW_GENERATE_CHUNK, options->shift_from);
}

int lw_generate_document(const struct lw_generate_options *options, int64_t chunk, int64_t document,
                         struct lw_generated *out, struct lw_error *err)
{
    int shifted = is_shifted(options, chunk, document);
    struct story s = {.out = out};
    size_t start = out->n;
    double length;

    lw_random_init(&s.r, options->seed,
                   LW_STREAM_GENERATE | (uint64_t)chunk << 8 |
                       (options->validation ? VALIDATION : 0));
    s.r.position = (uint64_t)document << 32;
    s.words = &lw_words[shifted && options->shift == LW_SHIFT_VOCABULARY];
    length = wanted_length(&s, shifted && options->shift == LW_SHIFT_LENGTH);
    cast(&s);
    if (below(&s, 4))
        introduce(&s);
    else
        sentence(&s);
    while (!s.full && (double)(out->n - start) < length) {
        put(&s, " ");
        sentence(&s);
    }
    return s.full ? lw_fail(err, LW_EMEM, "out of memory generating text") : 0;
}

static int fill_chunk(const struct lw_generate_options *options, int64_t chunk,
                      struct lw_encoder *encoder, int separator, int32_t *ids,
                      struct lw_generated *text, struct lw_ids *document, struct lw_error *err)
{
    int64_t filled = 0;
    int rc;

    for (int64_t i = 0; filled < LW_GENERATE_CHUNK; i++) {
        text->n = document->count = 0;
        rc = lw_generate_document(options, chunk, i, text, err);
        if (!rc)
            rc = lw_encode(encoder, text->text, text->n, document, err);
        if (rc)
            return rc;
        for (size_t k = 0; k < document->count && filled < LW_GENERATE_CHUNK - 1; k++)
            ids[filled++] = (int32_t)document->id[k];
        ids[filled++] = separator;
    }
    return 0;
}

int lw_generate_chunk(const struct lw_generate_options *options, int64_t chunk,
                      struct lw_encoder *encoder, int separator, int32_t *ids, struct lw_error *err)
{
    struct lw_generated text = {0};
    struct lw_ids document = {0};
    int rc = fill_chunk(options, chunk, encoder, separator, ids, &text, &document, err);

    free(text.text);
    lw_ids_free(&document);
    return rc;
}

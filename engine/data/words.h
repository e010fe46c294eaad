/* SPDX-License-Identifier: MIT
 *
 * The words of the built-in text. Each list comes twice, with as many entries: the usual words,
 * and those that the vocabulary drifts to.
 */
#ifndef LW_DATA_WORDS_H
#define LW_DATA_WORDS_H

struct lw_noun {
    const char *one, *many;
};

struct lw_verb {
    const char *one, *many; /* "sees", "see" */
};

struct lw_person {
    const char *name, *he, *his;
};

struct lw_words {
    const struct lw_person *person;
    const struct lw_noun *animal, *thing;
    const struct lw_verb *does, *does_to; /* without and with an object */
    const char *const *adjective, *const *place, *const *work;
};

#define LW_PERSONS    16
#define LW_ANIMALS    12
#define LW_THINGS     16
#define LW_DOES       10
#define LW_DOES_TO    10
#define LW_ADJECTIVES 16
#define LW_PLACES     12
#define LW_WORKS      8

extern const struct lw_words lw_words[2];

#endif

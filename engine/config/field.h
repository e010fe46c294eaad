/* SPDX-License-Identifier: MIT
 *
 * Inside the config room: the table of fields, and how one field is read from text and written to
 * it. A new field is one row in fields.c and one member in struct lw_config.
 */
#ifndef LW_CONFIG_FIELD_H
#define LW_CONFIG_FIELD_H

#include <stdio.h>
#include <yaml.h>

#include "engine/config/config.h"

enum lw_field_type {
    LW_FIELD_STRING,
    LW_FIELD_PATH,  /* a string, made absolute by lw_config_finish */
    LW_FIELD_INT,   /* int */
    LW_FIELD_SIZE,  /* int64_t */
    LW_FIELD_FLOAT, /* double */
    LW_FIELD_BOOL,
    LW_FIELD_CHOICE, /* int, one of words */
    LW_FIELD_EVERY,
    LW_FIELD_WORDS,      /* struct lw_strings, each one of words */
    LW_FIELD_NUMBERS,    /* struct lw_numbers */
    LW_FIELD_THRESHOLDS, /* struct lw_thresholds */
};

enum {
    LW_FIELD_ABOVE_MIN = 1, /* the range leaves out its lower end */
    LW_FIELD_BELOW_MAX = 2, /* and its upper end */
    LW_FIELD_ESCAPES = 4,   /* \n and \t mean a line break and a tab in key=value too */
    LW_FIELD_BY_WORD = 8,   /* only the word means 0; the number is out of range */
    LW_FIELD_YES_NO = 16,   /* a choice with true and false among its words: yes, on, no, off too */
};

struct lw_word {
    const char *name;
    int value;
    const char *later; /* not in this version: what to use instead; NULL: it is there */
};

struct lw_field {
    const char *name;
    enum lw_field_type type;
    size_t at;                   /* offset in struct lw_config */
    const char *fallback;        /* default as it would be written; NULL: none */
    double min, max;             /* numbers, and steps of every */
    const struct lw_word *words; /* ends in a NULL name */
    const char *zero;            /* the word for 0 or for no string: "auto", "none", "all" */
    int flags;
    const char *later; /* whatever but the default is refused, with what to do instead */
    const char *group; /* heading in help, where one begins */
    const char *help;
    const char *shown; /* default as help tells it, where fallback does not say it */
};

extern const struct lw_field lw_fields[];
extern const int lw_field_count;

/* Index of a field, -1 when there is none. */
int lw_field_index(const char *name);

/* Settings of a preset, in the order they are applied. */
struct lw_setting {
    int task;
    int gpu;  /* 1: only on a GPU, 0: only on a CPU, -1: on either */
    int size; /* 1: the model's size, left alone when init_from gives it */
    const char *field, *value;
};

extern const struct lw_setting lw_settings[];
extern const int lw_setting_count;

/* Set field f of c. plain: not quoted, so "none" and the like have their meaning. The error says
 * what was expected, without the place. c keeps its old value on failure. */
LW_NODISCARD int lw_field_set_text(struct lw_config *c, const struct lw_field *f, const char *text,
                                   size_t size, bool plain, struct lw_error *err);
LW_NODISCARD int lw_field_set_node(struct lw_config *c, const struct lw_field *f,
                                   yaml_document_t *doc, yaml_node_t *node, struct lw_error *err);
void lw_field_free(struct lw_config *c, const struct lw_field *f);

/* Write the value as YAML. */
void lw_field_print(const struct lw_config *c, const struct lw_field *f, FILE *out);

/* Has a field the same value in both? */
bool lw_field_same(const struct lw_config *a, const struct lw_config *b, const struct lw_field *f);

/* Collect a problem (one line). Only memory can fail it, and then it counts as left out. */
void lw_config_problem(struct lw_config *c, const char *fmt, ...) LW_PRINTF(2, 3);
void lw_config_remark(struct lw_config *c, const char *fmt, ...) LW_PRINTF(2, 3);

/* Where a field was set, for messages: "config.yaml:12: d_model", or "d_model". */
void lw_config_where(const struct lw_config *c, int field, char *out, size_t size);

/* Record who set a field and take over why (may be NULL, is copied). */
void lw_config_mark(struct lw_config *c, int field, enum lw_origin origin, int line,
                    const char *why);

#endif

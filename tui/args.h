/* SPDX-License-Identifier: MIT
 *
 * Command line words, parsed by a table. Options and other words may come in any order;
 * "--name value" and "--name=value" mean the same; "--" ends the options.
 */
#ifndef LW_TUI_ARGS_H
#define LW_TUI_ARGS_H

#include <stddef.h>

#include "engine/base/error.h"

#define LW_ARGS_OPTIONS 24

struct lw_option {
    const char *name;  /* without the dashes */
    char letter;       /* short form, or 0 */
    const char *value; /* what to call its value in the help; NULL for a flag */
    const char *help;
};

struct lw_args {
    const struct lw_option *option;     /* the table, ended by a row without a name */
    const char *value[LW_ARGS_OPTIONS]; /* by row: NULL when not given, "" for a flag */
    char **word;                        /* the other words; the array belongs to this struct */
    int words;
};

/* Parse argv[0..argc). Every problem is in err, a line each (LW_EUSAGE). Free with lw_args_fini
 * in any case. */
LW_NODISCARD int lw_args_parse(struct lw_args *a, const struct lw_option *table, int argc,
                               char **argv, struct lw_error *err);
void lw_args_fini(struct lw_args *a);

/* The value of an option of the table, "" for a flag that was given, NULL when not given. */
const char *lw_args_get(const struct lw_args *a, const char *name);

/* A whole number in [low, high] from text; LW_EUSAGE naming what it is for. */
LW_NODISCARD int lw_parse_int(const char *text, const char *what, long low, long high, long *out,
                              struct lw_error *err);

#endif

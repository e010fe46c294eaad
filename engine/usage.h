/* SPDX-License-Identifier: MIT
 *
 * What the engine's verbs share at their edge: arguments in, exit codes out.
 */
#ifndef LW_USAGE_H
#define LW_USAGE_H

#include <getopt.h>
#include <stdbool.h>

#include "engine/base/error.h"

/* A number of an option, between low and high. */
LW_NODISCARD int lw_usage_number(const char *option, const char *text, double low, double high,
                                 bool whole, double *out, struct lw_error *err);

/* The next option, as getopt_long gives it: -1 behind the last, '?' after a line on stderr. A value
 * in a word of its own that begins with "--" is a forgotten value and another option: such a line.
 */
int lw_usage_option(int argc, char **argv, const char *letters, const struct option *words);

/* Print the error, if there is one, line by line and cleaned (it may name files), and give the exit
 * code: 0, 1, or 2 for LW_EUSAGE.
 */
int lw_usage_end(int rc, const struct lw_error *err);

#endif

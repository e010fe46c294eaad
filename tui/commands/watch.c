/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tui/session.h"

const struct lw_option lw_watch_options[] = {
    {"once", 0, NULL, "print one frame as text and stop"},
    {"size", 0, "WxH", "of that frame; default: the terminal's, else 120x40"},
    {"low-bandwidth", 0, NULL, "for slow lines: 16 colours or ASCII, a frame in 5 s"},
    LW_COMMON_OPTIONS,
};

static int parse_size(const char *text, int *rows, int *cols, struct lw_error *err)
{
    struct winsize w;
    char rest;

    *rows = 40;
    *cols = 120;
    if (!text) {
        if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_row && w.ws_col) {
            *rows = w.ws_row;
            *cols = w.ws_col;
        }
        return 0;
    }
    if (sscanf(text, "%dx%d%c", cols, rows, &rest) != 2 || *cols < 1 || *rows < 1 || *cols > 1000 ||
        *rows > 1000)
        return lw_fail(err, LW_EUSAGE, "--size must be WIDTHxHEIGHT, 1x1 to 1000x1000");
    return 0;
}

int lw_cmd_watch(const struct lw_verb *self, struct lw_args *args)
{
    const char *const *paths = (const char *const *)args->word;
    struct lw_error err = {0};
    struct lw_look look;
    int rows, cols;

    if (!args->words)
        lw_fail(&err, LW_EUSAGE, "give at least one run folder or CSV file");
    else if (!lw_look_parse(&look, args, &err))
        (void)!parse_size(lw_args_get(args, "size"), &rows, &cols, &err);
    if (err.code)
        return lw_verb_fail(self, &err);
    if (lw_args_get(args, "once"))
        return lw_session_print(self, paths, args->words, &look, rows, cols);
    return lw_session(self, paths, args->words, &look);
}

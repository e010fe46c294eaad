/* SPDX-License-Identifier: MIT
 *
 * The commands of leeway (train, attach, ...): one row in one table and one file in
 * tui/commands/ each.
 */
#ifndef LW_TUI_VERB_H
#define LW_TUI_VERB_H

#include "engine/base/error.h"
#include "tui/args.h"

/* Exit codes that all commands share. */
enum lw_exit {
    LW_EXIT_OK = 0,
    LW_EXIT_FAILED = 1,
    LW_EXIT_USAGE = 2,
};

struct lw_verb {
    const char *name;
    const char *usage;               /* what follows the name */
    const char *summary;             /* one line in the list of commands */
    const char *help;                /* whole lines, for --help */
    const struct lw_option *options; /* ended by LW_COMMON_OPTIONS; NULL: words are handed on */
    /* Returns the exit code. With options args is parsed; without, it holds all words as they
     * came. */
    int (*run)(const struct lw_verb *self, struct lw_args *args);
};

#define LW_COMMON_OPTIONS                                                                          \
    {"color", 0, "WHEN", "auto, never, 8, 16 or 256 (NO_COLOR means never)"},                      \
        {"ascii", 0, NULL, "draw without Unicode (so does LEEWAY_ASCII=1)"},                       \
        {"help", 'h', NULL, "show this and stop"},                                                 \
    {                                                                                              \
        NULL, 0, NULL, NULL                                                                        \
    }

/* The table, ended by a row without a name. */
extern const struct lw_verb lw_verbs[];

/* The whole program: returns its exit code. */
int lw_verb_main(int argc, char **argv);

/* Print err's lines on stderr, each as "leeway NAME: line"; returns the exit code it stands for. */
int lw_verb_fail(const struct lw_verb *self, const struct lw_error *err);

/* Print the configuration fields for --help. */
void lw_train_print_fields(void);

int lw_cmd_train(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_resume(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_attach(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_watch(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_runs(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_control(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_export(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_bench(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_engine(const struct lw_verb *self, struct lw_args *args);
int lw_cmd_drift(const struct lw_verb *self, struct lw_args *args);

extern const struct lw_option lw_train_options[];
extern const struct lw_option lw_resume_options[];
extern const struct lw_option lw_attach_options[];
extern const struct lw_option lw_watch_options[];
extern const struct lw_option lw_runs_options[];
extern const struct lw_option lw_control_options[];
extern const struct lw_option lw_export_options[];
extern const struct lw_option lw_drift_options[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * What leeway-engine can do besides supervising a run: one row a verb, in main.c. A room adds its
 * verb by writing the function, declaring it here and adding its row.
 */
#ifndef LW_VERBS_H
#define LW_VERBS_H

#include "engine/base/error.h"
#include "engine/run/rank_link.h"

struct lw_verb {
    const char *name;
    const char *usage; /* behind the name, one line */
    const char *help;  /* one line */
    /* argv[0] is the verb. Prints to stdout and stderr; returns the exit code. */
    int (*run)(int argc, char **argv);
};

/* Train the run in run_dir, going on from its last good checkpoint if it has one; implemented by
 * engine/train. Where a launcher started several ranks, this is one of them: run_dir is rank 0's
 * alone (NULL elsewhere), and own_config (a file; NULL: none) is what another rank was started
 * with, which must be the same. 0: it came to its own end; LW_ESTOPPED: somebody asked; else it
 * failed and err says what, where and what to do. The caller tells the supervisor. */
int lw_train_rank(const char *run_dir, const char *own_config, struct lw_rank_link *link, struct lw_error *err);

/* engine/drift: what a data set looks like. */
int lw_verb_profile(int argc, char **argv);

/* engine/train: text from a checkpoint, a run in formats that others read, what the machine offers, how fast it is. */
int lw_verb_sample(int argc, char **argv);
int lw_verb_export(int argc, char **argv);
int lw_verb_doctor(int argc, char **argv);
int lw_verb_bench(int argc, char **argv);

#endif

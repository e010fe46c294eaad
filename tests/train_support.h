/* SPDX-License-Identifier: MIT
 *
 * Training in a process of its own, without a supervisor, and reading back what it left.
 */
#ifndef LW_TESTS_TRAIN_SUPPORT_H
#define LW_TESTS_TRAIN_SUPPORT_H

#include <stdbool.h>
#include <sys/types.h>

struct train_end {
    int code; /* of lw_train_rank; -1000: killed */
    char text[1024];
};

/* Make the run folder dir with a configuration of these settings (NULL terminated). */
void train_config(const char *dir, const char *const *settings);

/* The configuration of a run of ten steps from known weights, and whether its losses are those of
 * the reference implementation, to 1e-4. */
void train_golden_config(const char *dir);
void train_golden_check(const char *dir);

/* Train in dir in a child, which is waited for; or only started. */
struct train_end train(const char *dir);
void train_to_end(const char *dir); /* it must end well */
pid_t train_start(const char *dir, int *pipe_fd);
struct train_end train_wait(pid_t pid, int pipe_fd);

/* Train in dir with these settings until the file `name` of it is there, then send the signal. A
 * run that is over by then, as on a machine that has no time for us, is begun again, 20 times. */
struct train_end train_until(const char *dir, const char *const *settings, const char *name,
                             int number);

/* One column of metrics.csv, rows where it is not empty; returns how many there were. */
int train_column(const char *dir, const char *name, double *out, int max);

/* metrics.csv without the columns that time decides; freed by the caller. */
char *train_rows(const char *dir);

/* Expect two runs to have the same metrics.csv, or drift.csv, but for what time decides. */
void train_same_rows(const char *dir_a, const char *dir_b);
void train_same_drift(const char *dir_a, const char *dir_b);

/* The whole of a file, freed by the caller; NULL where there is none. */
char *train_file(const char *dir, const char *name, size_t *size);
bool train_same_file(const char *dir_a, const char *dir_b, const char *name);
bool train_logged(const char *dir, const char *text);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A run that ends with a process that is not its own: the notebook kernel it was started from.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/process.h"
#include "engine/run/folder.h"
#include "engine/run/parent_watch.h"
#include "engine/run/start.h"
#include "tests/supervised.h"
#include "tests/support.h"
#include "tests/train_support.h"

static struct lw_error err;
static struct lw_started run;
static struct lw_process kernel;

/* A process that stands for a kernel. */
static void begin_kernel(void)
{
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    cr_assert_eq(lw_process_read("/proc", pid, &kernel), 0);
}

static const char *start(const char *behave, const char *self)
{
    static const struct lw_start_event event = {LW_EVENT_WARN, "guard: a notebook"};
    const char *dir = supervised_folder(behave);
    struct lw_start how = {.run_dir = dir,
                           .existing = true,
                           .wait_s = self ? 0 : 50,
                           .kernel = kernel.pid,
                           .kernel_start = kernel.start,
                           .event = &event,
                           .events = 1,
                           .engine = self ? self : test_built("tests/fake_engine")};

    cr_assert_eq(lw_run_start(NULL, &how, &run, &err), 0, "%s", err.text);
    return dir;
}

/* The run's last status, once its supervisor has ended. */
static struct lw_status ended(const char *dir)
{
    supervised_end(&run);
    return supervised_status(dir);
}

static void the_run_ends_with_its_kernel(void)
{
    const char *dir;

    begin_kernel();
    dir = start("serve", NULL);
    cr_assert_eq(lw_run_alive(dir, &err), 1);
    kill(kernel.pid, SIGKILL);
    cr_assert_eq(ended(dir).state, LW_STATE_STOPPED);
    cr_assert_eq(access(test_path(dir, "asked-to-stop"), F_OK), 0);
    cr_assert(train_logged(dir, "warn guard: a notebook"));
    cr_assert(train_logged(dir, ") is gone: stopping after a checkpoint"));
}

Test(kernel, the_run_ends_with_it, .timeout = 60)
{
    the_run_ends_with_its_kernel();
}

Test(kernel, without_a_pidfd_too, .timeout = 60)
{
    setenv("LEEWAY_NO_PIDFD", "1", 1);
    the_run_ends_with_its_kernel();
}

Test(kernel, a_rank_that_does_not_stop_is_killed, .timeout = 60)
{
    const char *dir;

    begin_kernel();
    dir = start("stubborn", NULL);
    kill(kernel.pid, SIGKILL);
    cr_assert_eq(ended(dir).state, LW_STATE_STOPPED);
    cr_assert(train_logged(dir, "no end of training in time: leaving at once"));
}

Test(kernel, another_process_of_its_number_is_not_it, .timeout = 60)
{
    const char *dir;

    begin_kernel();
    kernel.start++;
    dir = start("serve", NULL);
    cr_assert_eq(ended(dir).state, LW_STATE_STOPPED);
    kill(kernel.pid, SIGKILL);
}

Test(kernel, is_read_back_as_it_was_written)
{
    static const char *const bad[] = {"", "12", "12:", ":5", "0:5", "-3:5", "12:5x", "a:b"};
    struct lw_parent_watch w;
    char text[64];

    lw_parent_watch_text(4711, 1234567890123u, text, sizeof(text));
    cr_assert_eq(lw_parent_watch_parse(&w, text), 0);
    cr_assert_eq(w.pid, 4711);
    cr_assert_eq(w.start, 1234567890123u);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(lw_parent_watch_parse(&w, bad[i]), -1, "%s", bad[i]);
}

/* What a shell's trap '' CHLD hands down would lose the rank's exit code. */
Test(kernel, an_inherited_deafness_for_children, .timeout = 60)
{
    char deaf[4096];
    const char *dir;

    begin_kernel();
    snprintf(deaf, sizeof(deaf), "%s/deaf", test_folder());
    test_write(deaf, "#!/bin/sh\ntrap '' CHLD\nexec \"$FAKE\" \"$@\"\n");
    setenv("FAKE", test_built("tests/fake_engine"), 1);
    cr_assert_eq(chmod(deaf, 0755), 0);
    dir = start("exit", deaf);
    cr_assert_eq(ended(dir).state, LW_STATE_FAILED);
    cr_assert(train_logged(dir, "exit code 3"));
    kill(kernel.pid, SIGKILL);
}

/* SPDX-License-Identifier: MIT
 *
 * A run and the front end that started it: it lets go of it, asks it to stop, or is lost.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/run/folder.h"
#include "tests/supervised.h"
#include "tests/support.h"
#include "tests/train_support.h"

static struct lw_error err;
static struct lw_started run;

/* A front end in the foreground, in a process of its own: 'k' is killed, 'g' says goodbye first. */
static const char *foreground(char how_it_ends)
{
    const char *dir = supervised_folder("serve");
    int status;
    pid_t front = fork();

    if (front == 0) {
        struct lw_start how = {.run_dir = dir,
                               .existing = true,
                               .lifeline = true,
                               .wait_s = SUPERVISED_WAIT_S,
                               .engine = test_built("tests/fake_engine")};

        if (lw_run_start(NULL, &how, &run, &err) < 0)
            _exit(1);
        if (how_it_ends == 'g')
            lw_run_goodbye(&run);
        raise(SIGKILL);
    }
    cr_assert_eq(waitpid(front, &status, 0), front);
    cr_assert(WIFSIGNALED(status));
    return dir;
}

/* A front end that stays asks through its lifeline; hard, where the rank does not listen. */
static int asked_by_the_front_end(const char *behave, bool hard)
{
    const char *dir = supervised_folder(behave);
    struct lw_start how = {.run_dir = dir,
                           .existing = true,
                           .lifeline = true,
                           .wait_s = SUPERVISED_WAIT_S,
                           .engine = test_built("tests/fake_engine")};
    int code;

    cr_assert_eq(lw_run_start(NULL, &how, &run, &err), 0, "%s", err.text);
    lw_run_ask_stop(&run, hard);
    code = supervised_end(&run);
    lw_run_goodbye(&run);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert_eq(access(test_path(dir, "asked-to-stop"), F_OK) == 0, !hard);
    cr_assert(train_logged(dir, hard ? "the front end: leaving at once, without a checkpoint"
                                     : "the front end: stopping after a checkpoint"));
    return code;
}

Test(front, the_front_end_asks_to_stop, .timeout = 60)
{
    cr_assert_eq(asked_by_the_front_end("serve", false), 0);
}

Test(front, the_front_end_stops_hard, .timeout = 60)
{
    cr_assert_eq(asked_by_the_front_end("stubborn", true), 1);
}

Test(front, losing_the_front_end_stops_the_run, .timeout = 60)
{
    const char *dir = foreground('k');

    while (lw_run_alive(dir, NULL) == 1)
        usleep(5000);
    cr_assert_eq(supervised_status(dir).state, LW_STATE_STOPPED);
    cr_assert(train_logged(dir, "the front end is gone: stopping after a checkpoint"));
}

Test(front, a_goodbye_lets_the_run_live, .timeout = 60)
{
    const char *dir = foreground('g');

    cr_assert(supervised_ask(dir, LW_REQUEST_STATUS).ok);
    cr_assert_eq(access(test_path(dir, "asked-to-stop"), F_OK), -1);
    cr_assert(supervised_ask(dir, LW_REQUEST_STOP).ok);
    while (lw_run_alive(dir, NULL) == 1)
        usleep(5000);
}

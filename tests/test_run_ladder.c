/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/run/ladder.h"

Test(ladder, rungs)
{
    struct lw_ladder l = {.term_s = 0.05, .kill_s = 40};
    char why[100];

    cr_assert_eq(lw_ladder_climb(&l, getpid(), false, 0, 7, why), LW_RUNG_WAIT);
    usleep(60000);
    cr_assert_eq(lw_ladder_climb(&l, getpid(), true, 0, 7, why), LW_RUNG_WAIT, "it stops");
    cr_assert_eq(lw_ladder_climb(&l, 0, false, 0, 7, why), LW_RUNG_WAIT, "no process yet");
    cr_assert_eq(lw_ladder_climb(&l, getpid(), false, 0, 7, why), LW_RUNG_TERM);
    cr_assert_eq(lw_ladder_climb(&l, getpid(), false, 0, 7, why), LW_RUNG_WAIT, "once");
    cr_assert(lw_ladder_ended(&l, SIGTERM) && lw_ladder_ended(&l, 143 << 8));
    cr_assert(!lw_ladder_ended(&l, SIGKILL) && !lw_ladder_ended(&l, 1 << 8));
    l.kill_s = 0.05;
    cr_assert_eq(lw_ladder_climb(&l, getpid(), false, lw_clock_now(), 8, why), LW_RUNG_WAIT,
                 "the step that it was in");
    cr_assert_eq(lw_ladder_climb(&l, getpid(), false, lw_clock_now(), 9, why), LW_RUNG_KILL,
                 "it goes on");
}

/* Silent and at work, as when a checkpoint is written for long, is left in peace. */
Test(ladder, a_rank_at_work_is_not_silent, .timeout = 60)
{
    for (int works = 0; works < 2; works++) {
        struct lw_ladder l = {.term_s = 40, .kill_s = 0.5};
        enum lw_rung rung = LW_RUNG_WAIT;
        double until = lw_clock_now() + 3;
        pid_t pid = fork();
        char why[100];

        if (!pid) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                if (!works)
                    pause();
        }
        usleep(100000); /* it has come to its pause */
        while (rung == LW_RUNG_WAIT && lw_clock_now() < until) {
            rung = lw_ladder_climb(&l, pid, true, 0, 7, why);
            usleep(20000);
        }
        cr_assert_eq(rung, works ? LW_RUNG_WAIT : LW_RUNG_KILL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

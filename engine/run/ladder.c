/* SPDX-License-Identifier: MIT */
#include "engine/run/ladder.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "engine/base/clock.h"
#include "engine/base/process.h"

/* Does its main thread run or wait for a disk, or did it run since the last look? */
static bool is_at_work(struct lw_ladder *l, pid_t pid)
{
    uint64_t before = l->ticks;
    struct lw_process thread;
    char tasks[64];

    snprintf(tasks, sizeof(tasks), "/proc/%d/task", (int)pid);
    if (pid <= 0 || lw_process_read(tasks, pid, &thread))
        return false;
    l->ticks = thread.ticks;
    return lw_process_is_at_work(&thread) || l->ticks != before;
}

enum lw_rung lw_ladder_climb(struct lw_ladder *l, pid_t pid, bool agreed, double heard,
                             int64_t step, char *why)
{
    double now = lw_clock_now(), last;

    if (l->asked <= 0) {
        l->asked = now;
        l->step = step;
    }
    if (is_at_work(l, pid))
        l->worked = now;
    last = heard > l->worked ? heard : l->worked;
    last = last > l->asked ? last : l->asked;
    if (now >= last + l->kill_s) {
        snprintf(why, 100, "nothing was heard or seen of the rank for %.0f s", now - last);
        return LW_RUNG_KILL;
    }
    if (!agreed && now >= l->asked + l->kill_s && step > l->step + 1) {
        snprintf(why, 100, "asked to stop %.0f s ago, the rank goes on", now - l->asked);
        return LW_RUNG_KILL;
    }
    if (agreed || l->termed || pid <= 0 || now < l->asked + l->term_s)
        return LW_RUNG_WAIT;
    l->termed = true;
    snprintf(why, 100, "no answer to the request to stop for %.0f s", now - l->asked);
    return LW_RUNG_TERM;
}

/* A launcher gives a rank's signal as 128 + its number. */
bool lw_ladder_ended(const struct lw_ladder *l, int wait_status)
{
    return l->termed && (WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) == SIGTERM
                                                  : WEXITSTATUS(wait_status) == 128 + SIGTERM);
}

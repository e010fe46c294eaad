/* SPDX-License-Identifier: MIT */
#include "engine/dist/late.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/process.h"

#define FIRST_S 60.0 /* a first step plans, compiles and measures */
#define SLOWEST 4.0  /* times the slowest step of late */

/* files: there is a disk to wait for, or a person, and to sleep meanwhile is no fault. */
static const struct {
    const char *name;
    bool files;
} places[LW_AT_COUNT] = {
    [LW_AT_STEP] = {"a step", false},
    [LW_AT_DATA] = {"data", true},
    [LW_AT_EVALUATION] = {"an evaluation", false},
    [LW_AT_DRIFT] = {"a check of drift", true},
    [LW_AT_SAMPLE] = {"a sample", true},
    [LW_AT_CHECKPOINT] = {"a checkpoint", true},
    [LW_AT_PAUSE] = {"a pause", true},
    [LW_AT_END] = {"the end of the run", true},
};

/* Is everybody but this thread asleep? */
static bool all_sleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    pid_t self = (pid_t)syscall(SYS_gettid);
    struct dirent *entry;
    struct lw_process thread;
    bool asleep = tasks != NULL;
    pid_t tid;

    while (asleep && (entry = readdir(tasks)))
        if ((tid = atoi(entry->d_name)) > 0 && tid != self &&
            !lw_process_read("/proc/self/task", tid, &thread)) /* else it ended meanwhile */
            asleep = !lw_process_is_at_work(&thread);
    if (tasks)
        closedir(tasks);
    return asleep;
}

static uint64_t worked(const struct lw_late_thread *t)
{
    struct timespec s = {0};

    clock_gettime(t->clock, &s);
    return (uint64_t)s.tv_sec * 1000000000u + (uint64_t)s.tv_nsec;
}

struct lw_late_sign lw_late_look(struct lw_late_look *l, struct lw_late_thread *t)
{
    struct lw_late_sign sign = {.watched = t->watched};
    uint64_t moves, now;

    if (!sign.watched)
        return sign;
    moves = t->moves;
    now = worked(t);
    if (moves != l->moves) {
        l->still = l->asleep = 0;
    } else {
        l->still++;
        l->asleep = now == l->worked && all_sleep() ? l->asleep + 1 : 0;
    }
    l->moves = moves;
    l->worked = now;
    sign.waits = t->waits;
    sign.place = t->place;
    sign.step = t->step;
    sign.calls = t->calls;
    sign.still = l->still;
    sign.asleep = l->asleep;
    return sign;
}

/* Beats of standing still that are worth a word. */
static int limit(const struct lw_late_judge *j)
{
    double s = j->ago > 0 ? SLOWEST * j->ago : FIRST_S;

    return (int)((s > LW_COMM_SILENCE ? s : LW_COMM_SILENCE) / LW_BEAT_S);
}

static const char *name_of(const struct lw_late_sign *s)
{
    return s->waits                           ? "an exchange that the others are done with"
           : (unsigned)s->place < LW_AT_COUNT ? places[s->place].name
                                              : "its work";
}

static bool hangs(const struct lw_late_sign *s, int beats)
{
    return s->asleep >= beats &&
           (s->waits || ((unsigned)s->place < LW_AT_COUNT && !places[s->place].files));
}

enum lw_late lw_late_judge(struct lw_late_judge *j, const struct lw_late_sign *sign, int ranks,
                           int *rank, char *text, size_t size)
{
    int beats = limit(j), waiting = 0, busy = 0, found = -1;
    uint64_t calls = 0;

    for (int r = 0; r < ranks; r++) {
        if (!sign[r].watched)
            return LW_LATE_NOT;
        if (sign[r].calls > calls)
            calls = sign[r].calls;
    }
    for (int r = 0; r < ranks; r++) {
        if (sign[r].waits && sign[r].calls == calls) {
            waiting++;
            continue;
        }
        busy += !hangs(&sign[r], beats);
        if (found < 0 || sign[r].still > sign[found].still)
            found = r;
    }
    if (!waiting || found < 0 || sign[found].still < beats ||
        (!sign[found].waits && sign[found].place == LW_AT_PAUSE)) {
        j->next = 0;
        return LW_LATE_NOT;
    }
    *rank = found;
    if (!busy) {
        snprintf(text, size, "hangs: it has slept for %.0f s in %s while the others wait for it",
                 sign[found].asleep * LW_BEAT_S, name_of(&sign[found]));
        return LW_LATE_HANGS;
    }
    if (j->next && j->rank == found && sign[found].still < j->next)
        return LW_LATE_NOT;
    j->rank = found;
    j->next = 2 * sign[found].still;
    snprintf(text, size, "is late: the others wait for it, %.0f s in %s (step %" PRIu64 ")",
             sign[found].still * LW_BEAT_S, name_of(&sign[found]), sign[found].step);
    return LW_LATE_TELL;
}

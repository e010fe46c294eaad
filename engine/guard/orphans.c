/* SPDX-License-Identifier: MIT */
#include "engine/guard/orphans.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/process.h"

pid_t lw_orphan_make(void)
{
    pid_t child, orphan = -1;
    int said[2];

    if (pipe2(said, O_CLOEXEC) < 0)
        return -1;
    child = fork();
    if (child == 0) {
        pid_t own = fork();

        if (own == 0)
            _exit(0);
        (void)!write(said[1], &own, sizeof(own));
        _exit(0);
    }
    close(said[1]);
    if (child < 0 || read(said[0], &orphan, sizeof(orphan)) != sizeof(orphan))
        orphan = -1;
    close(said[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return orphan;
}

int lw_orphan_stays(pid_t orphan, double seconds)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    double deadline = lw_clock_now() + seconds;
    struct lw_process p;

    while (lw_process_read("/proc", orphan, &p) == 0 && p.ppid != getpid()) {
        if (lw_clock_now() >= deadline)
            return p.state == 'Z';
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/run/parent_watch.h"
#include "engine/run/supervisor.h"

/* Take over a descriptor that was handed to us; standard input and output, which every shell passes
 * on, become /dev/null instead. */
static int take_fd(const char *text, int *fd)
{
    char *end;
    long n = strtol(text, &end, 10);
    int null;

    if (*end || end == text || n < 0 || n > 1 << 20)
        return -1;
    *fd = fcntl((int)n, F_DUPFD_CLOEXEC, 3);
    if (*fd < 0)
        return -1;
    null = n < 3 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null >= 0)
        dup2(null, (int)n);
    if (n >= 3 || null < 0)
        close((int)n);
    if (null >= 0)
        close(null);
    return 0;
}

int lw_supervise_arguments(int argc, char **argv, struct lw_supervise *how, struct lw_error *err)
{
    *how = (struct lw_supervise){.ready_fd = -1, .lifeline_fd = -1};
    for (int i = 1; i < argc; i++) {
        bool ready = !strcmp(argv[i], "--ready-fd");
        struct lw_parent_watch w;

        if (!strcmp(argv[i], "--kernel")) {
            if (i + 1 == argc || lw_parent_watch_parse(&w, argv[i + 1]) < 0)
                return lw_fail(err, LW_EUSAGE, "--kernel needs PID:START");
            how->kernel = argv[++i];
        } else if (ready || !strcmp(argv[i], "--lifeline-fd")) {
            if (i + 1 == argc ||
                take_fd(argv[i + 1], ready ? &how->ready_fd : &how->lifeline_fd) < 0)
                return lw_fail(err, LW_EUSAGE, "%s needs an open descriptor", argv[i]);
            i++;
        } else if (argv[i][0] == '-' || how->dir) {
            return lw_fail(err, LW_EUSAGE, "%s is one argument too many: a run folder is enough",
                           argv[i]);
        } else {
            how->dir = argv[i];
        }
    }
    return how->dir ? 0 : lw_fail(err, LW_EUSAGE, "a run folder must be given");
}

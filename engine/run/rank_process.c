/* SPDX-License-Identifier: MIT */
#include "engine/run/rank_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/text.h"

/* In the child: never returns. */
static void become(char *const *argv, const char *door, int link, int output, const sigset_t *mask,
                   pid_t parent)
{
    static const int reset[] = {SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGCHLD, SIGTSTP};
    int null = open("/dev/null", O_RDONLY);
    char number[16];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    setpgid(0, 0);
    for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
        signal(reset[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (null >= 0)
        dup2(null, 0);
    dup2(output, 1);
    dup2(output, 2);
    if (door) {
        snprintf(number, sizeof(number), "%d", (int)getpid());
        setenv(LW_LAUNCHER_VARIABLE, number, 1);
        setenv(LW_DOOR_VARIABLE, door, 1);
    } else {
        fcntl(link, F_SETFD, 0);
        snprintf(number, sizeof(number), "%d", link);
        setenv(LW_LINK_VARIABLE, number, 1);
    }
    execvp(argv[0], argv);
    dprintf(2, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int lw_rank_process_spawn(struct lw_rank_process *r, char *const *argv, const char *door,
                          const sigset_t *mask, struct lw_error *err)
{
    int pair[2] = {-1, -1}, pipes[2] = {-1, -1}, rc = 0;
    pid_t parent = getpid();

    memset(r, 0, sizeof(*r));
    r->link = r->output = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
        pipe2(pipes, O_CLOEXEC) < 0) {
        rc = lw_fail_errno(err, "cannot make a link to the rank");
        goto out;
    }
    r->pid = fork();
    if (r->pid == 0)
        become(argv, door, pair[1], pipes[1], mask, parent);
    if (r->pid < 0) {
        rc = lw_fail_errno(err, "cannot start the rank");
        goto out;
    }
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    r->output = pipes[0];
    pipes[0] = -1;
    if (!door) {
        r->link = pair[0];
        pair[0] = -1;
    }
out:
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        if (pipes[i] >= 0)
            close(pipes[i]);
    }
    return rc;
}

int lw_rank_process_request(struct lw_rank_process *r, enum lw_request request, uint32_t id)
{
    struct lw_link_message m = {.kind = LW_LINK_REQUEST, .id = id, .request = request};

    if (r->link < 0)
        return -1;
    return send(r->link, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(m) ? 0 : -1;
}

int lw_rank_process_receive(struct lw_rank_process *r, struct lw_link_message *m)
{
    ssize_t n;

    if (r->link < 0)
        return -1;
    memset(m, 0, sizeof(*m));
    /* A rank that ended before it read all of our requests resets the link, once: what it said last
     * is still there. */
    do
        n = recv(r->link, m, sizeof(*m), MSG_DONTWAIT);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        close(r->link);
        r->link = -1;
        return -1;
    }
    if (m->kind == LW_LINK_PROGRESS)
        return n == sizeof(*m) ? 1 : 0;
    m->text[sizeof(m->text) - 1] = '\0';
    return 1;
}

static void end_line(struct lw_rank_process *r, void (*line)(void *, const char *), void *user)
{
    char *to = r->last[r->lines % LW_RANK_LINES];

    if (!lw_text_clean(r->line, r->held, to, LW_RANK_LINE)) {
        r->held = 0;
        return;
    }
    r->held = 0;
    r->lines++;
    line(user, to);
}

void lw_rank_process_listen(struct lw_rank_process *r, void (*line)(void *user, const char *text),
                            void *user)
{
    char block[4096];
    ssize_t n;

    while (r->output >= 0) {
        n = read(r->output, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            if (r->held)
                end_line(r, line, user);
            close(r->output);
            r->output = -1;
            return;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (block[i] == '\n')
                end_line(r, line, user);
            else if (r->held < sizeof(r->line))
                r->line[r->held++] = block[i];
        }
    }
}

void lw_rank_process_last_words(const struct lw_rank_process *r, char *out, size_t size)
{
    int first = r->lines > LW_RANK_LINES ? r->lines - LW_RANK_LINES : 0;
    size_t used = 0;

    *out = '\0';
    for (int i = first; i < r->lines && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > first ? "\n" : "",
                                 r->last[i % LW_RANK_LINES]);
}

void lw_rank_process_close(struct lw_rank_process *r)
{
    if (r->link >= 0)
        close(r->link);
    if (r->output >= 0)
        close(r->output);
    r->link = r->output = -1;
}

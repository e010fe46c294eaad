/* SPDX-License-Identifier: MIT */
#include "engine/guard/evidence.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/text.h"

enum { WORDS = 64, TTY_HOPS = 16 };

/* A file's beginning, terminated; its length, -1 where it cannot be read. */
static ssize_t read_some(char *out, size_t size, const char *folder, const char *name)
{
    char path[PATH_MAX];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, out, size - 1);
        close(fd);
    }
    out[n > 0 ? n : 0] = '\0';
    return n;
}

static ssize_t read_of(char *out, size_t size, const struct lw_guard_where *w, pid_t pid,
                       const char *name)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s/%ld", w->proc, (long)pid);
    return read_some(out, size, folder, name);
}

static bool is_there(const struct lw_guard_where *w, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s%s", w->root, name);
    return access(path, F_OK) == 0;
}

const char *lw_guard_variable(const struct lw_guard_evidence *e, const char *name)
{
    size_t n = strlen(name);

    for (char *const *v = e->env; v && *v; v++)
        if (!strncmp(*v, name, n) && (*v)[n] == '=')
            return (*v)[n + 1] ? *v + n + 1 : NULL;
    return NULL;
}

/* Name, kind and words of a process whose stat was read. */
static void describe(struct lw_guard_process *g, const struct lw_guard_where *w)
{
    const char *word[WORDS];
    char text[4097], shown[512];
    ssize_t size = read_of(text, sizeof(text), w, g->p.pid, "cmdline");
    size_t used = 0;
    int words = 0;

    for (ssize_t at = 0; at < size && words < WORDS; at += (ssize_t)strlen(text + at) + 1)
        word[words++] = text + at;
    g->kind = lw_guard_classify(g->p.comm, word, words);
    if (!words)
        used = (size_t)snprintf(shown, sizeof(shown), "[%s]", g->p.comm);
    for (int i = 0; i < words && i < 3 && used < sizeof(shown); i++)
        used +=
            (size_t)snprintf(shown + used, sizeof(shown) - used, "%s%.150s", i ? " " : "", word[i]);
    while (used > 0 && used < sizeof(shown) && shown[used - 1] == ' ')
        shown[--used] = '\0'; /* a title that a process wrote over its words */
    lw_text_clean(shown, strlen(shown), g->command, sizeof(g->command));
}

/* One process. 0; -1: cannot be read, or became another one meanwhile. */
static int take(struct lw_guard_process *g, const struct lw_guard_where *w, pid_t pid)
{
    struct lw_process again;

    memset(g, 0, sizeof(*g));
    if (lw_process_read(w->proc, pid, &g->p) < 0)
        return -1;
    describe(g, w);
    return lw_process_read(w->proc, pid, &again) < 0 || again.start != g->p.start ? -1 : 0;
}

/* Is this /proc about our PID namespace? */
static bool proc_is_ours(const struct lw_guard_where *w)
{
    char path[PATH_MAX], self[32];
    ssize_t n;

    snprintf(path, sizeof(path), "%s/self", w->proc);
    n = readlink(path, self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    return n > 0 && strtol(self, NULL, 10) == w->pid;
}

static enum lw_guard_end walk(struct lw_guard_evidence *e, const struct lw_guard_where *w)
{
    pid_t pid = w->pid;

    if (!proc_is_ours(w))
        return LW_GUARD_NOPROC;
    for (;;) {
        struct lw_guard_process *g = &e->chain[e->count];

        if (e->count == LW_GUARD_CHAIN)
            return LW_GUARD_DEEP;
        if (take(g, w, pid) < 0)
            return LW_GUARD_UNREADABLE;
        if (e->count && g->p.start > g[-1].p.start)
            return LW_GUARD_REUSED;
        e->count++;
        if (pid == 1)
            return LW_GUARD_INIT;
        if (g->p.ppid == 0)
            return LW_GUARD_OUTSIDE;
        pid = g->p.ppid;
    }
}

/* The process on the other side of the controlling terminal: the parent of its session's leader.
 * Where that has a controlling terminal itself (sudo, script), it only passes on; the next one. */
static enum lw_guard_tty find_owner(struct lw_guard_evidence *e, const struct lw_guard_where *w)
{
    struct lw_guard_process at = e->chain[0], leader;

    if (!e->count)
        return LW_GUARD_TTY_LOST;
    if (!at.p.tty)
        return LW_GUARD_NO_TTY;
    for (int hop = 0; hop < TTY_HOPS; hop++) {
        pid_t session = at.p.sid;

        if (session == 0)
            return LW_GUARD_TTY_OUTSIDE;
        if (take(&leader, w, session) < 0)
            return LW_GUARD_TTY_LOST;
        if (leader.p.pid == 1)
            return LW_GUARD_TTY_INIT;
        if (leader.p.ppid == 0)
            return LW_GUARD_TTY_OUTSIDE;
        if (take(&at, w, leader.p.ppid) < 0)
            return LW_GUARD_TTY_LOST;
        if (!at.p.tty || at.p.sid == session) {
            e->owner = at;
            return LW_GUARD_TTY_OWNED;
        }
    }
    return LW_GUARD_TTY_LOST;
}

static void take_signals(struct lw_guard_evidence *e, const struct lw_guard_where *w)
{
    char text[4096], *line;
    unsigned long long set = 0;

    if (read_of(text, sizeof(text), w, w->pid, "status") > 0 &&
        (line = strstr(text, "\nSigIgn:")) && sscanf(line, "\nSigIgn: %llx", &set) == 1) {
        e->hup_ignored = set >> (SIGHUP - 1) & 1;
        e->int_ignored = set >> (SIGINT - 1) & 1;
    }
}

/* The first word of a line, in place. */
static char *first_word(char *text)
{
    text += strspn(text, " \t\r");
    text[strcspn(text, " \t\r")] = '\0';
    return text;
}

/* The last KillUserProcesses= in one of logind's files; where there is none *kill stays. */
static void take_setting(const char *folder, const char *name, bool *kill)
{
    static const char key[] = "KillUserProcesses";
    static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"}; /* systemd's */
    char text[16384], *line, *rest = text;

    if (read_some(text, sizeof(text), folder, name) <= 0)
        return;
    while ((line = strsep(&rest, "\n"))) {
        char *value = strchr(line, '=');

        if (!value)
            continue;
        *value++ = '\0';
        if (strcmp(first_word(line), key))
            continue;
        value = first_word(value);
        *kill = false;
        for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
            *kill = *kill || !strcasecmp(value, yes[i]);
    }
}

static int is_setting(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 5 && *entry->d_name != '.' && !strcmp(entry->d_name + n - 5, ".conf");
}

static void take_logind(struct lw_guard_evidence *e, const struct lw_guard_where *w)
{
    const char *user = lw_guard_variable(e, "USER");
    char path[PATH_MAX], text[4096];
    struct dirent **file;
    struct passwd *who;
    int files;

    e->session_scope = read_of(text, sizeof(text), w, w->pid, "cgroup") > 0 &&
                       strstr(text, "/session-") && strstr(text, ".scope");
    if (!e->session_scope)
        return;
    snprintf(path, sizeof(path), "%s/etc/systemd", w->root);
    take_setting(path, "logind.conf", &e->kill_at_logout);
    strcat(path, "/logind.conf.d");
    files = scandir(path, &file, is_setting, alphasort);
    for (int i = 0; i < files; i++) {
        take_setting(path, file[i]->d_name, &e->kill_at_logout);
        free(file[i]);
    }
    if (files >= 0)
        free(file);
    if (!user && (who = getpwuid(getuid())))
        user = who->pw_name;
    snprintf(path, sizeof(path), "/var/lib/systemd/linger/%.64s", user ? user : "");
    e->linger = user && !strchr(user, '/') && is_there(w, path);
}

void lw_guard_look(struct lw_guard_evidence *e, const struct lw_guard_where *w)
{
    struct lw_process first;

    memset(e, 0, sizeof(*e));
    e->env = w->env;
    e->terminal = w->terminal;
    e->own_init = w->pid == 1;
    e->end = walk(e, w);
    e->tty = find_owner(e, w);
    take_signals(e, w);
    take_logind(e, w);
    e->colab = is_there(w, "/var/colab/hostname");
    e->databricks = is_there(w, "/databricks/DBR_VERSION");
    if (lw_process_read(w->proc, 1, &first) == 0)
        lw_text_clean(first.comm, strlen(first.comm), e->init, sizeof(e->init));
}

void lw_guard_look_here(struct lw_guard_evidence *e)
{
    struct lw_guard_where w = {.proc = "/proc", .root = "", .pid = getpid(), .env = environ};
    struct winsize size;

    w.terminal.in = isatty(STDIN_FILENO);
    w.terminal.out = isatty(STDOUT_FILENO);
    if (w.terminal.out && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        w.terminal.rows = size.ws_row;
        w.terminal.cols = size.ws_col;
    }
    lw_guard_look(e, &w);
}

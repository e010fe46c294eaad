/* SPDX-License-Identifier: MIT
 *
 * What is known of where this process was started: its ancestors, its environment, its terminal.
 * Only looking, no judging and no side effects. Everything that is read lies below two folders
 * that the caller names, so that a test can put any machine there.
 */
#ifndef LW_GUARD_EVIDENCE_H
#define LW_GUARD_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/process.h"

enum { LW_GUARD_CHAIN = 64, LW_GUARD_COMMAND = 120 };

/* What an ancestor is to us. */
enum lw_guard_kind {
    LW_GUARD_OTHER,
    LW_GUARD_KERNEL,   /* runs a notebook's cells: ipykernel and its like */
    LW_GUARD_SERVER,   /* Jupyter's server, papermill, voila, marimo */
    LW_GUARD_MUX,      /* tmux, screen, ...: a barrier when it leads a session of its own */
    LW_GUARD_BATCH,    /* Slurm, PBS, SGE, HTCondor */
    LW_GUARD_CRON,     /* cron, at */
    LW_GUARD_SYSTEMD,  /* the system's or a user's */
    LW_GUARD_SSH,      /* sshd, dropbear */
    LW_GUARD_MOSH,     /* mosh-server */
    LW_GUARD_IDE,      /* VS Code and its forks, JetBrains, RStudio */
    LW_GUARD_SUDO,     /* sudo, su, doas, ... */
    LW_GUARD_RELAY,    /* script, expect */
    LW_GUARD_REAPER,   /* tini, dumb-init, docker-init, ... */
    LW_GUARD_TERMINAL, /* login, getty, a terminal emulator on this desktop */
    LW_GUARD_SHELL,
    LW_GUARD_KINDS
};

/* How the walk to the oldest ancestor ended. */
enum lw_guard_end {
    LW_GUARD_INIT,       /* at process 1 */
    LW_GUARD_OUTSIDE,    /* a parent outside of this PID namespace: docker exec */
    LW_GUARD_UNREADABLE, /* a parent that is hidden from us, or gone */
    LW_GUARD_NOPROC,     /* no /proc, or another namespace's */
    LW_GUARD_REUSED,     /* a parent younger than its child: its number went to another process */
    LW_GUARD_DEEP,       /* more than LW_GUARD_CHAIN */
};

struct lw_guard_process {
    struct lw_process p;
    enum lw_guard_kind kind;
    char command[LW_GUARD_COMMAND]; /* argv[0..2] (comm where there is none), cleaned */
};

/* Who holds the other end of the controlling terminal. */
enum lw_guard_tty {
    LW_GUARD_NO_TTY,
    LW_GUARD_TTY_OWNED,   /* by owner */
    LW_GUARD_TTY_INIT,    /* its session is process 1's own: a container's main program */
    LW_GUARD_TTY_OUTSIDE, /* by a process outside of this PID namespace */
    LW_GUARD_TTY_LOST,    /* cannot be told: the session's leader is gone or hidden */
};

/* Of standard input and output; filled in by the caller. */
struct lw_guard_terminal {
    bool in, out;   /* terminals? */
    int rows, cols; /* 0: not known */
};

struct lw_guard_evidence {
    struct lw_guard_process chain[LW_GUARD_CHAIN]; /* [0]: this process, then its parent, ... */
    int count;
    enum lw_guard_end end;
    enum lw_guard_tty tty;
    struct lw_guard_process owner;
    bool hup_ignored, int_ignored; /* signals ignored by inheritance */
    char init[32];                 /* the name of process 1, cleaned; empty: not known */
    bool own_init;                 /* this is process 1 */
    bool colab, databricks;        /* files that only these machines have */
    bool session_scope;            /* in a control group that logind made for a login */
    bool kill_at_logout;           /* logind ends what is left of a login */
    bool linger;                   /* but not this user's */
    struct lw_guard_terminal terminal;
    char *const *env; /* borrowed */
};

struct lw_guard_where {
    const char *proc; /* "/proc" */
    const char *root; /* "": in front of /etc, /var, /run */
    pid_t pid;        /* whose ancestors */
    char *const *env;
    struct lw_guard_terminal terminal;
};

void lw_guard_look(struct lw_guard_evidence *e, const struct lw_guard_where *where);

/* The same for this process, here and now. Before it changes what it does on signals. */
void lw_guard_look_here(struct lw_guard_evidence *e);

/* The value of an environment variable; NULL where it is unset or empty. */
const char *lw_guard_variable(const struct lw_guard_evidence *e, const char *name);

/* What a process is, by its name (comm) and its argument words. */
enum lw_guard_kind lw_guard_classify(const char *comm, const char *const *word, int words);

/* "kernel", "server", ...; "init", "outside", ... */
const char *lw_guard_kind_name(enum lw_guard_kind kind);
const char *lw_guard_end_name(enum lw_guard_end end);

#endif

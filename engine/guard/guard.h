/* SPDX-License-Identifier: MIT
 *
 * Is the place that a run is started from safe? From evidence to verdict, from the verdict to what
 * becomes of the strategy, and to lines that say so. Pure: the same evidence gives the same
 * answer, and nothing is printed here. doc/GUARD.md tells users the rules.
 */
#ifndef LW_GUARD_GUARD_H
#define LW_GUARD_GUARD_H

#include <stdbool.h>

#include "engine/guard/evidence.h"

/* Are we in a notebook? The first that fits. */
enum lw_guard_place {
    LW_PLACE_ELSEWHERE,
    LW_PLACE_HOSTED,   /* a machine that is there for a notebook: Colab, Kaggle */
    LW_PLACE_KERNEL,   /* a kernel is among the ancestors */
    LW_PLACE_HIDDEN,   /* a kernel's variables, and ancestors that are gone or hidden */
    LW_PLACE_UNSURE,   /* a kernel's variables, and no kernel among the ancestors: exported? */
    LW_PLACE_STALE,    /* a kernel's variables inside of something that does not depend on it */
    LW_PLACE_SERVER,   /* a notebook server's terminal */
    LW_PLACE_PLATFORM, /* a hosted platform that ends machines by its own rules */
    LW_PLACE_BATCH,    /* a job of a batch system */
    LW_PLACES
};

/* What a lost line or a closed window does to this terminal. */
enum lw_guard_hangup {
    LW_HANGUP_NO_TTY,
    LW_HANGUP_IGNORED,   /* SIGHUP is ignored by inheritance (nohup) */
    LW_HANGUP_MUX,       /* tmux and the like keep it */
    LW_HANGUP_MUX_ENDS,  /* but logind ends them with the login */
    LW_HANGUP_MOSH,      /* mosh keeps it */
    LW_HANGUP_SSH,       /* a bare SSH session */
    LW_HANGUP_SSH_ENDS,  /* and logind ends what is left of it */
    LW_HANGUP_SSH_PIPE,  /* ssh HOST COMMAND: output into a pipe, no terminal */
    LW_HANGUP_JUPYTER,   /* a Jupyter web terminal */
    LW_HANGUP_IDE,       /* an IDE's terminal, Codespaces, Cloud Shell */
    LW_HANGUP_KERNEL,    /* a kernel's own terminal (IPython's !) */
    LW_HANGUP_OUTSIDE,   /* docker exec, kubectl exec */
    LW_HANGUP_CONTAINER, /* a container's main program */
    LW_HANGUP_LOCAL,     /* a desktop's or a console's */
    LW_HANGUP_UNKNOWN,
    LW_HANGUPS
};

enum lw_guard_override {
    LW_OVERRIDE_UNSET,
    LW_OVERRIDE_ALLOWED, /* ALLOW_NOTEBOOK_DDP is 1, true or yes */
    LW_OVERRIDE_UNKNOWN, /* it says something else */
};

/* Where we stand as a container's process, or under sudo. */
enum lw_guard_init {
    LW_INIT_FINE,
    LW_INIT_SELF,    /* leeway is process 1: when it ends, everything ends */
    LW_INIT_UNKNOWN, /* process 1 is no init that is known to reap orphans */
};

struct lw_guard_verdict {
    enum lw_guard_place place;
    bool notebook; /* several ranks are not for here, unless allowed */
    enum lw_guard_override allowed;
    int process;               /* the ancestor it rests on, in evidence->chain; -1: none */
    const char *variable;      /* the variable it rests on; NULL: none */
    const char *value;         /* of ALLOW_NOTEBOOK_DDP, raw */
    const char *platform;      /* name, for LW_PLACE_PLATFORM and LW_PLACE_HOSTED */
    const char *platform_ends; /* what ends its machines */
    enum lw_guard_hangup hangup;
    enum lw_guard_init init;
    bool relayed; /* sudo or its like is among the ancestors */
    int kernel;   /* in chain: the process that the run ends with; -1: none */
};

void lw_guard_judge(const struct lw_guard_evidence *e, struct lw_guard_verdict *v);

/* Are we in a cell of a notebook, where a console would only print rubbish? */
bool lw_guard_in_cell(const struct lw_guard_verdict *v);

const char *lw_guard_place_name(enum lw_guard_place place);
const char *lw_guard_hangup_name(enum lw_guard_hangup hangup);

/* What lines of the guard in events.log begin with. */
#define LW_GUARD_MARK "guard: "

/* What there is to say: one line each, safe to print. */
enum lw_guard_level { LW_GUARD_INFO, LW_GUARD_WARN };
enum { LW_GUARD_LINES = 16, LW_GUARD_LINE = 400 };

struct lw_guard_line {
    enum lw_guard_level level;
    char text[LW_GUARD_LINE];
};

struct lw_guard_lines {
    struct lw_guard_line line[LW_GUARD_LINES];
    int count;
};

void lw_guard_add(struct lw_guard_lines *to, enum lw_guard_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The chain in one line: "pid 12 leeway <- 11 bash <- 10 sshd: me (process 1)". */
void lw_guard_chain_text(const struct lw_guard_evidence *e, char *out, size_t size);

/* Whatever is to be said of this place, whatever is trained. */
void lw_guard_remarks(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                      struct lw_guard_lines *to);

/* "notebook parent found: pid 17767 ..." and its like: why it is a notebook. */
void lw_guard_reason(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                     struct lw_guard_lines *to);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The verdict in words.
 */
#include "engine/guard/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

void lw_guard_add(struct lw_guard_lines *to, enum lw_guard_level level, const char *fmt, ...)
{
    struct lw_guard_line *line = &to->line[to->count];
    char raw[LW_GUARD_LINE];
    va_list args;

    if (to->count == LW_GUARD_LINES)
        return;
    va_start(args, fmt);
    vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    line->level = level;
    lw_text_clean(raw, strlen(raw), line->text, sizeof(line->text));
    to->count++;
}

void lw_guard_chain_text(const struct lw_guard_evidence *e, char *out, size_t size)
{
    size_t n = 0;

    *out = '\0';
    for (int i = 0; i < e->count && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%d %.50s%s", i ? " <- " : "",
                              (int)e->chain[i].p.pid, e->chain[i].command,
                              strlen(e->chain[i].command) > 50 ? "..." : "");
    if (e->end != LW_GUARD_INIT && n < size)
        snprintf(out + n, size - n, "%s%s", n ? " <- " : "", lw_guard_end_name(e->end));
}

void lw_guard_reason(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                     struct lw_guard_lines *to)
{
    const struct lw_guard_process *g = v->process >= 0 ? &e->chain[v->process] : NULL;

    if (v->place == LW_PLACE_HOSTED)
        lw_guard_add(to, LW_GUARD_WARN, "this is a notebook's machine: %s (%s)", v->platform,
                     v->variable ? v->variable : "/var/colab/hostname");
    else if (v->place == LW_PLACE_KERNEL && g)
        lw_guard_add(to, LW_GUARD_WARN, "notebook parent found: pid %d \"%s\" (%d level%s up)",
                     (int)g->p.pid, g->command, v->process, v->process == 1 ? "" : "s");
    else if (v->place == LW_PLACE_HIDDEN)
        lw_guard_add(to, LW_GUARD_WARN,
                     "notebook variable %s is set but the parent is gone or hidden (chain ends at "
                     "%s): treated as a notebook. Unset it or set ALLOW_NOTEBOOK_DDP=1 if this is "
                     "wrong.",
                     v->variable, e->end == LW_GUARD_INIT ? "init" : lw_guard_end_name(e->end));
    else if (v->place == LW_PLACE_UNSURE)
        lw_guard_add(to, LW_GUARD_WARN,
                     "notebook variable %s is set though no kernel is among the parents: treated "
                     "as a notebook. Unset it or set ALLOW_NOTEBOOK_DDP=1 if this is wrong.",
                     v->variable);
}

/* What a lost terminal means, by its kind; %d is its owner's pid, %s its command. */
static void say_hangup(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                       struct lw_guard_lines *to)
{
    int pid = (int)e->owner.p.pid;

    switch (v->hangup) {
    case LW_HANGUP_SSH:
        lw_guard_add(to, LW_GUARD_WARN,
                     "this SSH session has no tmux or screen. The run goes on if the line drops; "
                     "come back with: leeway attach RUN");
        break;
    case LW_HANGUP_SSH_ENDS:
        lw_guard_add(to, LW_GUARD_WARN,
                     "this SSH session has no tmux or screen, and logind (KillUserProcesses=yes) "
                     "ends the run at logout: loginctl enable-linger keeps it, then come back with "
                     "leeway attach RUN");
        break;
    case LW_HANGUP_MUX_ENDS:
        lw_guard_add(to, LW_GUARD_WARN,
                     "logind (KillUserProcesses=yes) ends this %s and the run at logout: loginctl "
                     "enable-linger keeps them, or systemd-run --user --scope tmux",
                     e->owner.p.comm);
        break;
    case LW_HANGUP_SSH_PIPE:
        lw_guard_add(to, LW_GUARD_WARN,
                     "started by ssh without a terminal: if the line drops the run goes on "
                     "unseen; leeway attach RUN shows it, leeway stop RUN ends it");
        break;
    case LW_HANGUP_JUPYTER:
        lw_guard_add(to, LW_GUARD_WARN,
                     "web terminal of Jupyter server pid %d: closing or culling it ends only what "
                     "is shown here. The run goes on while its machine does; come back with: "
                     "leeway attach RUN",
                     pid);
        break;
    case LW_HANGUP_IDE:
        lw_guard_add(to, LW_GUARD_WARN,
                     "terminal of an IDE: it may be closed with its window or some time after the "
                     "connection is lost. The run goes on; come back with: leeway attach RUN");
        break;
    case LW_HANGUP_OUTSIDE:
        lw_guard_add(to, LW_GUARD_WARN,
                     "started from outside of this container (docker exec, kubectl exec): if that "
                     "client is lost the run goes on unattended; leeway runs lists it, leeway stop "
                     "RUN ends it");
        break;
    case LW_HANGUP_UNKNOWN:
        lw_guard_add(to, LW_GUARD_WARN,
                     "cannot tell who holds this terminal. Should it be closed, the run goes on; "
                     "come back with: leeway attach RUN");
        break;
    case LW_HANGUP_MOSH:
        lw_guard_add(to, LW_GUARD_INFO, "mosh (pid %d) keeps this terminal when the line drops",
                     pid);
        break;
    default:
        break;
    }
}

static void say_terminal(const struct lw_guard_evidence *e, struct lw_guard_lines *to)
{
    const struct lw_guard_terminal *t = &e->terminal;
    const char *term = lw_guard_variable(e, "TERM");

    if (!t->in || !t->out)
        return;
    if (!term || !strcmp(term, "dumb"))
        lw_guard_add(to, LW_GUARD_WARN,
                     "this terminal (TERM %s) cannot show the console: plain lines instead",
                     term ? term : "unset");
    else if (t->rows > 0 && t->cols > 0 && (t->rows < 5 || t->cols < 20))
        lw_guard_add(to, LW_GUARD_WARN,
                     "this terminal has %d columns and %d rows: below 20x5 the console is one line",
                     t->cols, t->rows);
}

static void say_init(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                     struct lw_guard_lines *to)
{
    if (v->init == LW_INIT_SELF)
        lw_guard_add(to, LW_GUARD_WARN,
                     "leeway is process 1 of this container: when it ends the container ends, and "
                     "every run in it");
    if (v->relayed)
        lw_guard_add(to, LW_GUARD_INFO,
                     "sudo or su is among the parents: it relays signals; better start leeway as "
                     "the final user");
    if (e->int_ignored)
        lw_guard_add(to, LW_GUARD_INFO,
                     "SIGINT is ignored by the parent (started with '&'?): leeway uses a handler "
                     "of its own, Ctrl-C works");
}

void lw_guard_remarks(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                      struct lw_guard_lines *to)
{
    if (v->place == LW_PLACE_STALE)
        lw_guard_add(to, LW_GUARD_INFO,
                     "%s ignored: inside %s pid %d, which does not depend on the kernel",
                     v->variable, e->chain[v->process].p.comm, (int)e->chain[v->process].p.pid);
    if (v->place == LW_PLACE_PLATFORM)
        lw_guard_add(to, LW_GUARD_WARN, "this is %s (%s): the machine, and the run, end by %s",
                     v->platform, v->variable ? v->variable : "/databricks/DBR_VERSION",
                     v->platform_ends);
    if (v->place == LW_PLACE_SERVER && v->hangup != LW_HANGUP_JUPYTER)
        lw_guard_add(to, LW_GUARD_WARN,
                     "below a notebook server (%s): the run ends at the latest with its machine; "
                     "come back with: leeway attach RUN",
                     v->process >= 0 ? e->chain[v->process].command : v->variable);
    say_hangup(e, v, to);
    say_terminal(e, to);
    say_init(e, v, to);
}

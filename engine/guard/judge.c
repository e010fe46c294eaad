/* SPDX-License-Identifier: MIT */
#include "engine/guard/guard.h"

#include <string.h>
#include <strings.h>

struct mark {
    const char *variable, *value; /* value NULL: any but empty */
    const char *name, *ends;
};

/* Machines that exist for one notebook; also their terminals are its. */
static const struct mark hosted[] = {
    {"COLAB_RELEASE_TAG", NULL, "Google Colab", NULL},
    {"COLAB_BACKEND_VERSION", NULL, "Google Colab", NULL},
    {"VERTEX_PRODUCT", "COLAB_ENTERPRISE", "Google Colab Enterprise", NULL},
    {"KAGGLE_KERNEL_RUN_TYPE", NULL, "Kaggle", NULL},
};

static const struct mark platforms[] = {
    {"DATABRICKS_RUNTIME_VERSION", NULL, "Databricks", "auto-termination of the cluster"},
    {"DEEPNOTE_PROJECT_ID", NULL, "Deepnote", "its inactivity limit"},
    {"DEEPNOTE_PROJECT_OWNER_ID", NULL, "Deepnote", "its inactivity limit"},
    {"PAPERSPACE_NOTEBOOK_ID", NULL, "Paperspace", "its auto-shutdown"},
    {"PAPERSPACE_NOTEBOOK_REPO_ID", NULL, "Paperspace", "its auto-shutdown"},
    {"SAGEMAKER_APP_TYPE", NULL, "SageMaker Studio", "idle shutdown of the app"},
    {"SAGEMAKER_APP_TYPE_LOWERCASE", NULL, "SageMaker Studio", "idle shutdown of the app"},
    {"DATALORE_USER", NULL, "Datalore", "its idle shutdown"},
    {"DATALORE_HOME", NULL, "Datalore", "its idle shutdown"},
    {"CODESPACES", NULL, "GitHub Codespaces", "its idle stop, 30 minutes unless set otherwise"},
    {"CLOUD_SHELL", NULL, "Cloud Shell", "an hour without activity"},
    {"DEVSHELL_PROJECT_ID", NULL, "Cloud Shell", "an hour without activity"},
};

static const char *const jobs[] = {"SM_CURRENT_HOST", "AZUREML_RUN_ID"};
static const char *const server_variables[] = {"JUPYTER_SERVER_ROOT", "JUPYTER_SERVER_URL"};

#define COUNT(list) (sizeof(list) / sizeof(list[0]))

static const struct mark *find_mark(const struct lw_guard_evidence *e, const struct mark *list,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = lw_guard_variable(e, list[i].variable);

        if (value && (!list[i].value || !strcmp(value, list[i].value)))
            return &list[i];
    }
    return NULL;
}

static bool is(const struct lw_guard_evidence *e, const char *name, const char *value)
{
    const char *there = lw_guard_variable(e, name);

    return there && !strcmp(there, value);
}

/* A variable that only a kernel sets; NULL: none. ipykernel also leaves a mark of four that each
 * alone mean little. */
static const char *kernel_variable(const struct lw_guard_evidence *e)
{
    const char *backend = lw_guard_variable(e, "MPLBACKEND");

    if (lw_guard_variable(e, "JPY_PARENT_PID"))
        return "JPY_PARENT_PID";
    if (lw_guard_variable(e, "JPY_SESSION_NAME"))
        return "JPY_SESSION_NAME";
    if (lw_guard_variable(e, "PYDEVD_IPYTHON_COMPATIBLE_DEBUGGING") && backend &&
        strstr(backend, "inline"))
        return "MPLBACKEND";
    if (is(e, "PAGER", "cat") && is(e, "GIT_PAGER", "cat") && is(e, "CLICOLOR", "1") &&
        is(e, "TERM", "xterm-color"))
        return "GIT_PAGER";
    return NULL;
}

/* A process that whatever runs below it does not depend on. A multiplexer is one only where it
 * leads its own session: screen -D -m in a terminal dies with it. */
static bool is_barrier(const struct lw_guard_process *g)
{
    switch (g->kind) {
    case LW_GUARD_MUX:
        return g->p.sid == g->p.pid;
    case LW_GUARD_BATCH:
    case LW_GUARD_CRON:
        return true;
    default:
        return false;
    }
}

/* marimo's kernels are Python children of its server, and have no name of their own. A shell there
 * is its terminal. */
static bool is_marimo_kernel(const struct lw_guard_evidence *e, int i)
{
    return i + 1 < e->count && e->chain[i].kind != LW_GUARD_SHELL &&
           e->chain[i + 1].kind == LW_GUARD_SERVER && strstr(e->chain[i + 1].command, "marimo") &&
           (strstr(e->chain[i].command, "python") || strstr(e->chain[i].command, "marimo"));
}

struct found {
    int kernel, server, barrier; /* the nearest; kernel and server: below any barrier; -1: none */
    bool orphan;                 /* nothing but adopters above us */
};

static struct found search(const struct lw_guard_evidence *e)
{
    struct found f = {-1, -1, -1, true};

    for (int i = 1; i < e->count; i++) {
        const struct lw_guard_process *g = &e->chain[i];
        bool adopter = g->p.pid == 1 || g->kind == LW_GUARD_SYSTEMD || g->kind == LW_GUARD_REAPER;
        bool below = f.barrier < 0;

        f.orphan = f.orphan && adopter;
        if (below && is_barrier(g))
            f.barrier = i;
        else if (below && f.kernel < 0 && (g->kind == LW_GUARD_KERNEL || is_marimo_kernel(e, i)))
            f.kernel = i;
        else if (below && f.server < 0 && g->kind == LW_GUARD_SERVER)
            f.server = i;
    }
    return f;
}

static void judge_place(const struct lw_guard_evidence *e, const struct found *f,
                        struct lw_guard_verdict *v)
{
    const struct mark *mark = find_mark(e, hosted, COUNT(hosted));
    const char *variable = kernel_variable(e);

    v->process = f->kernel;
    v->kernel = f->kernel;
    if (mark || e->colab) {
        v->place = LW_PLACE_HOSTED;
        v->variable = mark ? mark->variable : NULL;
        v->platform = mark ? mark->name : hosted[0].name;
        return;
    }
    if (f->kernel >= 0) {
        v->place = LW_PLACE_KERNEL;
        return;
    }
    v->variable = variable;
    if (variable && f->barrier >= 0) {
        v->place = LW_PLACE_STALE;
        v->process = f->barrier;
        return;
    }
    if (variable) {
        v->place = e->end != LW_GUARD_INIT || f->orphan ? LW_PLACE_HIDDEN : LW_PLACE_UNSURE;
        return;
    }
    v->process = f->server;
    for (size_t i = 0; i < COUNT(server_variables) && !v->variable && f->barrier < 0; i++)
        if (lw_guard_variable(e, server_variables[i]))
            v->variable = server_variables[i];
    if (f->server >= 0 || v->variable) {
        v->place = LW_PLACE_SERVER;
        return;
    }
    mark = find_mark(e, platforms, COUNT(platforms));
    if (mark || e->databricks) {
        v->variable = mark ? mark->variable : NULL;
        mark = mark ? mark : &platforms[0];
        v->place = LW_PLACE_PLATFORM;
        v->platform = mark->name;
        v->platform_ends = mark->ends;
        return;
    }
    for (size_t i = 0; i < COUNT(jobs) && !v->variable; i++)
        if (lw_guard_variable(e, jobs[i]))
            v->variable = jobs[i];
    if (v->variable || (f->barrier >= 0 && e->chain[f->barrier].kind == LW_GUARD_BATCH)) {
        v->place = LW_PLACE_BATCH;
        v->process = v->variable ? -1 : f->barrier;
    }
}

static void judge_override(const struct lw_guard_evidence *e, struct lw_guard_verdict *v)
{
    v->value = lw_guard_variable(e, "ALLOW_NOTEBOOK_DDP");
    if (!v->value)
        return;
    v->allowed =
        !strcasecmp(v->value, "1") || !strcasecmp(v->value, "true") || !strcasecmp(v->value, "yes")
            ? LW_OVERRIDE_ALLOWED
            : LW_OVERRIDE_UNKNOWN;
}

static bool in_ide_by_variables(const struct lw_guard_evidence *e)
{
    return is(e, "TERM_PROGRAM", "vscode") || is(e, "TERMINAL_EMULATOR", "JetBrains-JediTerm") ||
           lw_guard_variable(e, "CODESPACES") || lw_guard_variable(e, "CLOUD_SHELL") ||
           lw_guard_variable(e, "RSTUDIO");
}

static enum lw_guard_hangup judge_owner(const struct lw_guard_evidence *e)
{
    bool ends = e->session_scope && e->kill_at_logout && !e->linger;

    switch (e->owner.kind) {
    case LW_GUARD_MUX:
        return ends ? LW_HANGUP_MUX_ENDS : LW_HANGUP_MUX;
    case LW_GUARD_MOSH:
        return LW_HANGUP_MOSH;
    case LW_GUARD_SSH:
        return ends ? LW_HANGUP_SSH_ENDS : LW_HANGUP_SSH;
    case LW_GUARD_SERVER:
        return LW_HANGUP_JUPYTER;
    case LW_GUARD_KERNEL:
        return LW_HANGUP_KERNEL;
    case LW_GUARD_IDE:
        return LW_HANGUP_IDE;
    case LW_GUARD_TERMINAL:
    case LW_GUARD_SYSTEMD:
        return in_ide_by_variables(e) ? LW_HANGUP_IDE : LW_HANGUP_LOCAL;
    default:
        return in_ide_by_variables(e) ? LW_HANGUP_IDE : LW_HANGUP_UNKNOWN;
    }
}

/* Without a terminal there is nothing to hang up, but a pipe to an SSH client may break, and the
 * client of a docker exec may go. */
static enum lw_guard_hangup judge_pipe(const struct lw_guard_evidence *e, const struct found *f)
{
    int nearest = f->barrier >= 0 ? f->barrier : e->count;

    if (e->end == LW_GUARD_OUTSIDE && f->barrier < 0)
        return LW_HANGUP_OUTSIDE;
    for (int i = 1; i < nearest && f->kernel < 0; i++)
        if (e->chain[i].kind == LW_GUARD_SSH)
            return LW_HANGUP_SSH_PIPE;
    return LW_HANGUP_NO_TTY;
}

static enum lw_guard_hangup judge_hangup(const struct lw_guard_evidence *e, const struct found *f)
{
    switch (e->tty) {
    case LW_GUARD_NO_TTY:
        return judge_pipe(e, f);
    case LW_GUARD_TTY_INIT:
        return LW_HANGUP_CONTAINER;
    case LW_GUARD_TTY_OUTSIDE:
        return LW_HANGUP_OUTSIDE;
    case LW_GUARD_TTY_LOST:
        return e->hup_ignored ? LW_HANGUP_IGNORED : LW_HANGUP_UNKNOWN;
    default:
        return e->hup_ignored ? LW_HANGUP_IGNORED : judge_owner(e);
    }
}

/* Does process 1 wait for children that were left to it? These are known to. */
static enum lw_guard_init judge_init(const struct lw_guard_evidence *e)
{
    static const char *const good[] = {
        "systemd",  "init", "tini",        "dumb-init", "docker-init", "catatonit", "s6-svscan",
        "runsvdir", "bash", "podman-init", "conmon",    "supervisord", "launchd",   "runit"};

    if (e->own_init)
        return LW_INIT_SELF;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!strncmp(e->init, good[i], strlen(good[i])))
            return LW_INIT_FINE;
    return *e->init ? LW_INIT_UNKNOWN : LW_INIT_FINE;
}

void lw_guard_judge(const struct lw_guard_evidence *e, struct lw_guard_verdict *v)
{
    struct found f = search(e);

    *v = (struct lw_guard_verdict){.process = -1, .kernel = -1};
    judge_place(e, &f, v);
    v->notebook = v->place >= LW_PLACE_HOSTED && v->place <= LW_PLACE_UNSURE;
    judge_override(e, v);
    v->hangup = judge_hangup(e, &f);
    v->init = judge_init(e);
    for (int i = 1; i < e->count; i++)
        v->relayed = v->relayed || e->chain[i].kind == LW_GUARD_SUDO;
}

bool lw_guard_in_cell(const struct lw_guard_verdict *v)
{
    return v->kernel >= 0 || v->place == LW_PLACE_HIDDEN;
}

const char *lw_guard_place_name(enum lw_guard_place place)
{
    static const char *const names[LW_PLACES] = {
        "elsewhere",       "hosted notebook", "notebook", "hidden notebook", "perhaps a notebook",
        "left a notebook", "notebook server", "platform", "batch job"};

    return (unsigned)place < LW_PLACES ? names[place] : "?";
}

const char *lw_guard_hangup_name(enum lw_guard_hangup hangup)
{
    static const char *const names[LW_HANGUPS] = {"no terminal",
                                                  "ignored",
                                                  "multiplexer",
                                                  "multiplexer, ended at logout",
                                                  "mosh",
                                                  "ssh",
                                                  "ssh, ended at logout",
                                                  "ssh without a terminal",
                                                  "jupyter",
                                                  "ide",
                                                  "kernel",
                                                  "outside",
                                                  "container",
                                                  "local",
                                                  "unknown"};

    return (unsigned)hangup < LW_HANGUPS ? names[hangup] : "?";
}

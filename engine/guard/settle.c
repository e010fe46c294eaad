/* SPDX-License-Identifier: MIT */
#include "engine/guard/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int change(struct lw_config *c, const char *field, const char *value, const char *why,
                  struct lw_error *err)
{
    return lw_config_change(c, field, value, why, err);
}

/* One rank, whatever was asked for. */
static int force_one(struct lw_config *c, const char *why, struct lw_error *err)
{
    int rc = 0;

    if (c->strategy != LW_STRATEGY_AUTO)
        rc = change(c, "strategy", "auto", why, err);
    if (rc == 0 && c->devices != 1)
        rc = change(c, "devices", "1", why, err);
    if (rc == 0 && c->num_nodes != 1)
        rc = change(c, "num_nodes", "1", why, err);
    return rc;
}

static int settle_notebook(struct lw_config *c, const struct lw_guard_evidence *e,
                           const struct lw_guard_verdict *v, const char *strategy,
                           struct lw_guard_lines *lines, struct lw_error *err)
{
    bool several = c->devices > 1 || c->num_nodes > 1;
    char keep[64] = "several ranks";

    if (c->strategy != LW_STRATEGY_AUTO)
        snprintf(keep, sizeof(keep), "'%s'", strategy);
    if (c->strategy == LW_STRATEGY_AUTO && !several)
        return force_one(c, "the guard: in a notebook", err);
    lw_guard_reason(e, v, lines);
    if (v->allowed == LW_OVERRIDE_UNKNOWN)
        lw_guard_add(lines, LW_GUARD_WARN,
                     "ALLOW_NOTEBOOK_DDP='%.40s' not understood (use 1, true or yes): strategy "
                     "forced to 'auto'.",
                     v->value);
    if (c->strategy != LW_STRATEGY_AUTO)
        lw_guard_add(lines, LW_GUARD_WARN,
                     "strategy '%s' -> 'auto' (1 device). In a notebook, extra ranks outlive the "
                     "kernel and keep GPU memory.",
                     strategy);
    else
        lw_guard_add(lines, LW_GUARD_WARN,
                     "1 device instead of %d. In a notebook, extra ranks outlive the kernel and "
                     "keep GPU memory.",
                     c->devices > 1 ? c->devices * c->num_nodes : c->num_nodes);
    lw_guard_add(lines, LW_GUARD_WARN,
                 "run it from a terminal or tmux instead, or set ALLOW_NOTEBOOK_DDP=1 to keep %s.",
                 keep);
    return force_one(c, "the guard: in a notebook, more ranks could outlive it", err);
}

static void say_allowed(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v,
                        const char *keep, bool outlive, struct lw_guard_lines *lines)
{
    if (v->kernel >= 0)
        lw_guard_add(lines, LW_GUARD_WARN,
                     "ALLOW_NOTEBOOK_DDP=%.10s: keeping %s under notebook kernel pid %d. %s",
                     v->value, keep, (int)e->chain[v->kernel].p.pid,
                     outlive ? "The run outlives that kernel."
                             : "The run ends when that kernel ends.");
    else
        lw_guard_add(lines, LW_GUARD_WARN,
                     "ALLOW_NOTEBOOK_DDP=%.10s: keeping %s in what looks like a notebook (%s)",
                     v->value, keep, v->variable ? v->variable : v->platform);
    lw_guard_add(lines, LW_GUARD_WARN,
                 "if GPU memory stays in use: leeway runs, leeway stop RUN (no kernel restart "
                 "needed).");
}

/* More than there are is an error; ddp over one device is no ddp. */
static int settle_devices(struct lw_config *c, const struct lw_devices *d, const char *strategy,
                          struct lw_guard_lines *lines, struct lw_error *err)
{
    bool one;

    if (c->devices > d->count && d->count > 0)
        return lw_fail(err, LW_EUSAGE, "devices: %d were asked for, but there %s %d here: %s",
                       c->devices, d->count == 1 ? "is" : "are", d->count, d->names);
    one = c->devices ? c->devices == 1 : !d->gpu || d->count <= 1;
    if (c->strategy != LW_STRATEGY_DDP || !one || c->num_nodes > 1)
        return 0;
    if (c->devices || d->count <= 1)
        lw_guard_add(lines, LW_GUARD_WARN, "strategy '%s' -> 'auto': %s", strategy,
                     c->devices ? "devices is 1, and one rank needs no other to agree with"
                                : "there is one device");
    else
        lw_guard_add(lines, LW_GUARD_WARN,
                     "strategy '%s' -> 'auto': without a GPU there is one rank unless devices=N "
                     "asks for more (%d processors here)",
                     strategy, d->count);
    return change(c, "strategy", "auto", "the guard: one device", err);
}

int lw_guard_refuse(const struct lw_config *c, struct lw_error *err)
{
    if (c->strategy == LW_STRATEGY_FSDP)
        return lw_fail(err, LW_EUSAGE,
                       "strategy: fsdp is not available in this version: use ddp, which keeps a "
                       "whole copy of the model on every device");
    return 0;
}

/* leeway starts the ranks of this machine; those of others are a launcher's work. */
static int check_nodes(const struct lw_config *c, struct lw_error *err)
{
    if (c->num_nodes == 1 || getenv("WORLD_SIZE") || getenv("PMIX_RANK"))
        return 0;
    return lw_fail(err, LW_EUSAGE,
                   "num_nodes: ranks on %d machines are started by mpirun, srun or torchrun, one "
                   "leeway each",
                   c->num_nodes);
}

int lw_guard_settle(struct lw_config *c, const struct lw_guard_evidence *e,
                    const struct lw_guard_verdict *v, const struct lw_devices *d, bool outlive,
                    struct lw_guard_lines *lines, struct lw_error *err)
{
    bool more = c->strategy != LW_STRATEGY_AUTO || c->devices > 1 || c->num_nodes > 1;
    char strategy[32] = "", keep[64];
    int rc = 0;

    lw_config_get(c, "strategy", strategy, sizeof(strategy));
    snprintf(keep, sizeof(keep), c->strategy != LW_STRATEGY_AUTO ? "'%s'" : "several ranks",
             strategy);
    if (v->notebook && v->allowed != LW_OVERRIDE_ALLOWED)
        rc = settle_notebook(c, e, v, strategy, lines, err);
    else if (v->notebook && more)
        say_allowed(e, v, keep, outlive, lines);
    if (rc == 0)
        rc = settle_devices(c, d, strategy, lines, err);
    if (rc == 0)
        rc = lw_guard_refuse(c, err);
    if (rc == 0)
        rc = check_nodes(c, err);
    if (rc == 0)
        lw_guard_remarks(e, v, lines);
    if (rc == 0 && v->kernel >= 0 && !(v->allowed == LW_OVERRIDE_ALLOWED && more))
        lw_guard_add(lines, LW_GUARD_WARN,
                     outlive ? "started from notebook kernel pid %d, which this run outlives"
                             : "the run ends when notebook kernel pid %d ends; --detach "
                               "--outlive-kernel lets it go on",
                     (int)e->chain[v->kernel].p.pid);
    return rc;
}

void lw_guard_devices(const struct lw_config *c, struct lw_devices *d)
{
    if (!lw_config_wants_gpu(c)) {
        lw_devices_processors(d);
        return;
    }
    lw_devices_cards(d, "/proc", getenv("CUDA_VISIBLE_DEVICES"));
    if (!strncmp(c->device, "cuda:", 5)) { /* this one and no other */
        d->count = 1;
        snprintf(d->names, sizeof(d->names), "%s", c->device);
    }
}

int lw_guard_note(struct lw_config *c, const struct lw_guard_evidence *e,
                  const struct lw_guard_verdict *v, struct lw_error *err)
{
    char chain[1024];
    int rc;

    lw_guard_chain_text(e, chain, sizeof(chain));
    rc = lw_config_note(c, err, "guard: %s%s%s; terminal: %s%s%s", lw_guard_place_name(v->place),
                        v->variable ? " by " : "", v->variable ? v->variable : "",
                        lw_guard_hangup_name(v->hangup), v->value ? "; ALLOW_NOTEBOOK_DDP=" : "",
                        v->allowed == LW_OVERRIDE_ALLOWED ? "1"
                        : v->value                        ? "?"
                                                          : "");
    return rc == 0 && *chain ? lw_config_note(c, err, "guard: %s", chain) : rc;
}

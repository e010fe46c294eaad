/* SPDX-License-Identifier: MIT */
#include "tui/commands/guarded.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/guard/orphans.h"
#include "engine/run/events.h"

static void add_event(struct lw_guarded *l, struct lw_start *how, enum lw_guard_level level,
                      const char *text)
{
    char *to = l->text[how->events];

    snprintf(to, sizeof l->text[0], LW_GUARD_MARK "%s", text);
    l->event[how->events++] =
        (struct lw_start_event){level == LW_GUARD_WARN ? LW_EVENT_WARN : LW_EVENT_INFO, to};
}

int lw_guarded_look(struct lw_guarded *l, struct lw_config *c, bool outlive, struct lw_start *how,
                    struct lw_error *err)
{
    char chain[480], verdict[LW_GUARD_LINE + 500];
    struct lw_devices devices;
    int rc;

    l->lines.count = 0;
    lw_guard_look_here(&l->evidence);
    lw_guard_judge(&l->evidence, &l->verdict);
    lw_guard_devices(c, &devices);
    rc = lw_guard_settle(c, &l->evidence, &l->verdict, &devices, outlive, &l->lines, err);
    for (int i = 0; i < l->lines.count; i++)
        if (l->lines.line[i].level == LW_GUARD_WARN)
            fprintf(stderr, "leeway: %s\n", l->lines.line[i].text);
    if (rc == 0)
        rc = lw_guard_note(c, &l->evidence, &l->verdict, err);
    if (rc < 0)
        return rc;
    how->event = l->event;
    how->events = 0;
    lw_guard_chain_text(&l->evidence, chain, sizeof chain);
    snprintf(verdict, sizeof verdict, "%s; terminal: %s; %s", lw_guard_place_name(l->verdict.place),
             lw_guard_hangup_name(l->verdict.hangup), chain);
    add_event(l, how, LW_GUARD_INFO, verdict);
    for (int i = 0; i < l->lines.count; i++)
        add_event(l, how, l->lines.line[i].level, l->lines.line[i].text);
    if (l->verdict.kernel >= 0 && !outlive) {
        const struct lw_process *kernel = &l->evidence.chain[l->verdict.kernel].p;

        how->kernel = kernel->pid;
        how->kernel_start = kernel->start;
    }
    return 0;
}

struct probe {
    pid_t orphan;
    bool plain;
    char init[32];
    char dir[];
};

static void *probe(void *user)
{
    struct lw_events *events = NULL;
    struct probe *p = user;
    struct lw_error err;

    if (lw_orphan_stays(p->orphan, LW_ORPHAN_S)) {
        if (p->plain)
            fprintf(stderr, "leeway: " LW_ORPHAN_TEXT "\n", p->init);
        if (lw_events_open(&events, p->dir, &err) == 0)
            lw_events_add(events, LW_EVENT_WARN, LW_GUARD_MARK LW_ORPHAN_TEXT, p->init);
        lw_events_close(events);
    }
    free(p);
    return NULL;
}

void lw_guarded_probe(const struct lw_guarded *l, const char *dir, bool plain)
{
    struct probe *p =
        l->verdict.init == LW_INIT_UNKNOWN ? malloc(sizeof *p + strlen(dir) + 1) : NULL;
    sigset_t all, old;
    pthread_t thread;

    if (!p)
        return;
    strcpy(p->dir, dir);
    p->plain = plain;
    snprintf(p->init, sizeof p->init, "%s", l->evidence.init);
    p->orphan = lw_orphan_make();
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old); /* signals are for the thread that draws */
    if (p->orphan > 0 && pthread_create(&thread, NULL, probe, p) == 0)
        pthread_detach(thread);
    else
        free(p);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tui/commands/guarded.h"

#include <stdio.h>

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

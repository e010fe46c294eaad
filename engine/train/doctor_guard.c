/* SPDX-License-Identifier: MIT */
#include "engine/train/doctor_guard.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/guard/guard.h"
#include "engine/guard/orphans.h"

static json_t *chain_report(const struct lw_guard_evidence *e)
{
    json_t *list = json_array();

    for (int i = 0; i < e->count; i++) {
        const struct lw_guard_process *g = &e->chain[i];

        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:s, s:i, s:b}", "pid", (int)g->p.pid,
                                        "command", g->command, "kind", lw_guard_kind_name(g->kind),
                                        "session", (int)g->p.sid, "terminal", g->p.tty != 0));
    }
    return list;
}

static json_t *lines_report(const struct lw_guard_lines *lines, int *warnings)
{
    json_t *list = json_array();

    *warnings = 0;
    for (int i = 0; i < lines->count; i++) {
        bool warn = lines->line[i].level == LW_GUARD_WARN;

        *warnings += warn;
        json_array_append_new(list, json_pack("{s:s, s:s}", "level", warn ? "warn" : "info", "text",
                                              lines->line[i].text));
    }
    return list;
}

json_t *lw_doctor_guard(void)
{
    static struct lw_guard_evidence e;
    struct lw_guard_lines lines = {.count = 0};
    struct lw_guard_verdict v;
    double began = lw_clock_now(), ms;
    pid_t orphan;
    bool forced;
    json_t *list;
    int warnings;

    lw_guard_look_here(&e);
    lw_guard_judge(&e, &v);
    ms = (lw_clock_now() - began) * 1e3;
    forced = v.notebook && v.allowed != LW_OVERRIDE_ALLOWED;
    lw_guard_reason(&e, &v, &lines);
    lw_guard_remarks(&e, &v, &lines);
    if (v.allowed == LW_OVERRIDE_UNKNOWN)
        lw_guard_add(&lines, LW_GUARD_WARN,
                     "ALLOW_NOTEBOOK_DDP='%.40s' not understood (use 1, true or yes)", v.value);
    if (v.init == LW_INIT_UNKNOWN && (orphan = lw_orphan_make()) > 0 &&
        lw_orphan_stays(orphan, LW_ORPHAN_S))
        lw_guard_add(&lines, LW_GUARD_WARN, LW_ORPHAN_TEXT, e.init);
    list = lines_report(&lines, &warnings);
    return json_pack("{s:s, s:b, s:s, s:s?, s:b, s:b, s:s, s:s, s:o, s:o, s:i, s:f}", "verdict",
                     lw_guard_place_name(v.place), "notebook", v.notebook, "terminal",
                     lw_guard_hangup_name(v.hangup), "variable", v.variable, "allowed",
                     v.allowed == LW_OVERRIDE_ALLOWED, "one_rank", forced, "chain_ends",
                     lw_guard_end_name(e.end), "init", e.init, "chain", chain_report(&e), "lines",
                     list, "warnings", warnings, "ms", ms);
}

void lw_doctor_guard_print(const json_t *report)
{
    const json_t *chain = json_object_get(report, "chain"), *line;
    size_t i;

    printf("guard       %s; terminal: %s; %s (told in %.2f ms)\n",
           json_string_value(json_object_get(report, "verdict")),
           json_string_value(json_object_get(report, "terminal")),
           json_is_true(json_object_get(report, "one_rank"))
               ? "ddp and fsdp become auto, one device"
               : "the strategy is left as it is",
           json_real_value(json_object_get(report, "ms")));
    json_array_foreach(chain, i, line)
        printf("  %-9s %7d %s%s%s%s\n", i ? "" : "chain",
               (int)json_integer_value(json_object_get(line, "pid")),
               json_string_value(json_object_get(line, "command")), i ? " [" : "",
               i ? json_string_value(json_object_get(line, "kind")) : "", i ? "]" : "");
    printf("  %-9s   at %s\n", "ends", json_string_value(json_object_get(report, "chain_ends")));
    json_array_foreach(json_object_get(report, "lines"), i, line)
        printf("  %-9s %s\n", json_string_value(json_object_get(line, "level")),
               json_string_value(json_object_get(line, "text")));
}

/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "tui/runlist.h"
#include "tui/verb.h"
#include "widgets/axis.h"

const struct lw_option lw_runs_options[] = {
    {"json", 0, NULL, "print one JSON document"},
    LW_COMMON_OPTIONS,
};

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *whole(int64_t v)
{
    return v > 0 ? json_integer(v) : json_null();
}

static json_t *seconds(double v)
{
    return v > 0.0 ? json_real(v) : json_null();
}

static json_t *one(const struct lw_run_line *r)
{
    char dir[4096];

    lw_text_clean(r->dir, strlen(r->dir), dir, sizeof dir); /* JSON must be UTF-8 */
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:s, s:s}",
                     "name", r->name, "dir", dir, "state", r->state, "alive", r->alive, "step",
                     json_integer(r->step), "of", whole(r->of), "train_loss", number(r->train_loss),
                     "val_loss", number(r->val_loss), "best_val_loss", number(r->best_val_loss),
                     "best_step", whole(r->best_step), "throughput", number(r->throughput), "time",
                     number(r->time), "eta", number(r->eta), "started", number(r->started),
                     "silent", seconds(r->silent), "device", r->device, "error", r->error);
}

static int print_json(const struct lw_runs *runs, struct lw_error *err)
{
    json_t *list = json_array();
    int rc = list ? 0 : -1;

    for (int i = 0; i < runs->count && !rc; i++)
        rc = json_array_append_new(list, one(&runs->line[i]));
    if (rc || json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)))
        rc = lw_fail(err, LW_EMEM, "cannot write the list as JSON");
    else
        printf("\n");
    json_decref(list);
    return rc;
}

static int cells(const char *text)
{
    int n = 0;

    for (size_t left = strlen(text), used; left; left -= used, text += used) {
        uint32_t code;
        int width;

        used = lw_utf8_decode(text, left, &code);
        if (!used)
            used = 1;
        width = lw_utf8_width(code);
        n += width > 0 ? width : 0;
    }
    return n;
}

/* What is not as it should be: that a run is silent, or why it failed. */
static void put_trouble(const struct lw_run_line *r, char *out, size_t size)
{
    char silent[LW_NUMBER_SIZE];

    out[0] = '\0';
    if (r->silent > 0.0) {
        lw_number_format(r->silent, LW_NUMBER_DURATION, silent);
        snprintf(out, size, "  silent for %s", silent);
    } else if (r->failed && r->error[0]) {
        snprintf(out, size, "  %s", r->error);
    }
}

static void print_table(const struct lw_runs *runs)
{
    int name = 4;

    for (int i = 0; i < runs->count; i++)
        name = cells(runs->line[i].name) > name ? cells(runs->line[i].name) : name;
    printf("%-*s  %-9s %15s %10s %8s %8s %8s\n", name, "run", "state", "step", "train loss",
           "val loss", "best", "run time");
    for (int i = 0; i < runs->count; i++) {
        const struct lw_run_line *r = &runs->line[i];
        char step[2 * LW_NUMBER_SIZE + 1], of[LW_NUMBER_SIZE], train[LW_NUMBER_SIZE],
            val[LW_NUMBER_SIZE], best[LW_NUMBER_SIZE], time[LW_NUMBER_SIZE],
            trouble[sizeof r->error + 2];

        lw_number_format((double)r->step, LW_NUMBER_INTEGER, step);
        if (r->of > 0) {
            lw_number_format((double)r->of, LW_NUMBER_INTEGER, of);
            strcat(strcat(step, "/"), of);
        }
        lw_number_format(r->train_loss, LW_NUMBER_FIXED3, train);
        lw_number_format(r->val_loss, LW_NUMBER_FIXED3, val);
        lw_number_format(r->best_val_loss, LW_NUMBER_FIXED3, best);
        lw_number_format(r->time, LW_NUMBER_DURATION, time);
        put_trouble(r, trouble, sizeof trouble);
        printf("%s%*s  %-9s %15s %10s %8s %8s %8s%s\n", r->name, name - cells(r->name), "",
               r->state, step, train, val, best, time, trouble);
    }
}

int lw_cmd_runs(const struct lw_verb *self, struct lw_args *args)
{
    const char *folder = args->words ? args->word[0] : LW_RUNS_DIR;
    struct lw_error err = {0};
    struct lw_runs runs;
    int rc;

    if (args->words > 1) {
        lw_fail(&err, LW_EUSAGE, "one folder only");
        return lw_verb_fail(self, &err);
    }
    rc = lw_runs_read(folder, &runs, &err);
    if (rc)
        return lw_verb_fail(self, &err);
    if (lw_args_get(args, "json"))
        rc = print_json(&runs, &err);
    else if (runs.count)
        print_table(&runs);
    else
        fprintf(stderr, "leeway runs: no runs in %s\n", folder);
    lw_runs_free(&runs);
    return rc ? lw_verb_fail(self, &err) : LW_EXIT_OK;
}

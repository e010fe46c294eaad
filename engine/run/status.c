/* SPDX-License-Identifier: MIT */
#include "engine/run/status.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/folder.h"
#include "engine/run/one_line.h"

enum { FILE_LIMIT = 64 << 10, SILENT_AFTER_S = 20 };

static const char *const names[LW_STATE_COUNT] = {
    "starting", "running", "paused", "stopping", "finished", "stopped", "failed", "lost",
};

const char *lw_state_name(enum lw_run_state state)
{
    return (unsigned)state < LW_STATE_COUNT ? names[state] : "?";
}

bool lw_state_is_active(enum lw_run_state state)
{
    return state == LW_STATE_STARTING || state == LW_STATE_RUNNING || state == LW_STATE_PAUSED ||
           state == LW_STATE_STOPPING;
}

double lw_state_silent(enum lw_run_state state, bool alive, double updated)
{
    double silent = lw_clock_wall() - updated; /* by this machine's clock; NaN: not known */

    return alive && lw_state_is_active(state) && state != LW_STATE_PAUSED && silent > SILENT_AFTER_S
               ? floor(silent / 10.0) * 10.0
               : 0.0;
}

void lw_status_init(struct lw_status *s)
{
    memset(s, 0, sizeof(*s));
    s->epoch = s->eta = s->time = s->throughput = NAN;
    s->mfu = NAN;
    s->gpu = LW_NO_GPU;
    s->train_loss = s->val_loss = s->best_val_loss = NAN;
    s->started = s->updated = NAN;
    s->slowest = -1;
    s->exit_code = -1;
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *text(const char *s)
{
    char clean[1024];

    lw_one_line(s, clean, sizeof(clean));
    return json_string(clean);
}

static json_t *count(int64_t v)
{
    return v ? json_integer(v) : json_null();
}

static json_t *ranks_of(const struct lw_status *s)
{
    json_t *list = json_array();

    for (int i = 0; list && i < s->ranks && i < LW_STATUS_RANKS; i++)
        json_array_append_new(
            list, json_pack("{s:i, s:o}", "rank", i, "throughput", number(s->rank_throughput[i])));
    return list;
}

static json_t *gpu_of(const struct lw_status_gpu *g)
{
    if (!isfinite(g->memory_mb) && !isfinite(g->utilization) && !isfinite(g->power_w) &&
        !isfinite(g->temperature_c) && !isfinite(g->clock_mhz))
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "memory_mb", number(g->memory_mb),
                     "memory_total_mb", number(g->memory_total_mb), "utilization",
                     number(g->utilization), "power_w", number(g->power_w), "temperature_c",
                     number(g->temperature_c), "clock_mhz", number(g->clock_mhz));
}

int lw_status_write(const char *dir, const struct lw_status *s, struct lw_error *err)
{
    json_t *root = json_object();
    char *path = lw_path_join(dir, LW_RUN_STATUS), *out = NULL;
    int rc = 0;

    json_object_set_new(root, "state", json_string(lw_state_name(s->state)));
    json_object_set_new(root, "pid", json_integer(s->pid));
    json_object_set_new(root, "host", text(s->host));
    json_object_set_new(root, "step", json_integer(s->step));
    json_object_set_new(root, "of", count(s->of));
    json_object_set_new(root, "epoch", number(s->epoch));
    json_object_set_new(root, "eta", number(s->eta));
    json_object_set_new(root, "time", number(s->time));
    json_object_set_new(root, "throughput", number(s->throughput));
    json_object_set_new(root, "mfu", number(s->mfu));
    json_object_set_new(root, "gpu", gpu_of(&s->gpu));
    json_object_set_new(root, "train_loss", number(s->train_loss));
    json_object_set_new(root, "val_loss", number(s->val_loss));
    json_object_set_new(root, "best_val_loss", number(s->best_val_loss));
    json_object_set_new(root, "best_step", count(s->best_step));
    json_object_set_new(root, "device", text(s->device));
    json_object_set_new(root, "ranks", ranks_of(s));
    json_object_set_new(root, "slowest", s->slowest < 0 ? json_null() : json_integer(s->slowest));
    json_object_set_new(root, "started", number(s->started));
    json_object_set_new(root, "updated", number(s->updated));
    json_object_set_new(root, "exit_code",
                        s->exit_code < 0 ? json_null() : json_integer(s->exit_code));
    json_object_set_new(root, "note", text(s->note));
    json_object_set_new(root, "last_error", text(s->last_error));
    if (root && path)
        out = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (out)
        rc = lw_replace_file(path, out, strlen(out), 0, err);
    else
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", LW_RUN_STATUS);
    json_decref(root);
    free(out);
    free(path);
    return rc;
}

static double get_number(const json_t *root, const char *key)
{
    const json_t *v = json_object_get(root, key);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

static int64_t get_integer(const json_t *root, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(root, key);

    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

static void get_text(const json_t *root, const char *key, char *out, size_t size)
{
    const json_t *v = json_object_get(root, key);

    if (json_is_string(v))
        lw_text_clean(json_string_value(v), json_string_length(v), out, size);
}

static void get_ranks(const json_t *root, struct lw_status *s)
{
    const json_t *list = json_object_get(root, "ranks");
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n && i < LW_STATUS_RANKS; i++)
        s->rank_throughput[s->ranks++] = get_number(json_array_get(list, i), "throughput");
}

static void get_gpu(const json_t *root, struct lw_status_gpu *g)
{
    const json_t *gpu = json_object_get(root, "gpu");

    g->memory_mb = get_number(gpu, "memory_mb");
    g->memory_total_mb = get_number(gpu, "memory_total_mb");
    g->utilization = get_number(gpu, "utilization");
    g->power_w = get_number(gpu, "power_w");
    g->temperature_c = get_number(gpu, "temperature_c");
    g->clock_mhz = get_number(gpu, "clock_mhz");
}

static int parse(const char *path, const char *json, size_t size, struct lw_status *s,
                 struct lw_error *err)
{
    json_error_t bad;
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &bad);
    const char *state;
    int i;

    if (!root)
        return lw_fail(err, LW_EDATA, "%s is damaged (line %d: %s); the run itself is not", path,
                       bad.line, bad.text);
    state = json_string_value(json_object_get(root, "state"));
    for (i = 0; state && i < LW_STATE_LOST; i++)
        if (!strcmp(names[i], state))
            break;
    if (!state || i == LW_STATE_LOST) {
        json_decref(root);
        return lw_fail(err, LW_EDATA, "%s is damaged (no known state); the run itself is not",
                       path);
    }
    s->state = (enum lw_run_state)i;
    s->pid = (int)get_integer(root, "pid", 0);
    s->step = get_integer(root, "step", 0);
    s->of = get_integer(root, "of", 0);
    s->best_step = get_integer(root, "best_step", 0);
    s->slowest = (int)get_integer(root, "slowest", -1);
    s->exit_code = (int)get_integer(root, "exit_code", -1);
    s->epoch = get_number(root, "epoch");
    s->eta = get_number(root, "eta");
    s->time = get_number(root, "time");
    s->throughput = get_number(root, "throughput");
    s->mfu = get_number(root, "mfu");
    get_gpu(root, &s->gpu);
    s->train_loss = get_number(root, "train_loss");
    s->val_loss = get_number(root, "val_loss");
    s->best_val_loss = get_number(root, "best_val_loss");
    s->started = get_number(root, "started");
    s->updated = get_number(root, "updated");
    get_text(root, "host", s->host, sizeof(s->host));
    get_text(root, "device", s->device, sizeof(s->device));
    get_text(root, "note", s->note, sizeof(s->note));
    get_text(root, "last_error", s->last_error, sizeof(s->last_error));
    get_ranks(root, s);
    json_decref(root);
    return 0;
}

int lw_status_read(const char *dir, struct lw_status *s, struct lw_error *err)
{
    char *path = lw_path_join(dir, LW_RUN_STATUS), *json = NULL;
    size_t size = 0;
    int rc;

    lw_status_init(s);
    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_read_file(path, FILE_LIMIT, &json, &size, err);
    if (rc == 0)
        rc = parse(path, json, size, s, err);
    if (rc < 0)
        lw_status_init(s);
    free(json);
    free(path);
    return rc;
}

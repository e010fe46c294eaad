/* SPDX-License-Identifier: MIT */
#include "engine/train/state.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/data/hash.h"

#define VERSION    1
#define MAX_STATE  (1 << 20)
#define CHECK_SEED 0x6c656577 /* "leew" */

void lw_state_init(struct lw_train_state *s)
{
    memset(s, 0, sizeof *s);
    lw_early_stop_init(&s->stop, 0, 0.0);
    s->train_loss = NAN;
    s->val_loss = NAN;
}

/* JSON has no infinity and no NaN: null stands for "none yet". */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *hexadecimal(uint64_t x)
{
    char text[20];

    snprintf(text, sizeof text, "%016" PRIx64, x);
    return json_string(text);
}

static json_t *files_object(const struct lw_train_state *s)
{
    json_t *files = json_object();

    for (int i = 0; i < s->files; i++)
        json_object_set_new(files, s->file[i].name,
                            json_pack("{s:I, s:o}", "bytes", (json_int_t)s->file[i].bytes, "hash",
                                      hexadecimal(s->file[i].hash)));
    return files;
}

static json_t *state_object(const struct lw_train_state *s)
{
    return json_pack(
        "{s:i, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:{s:I, s:I}, s:{s:s, s:i},"
        " s:{s:I, s:o}, s:{s:o, s:i, s:I}, s:o, s:o, s:{s:I, s:I, s:I}, s:o}",
        "version", VERSION, "step", (json_int_t)s->step, "updates", (json_int_t)s->updates,
        "tokens", (json_int_t)s->tokens, "epoch", s->epoch, "time", s->time, "epoch_began",
        s->epoch_began, "seed", (json_int_t)s->seed, "loader", "epoch", (json_int_t)s->loader.epoch,
        "index", (json_int_t)s->loader.index, "data", "hash", s->data_hash, "length", s->length,
        "best", "step", (json_int_t)s->stop.best_step, "val_loss", number(s->stop.best),
        "early_stopping", "anchor", number(s->stop.anchor), "waited", s->stop.waited, "evaluated",
        (json_int_t)s->evaluated, "train_loss", number(s->train_loss), "val_loss",
        number(s->val_loss), "offsets", "metrics.csv", (json_int_t)s->metrics_bytes, "drift.csv",
        (json_int_t)s->drift_bytes, "events.log", (json_int_t)s->events_bytes, "files",
        files_object(s));
}

/* Over the state without its own "check". */
static int object_check(const json_t *root, uint64_t *out)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);

    if (!text)
        return -1;
    *out = lw_hash(text, strlen(text), CHECK_SEED);
    free(text);
    return 0;
}

int lw_state_save(const struct lw_train_state *s, const char *path, struct lw_error *err)
{
    json_t *root = state_object(s);
    char *text = NULL;
    uint64_t check;
    int rc;

    if (!root || object_check(root, &check) < 0 ||
        json_object_set_new(root, "check", hexadecimal(check)) < 0 ||
        !(text = json_dumps(root, JSON_INDENT(2)))) {
        rc = lw_fail(err, LW_EMEM, "out of memory writing %s", path);
        goto out;
    }
    rc = lw_replace_file(path, text, strlen(text), 1, err);
out:
    free(text);
    json_decref(root);
    return rc;
}

static double number_or(const json_t *value, double none)
{
    return json_is_number(value) ? json_number_value(value) : none;
}

static int read_files(struct lw_train_state *s, json_t *files)
{
    const char *name, *hash;
    json_int_t bytes;
    json_t *entry;

    s->files = 0;
    json_object_foreach(files, name, entry)
    {
        struct lw_state_file *f = &s->file[s->files];

        if (s->files == LW_STATE_FILES || strchr(name, '/') || strlen(name) >= sizeof f->name ||
            json_unpack(entry, "{s:I, s:s}", "bytes", &bytes, "hash", &hash) < 0 || bytes < 0)
            return -1;
        strcpy(f->name, name);
        f->bytes = (uint64_t)bytes;
        f->hash = strtoull(hash, NULL, 16);
        s->files++;
    }
    return 0;
}

static int read_object(struct lw_train_state *s, json_t *root)
{
    json_int_t evaluated, step, updates, tokens, seed, epoch, index, best, metrics, drift, events;
    json_t *loss, *anchor, *train, *val, *files;
    const char *hash;

    if (json_unpack(root,
                    "{s:I, s:I, s:I, s:F, s:F, s:F, s:I, s:{s:I, s:I}, s:{s:s, s:i},"
                    " s:{s:I, s:o}, s:{s:o, s:i, s:I}, s:o, s:o, s:{s:I, s:I, s:I}, s:o}",
                    "step", &step, "updates", &updates, "tokens", &tokens, "epoch", &s->epoch,
                    "time", &s->time, "epoch_began", &s->epoch_began, "seed", &seed, "loader",
                    "epoch", &epoch, "index", &index, "data", "hash", &hash, "length", &s->length,
                    "best", "step", &best, "val_loss", &loss, "early_stopping", "anchor", &anchor,
                    "waited", &s->stop.waited, "evaluated", &evaluated, "train_loss", &train,
                    "val_loss", &val, "offsets", "metrics.csv", &metrics, "drift.csv", &drift,
                    "events.log", &events, "files", &files) < 0)
        return -1;
    if (step < 0 || updates < 0 || updates > step || tokens < 0 || epoch < 0 || index < 0 ||
        metrics < 0 || drift < 0 || events < 0 || strlen(hash) >= sizeof s->data_hash)
        return -1;
    s->step = (uint64_t)step;
    s->updates = (uint64_t)updates;
    s->tokens = (uint64_t)tokens;
    s->seed = (uint64_t)seed;
    s->loader.epoch = epoch;
    s->loader.index = index;
    strcpy(s->data_hash, hash);
    s->evaluated = (uint64_t)evaluated;
    s->stop.best_step = (uint64_t)best;
    s->stop.best = number_or(loss, INFINITY);
    s->stop.anchor = number_or(anchor, INFINITY);
    s->train_loss = number_or(train, NAN);
    s->val_loss = number_or(val, NAN);
    s->metrics_bytes = metrics;
    s->drift_bytes = drift;
    s->events_bytes = events;
    return read_files(s, files);
}

int lw_state_load(struct lw_train_state *s, const char *path, struct lw_error *err)
{
    uint64_t check, found;
    json_t *root, *mark;
    json_error_t why;
    char *text;
    size_t size;
    int rc = lw_read_file(path, MAX_STATE, &text, &size, err), version;

    if (rc)
        return rc;
    root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!root)
        return lw_fail(err, LW_EDATA, "%s is damaged (line %d: %s)", path, why.line, why.text);
    if (json_unpack(root, "{s:i}", "version", &version) == 0 && version > VERSION) {
        rc = lw_fail(err, LW_EDATA, "%s is of version %d, and this leeway reads up to %d", path,
                     version, VERSION);
        goto out;
    }
    mark = json_object_get(root, "check");
    found = json_is_string(mark) ? strtoull(json_string_value(mark), NULL, 16) : 0;
    json_object_del(root, "check");
    if (object_check(root, &check) < 0 || check != found || read_object(s, root) < 0)
        rc = lw_fail(err, LW_EDATA, "%s is damaged: its check does not fit its content", path);
out:
    json_decref(root);
    return rc;
}

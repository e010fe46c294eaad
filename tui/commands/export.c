/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "tui/dashboard.h"
#include "tui/export_csv.h"
#include "tui/find.h"
#include "tui/picture.h"
#include "tui/smooth.h"
#include "tui/verb.h"

const struct lw_option lw_export_options[] = {
    {"csv", 0, "FILE", "where to write; -: stdout, as without any option"},
    {"smoothing", 0, "W", "weight of the smoothed columns: 0.6, 0.9 (default), 0.97 or 0.99"},
    LW_PICTURE_OPTIONS,
    {"safetensors", 0, "DIR", "the model as a folder that transformers loads"},
    {"onnx", 0, "FILE", "the model for ONNX Runtime and its like"},
    {"tensorboard", 0, "DIR", "metrics and drift as event files, in a folder of the run's name"},
    {"bundle", 0, "DIR", "the model in all formats, with numbers, drift report, picture and a program"},
    {"step", 0, "N", "which checkpoint: a step's number, last (default) or best"},
    LW_COMMON_OPTIONS,
};

/* What leeway-engine writes, and what says how. The last is no format by itself. */
static const char *const engine_options[] = {"safetensors", "onnx", "tensorboard", "bundle", "step", NULL};

/* The first format among the options that is the engine's; NULL: none. */
static const char *engine_option(const struct lw_args *args)
{
    for (const char *const *name = engine_options; *name; name++)
        if (strcmp(*name, "step") != 0 && lw_args_get(args, *name))
            return *name;
    return NULL;
}

static int check_options(const struct lw_args *args, int *smoothing, struct lw_error *err)
{
    const char *w = lw_args_get(args, "smoothing");
    char *end;

    if (!args->words)
        return lw_fail(err, LW_EUSAGE, "give at least one run or CSV file");
    *smoothing = 1;
    if (!w)
        return 0;
    for (int k = 0; k < LW_SMOOTHINGS; k++)
        if (strtod(w, &end) == lw_smooth_weight[k] && end != w && !*end) {
            *smoothing = k;
            return 0;
        }
    return lw_fail(err, LW_EUSAGE, "--smoothing must be 0.6, 0.9, 0.97 or 0.99");
}

/* A file as it is, or the folder of a run by its name. */
static int find_path(const char *word, char **path, struct lw_error *err)
{
    if (!access(word, F_OK)) {
        *path = strdup(word);
        return *path ? 0 : lw_fail(err, LW_EMEM, "out of memory");
    }
    return lw_find_run(word, path, err);
}

static int write_to(const char *file, char *const *paths, int count, int smoothing,
                    struct lw_error *err)
{
    char *aside = NULL;
    FILE *out = NULL;
    int rc;

    if (!file || !strcmp(file, "-")) {
        rc = lw_export_csv(stdout, paths, count, smoothing, err);
        if (!rc && fflush(stdout))
            rc = lw_fail_errno(err, "cannot write to stdout");
        return rc;
    }
    if (asprintf(&aside, "%s.%ld.tmp", file, (long)getpid()) < 0)
        return lw_fail(err, LW_EMEM, "out of memory");
    out = fopen(aside, "we");
    rc = out ? lw_export_csv(out, paths, count, smoothing, err)
             : lw_fail_errno(err, "cannot write %s", file);
    if (out && fclose(out) && !rc)
        rc = lw_fail_errno(err, "cannot write %s", file);
    if (!rc && rename(aside, file) < 0)
        rc = lw_fail_errno(err, "cannot write %s", file);
    if (rc)
        unlink(aside);
    free(aside);
    return rc;
}

/* What needs models is written by the engine: its exit code. */
static int by_engine(const struct lw_verb *self, const struct lw_args *args)
{
    char *word[2 * (sizeof engine_options / sizeof *engine_options) + 1];
    struct lw_args words = {.word = word};
    char *option[LW_ARGS_OPTIONS];
    struct lw_error err = {0};
    int made = 0, code = LW_EXIT_FAILED;

    if (args->words > 1) {
        lw_fail(&err, LW_EUSAGE, "--%s: one run at a time", engine_option(args));
        return lw_verb_fail(self, &err);
    }
    word[words.words++] = args->word[0];
    for (const char *const *name = engine_options; *name; name++) {
        const char *value = lw_args_get(args, *name);

        if (!value)
            continue;
        if (asprintf(&option[made], "--%s=%s", *name, value) < 0)
            goto out;
        word[words.words++] = option[made++];
    }
    code = lw_cmd_engine(self, &words);
out:
    while (made)
        free(option[--made]);
    return code;
}

static int draw(const struct lw_picture_files *files, char *const *paths, int count,
                struct lw_error *err)
{
    struct lw_dashboard *d = NULL;
    struct lw_picture picture;
    int rc = lw_dashboard_open(&d, paths, count, &picture, err);

    if (!rc)
        rc = lw_picture_save(files, &picture, err);
    lw_dashboard_close(d);
    return rc;
}

int lw_cmd_export(const struct lw_verb *self, struct lw_args *args)
{
    const char *csv = lw_args_get(args, "csv");
    struct lw_picture_files pictures;
    struct lw_error err = {0};
    char **paths = NULL;
    int smoothing = 1, count = 0, rc = check_options(args, &smoothing, &err);
    bool engine = engine_option(args) != NULL;

    if (!rc)
        rc = lw_picture_parse(&pictures, args, 24, 18, &err);
    if (!rc && engine && !csv && !pictures.any)
        return by_engine(self, args);
    if (!rc && !(paths = calloc((size_t)args->words, sizeof *paths)))
        rc = lw_fail(&err, LW_EMEM, "out of memory");
    for (; !rc && count < args->words; count += !rc)
        rc = find_path(args->word[count], &paths[count], &err);
    if (!rc && pictures.any)
        rc = draw(&pictures, paths, count, &err);
    if (!rc && (csv || !pictures.any))
        rc = write_to(csv, paths, count, smoothing, &err);
    for (int i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    if (rc)
        return lw_verb_fail(self, &err);
    return engine ? by_engine(self, args) : LW_EXIT_OK;
}

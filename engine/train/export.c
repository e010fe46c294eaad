/* SPDX-License-Identifier: MIT */
#include "engine/train/export.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/export/onnx.h"
#include "engine/export/tensorboard.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/hf_vit.h"
#include "engine/run/folder.h"
#include "engine/train/bundle.h"
#include "engine/train/checkpoint.h"

#define BYTES_VOCABULARY 257 /* of the tokenizer "bytes" */

void lw_export_say(const struct lw_export *e, const char *fmt, ...)
{
    char line[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (e->say)
        e->say(e->user, line);
}

static void passed_over(void *user, const char *path, const struct lw_error *why)
{
    (void)path;
    lw_export_say(user, "passed over: %s", why->text);
}

/* The checkpoint of a step by its number, or of the best step that the newest one knows of. */
static int choose(struct lw_export *e, const char *step, struct lw_error *err)
{
    bool best = !strcmp(step, "best");
    unsigned long long number = e->state.stop.best_step;
    char *end, *path = NULL;
    int rc;

    if (best && !number)
        return lw_fail(err, LW_EDATA, "%s has no best step yet: it has not been validated", e->run);
    if (!best) {
        number = strtoull(step, &end, 10);
        if (*step < '0' || *step > '9' || *end)
            return lw_fail(err, LW_EUSAGE, "--step: \"%s\" is not last, best or a step's number",
                           step);
    }
    if (asprintf(&path, "%s/" LW_RUN_CHECKPOINTS "/step-%06llu", e->run, number) < 0)
        return lw_fail(err, LW_EMEM, "out of memory");
    free(e->checkpoint);
    e->checkpoint = path;
    rc = access(path, F_OK) ? lw_fail(err, LW_EUSAGE, "there is no checkpoint %s", path)
                            : lw_checkpoint_check_model(path, &e->state, err);
    return rc;
}

static bool has(const char *folder, const char *name)
{
    char *path = lw_path_join(folder, name);
    bool found = path && !access(path, F_OK);

    free(path);
    return found;
}

static enum lw_export_ids find_ids(const struct lw_export *e)
{
    if (has(e->checkpoint, "vocab.json") || has(e->checkpoint, "tokenizer.json"))
        return LW_IDS_FILES;
    return !strcmp(e->config.tokenizer, "bytes") && e->spec.vocabulary == BYTES_VOCABULARY
               ? LW_IDS_BYTES
               : LW_IDS_UNKNOWN;
}

static int open_checkpoint(struct lw_export *e, const char *step, struct lw_error *err)
{
    bool last = !step || !strcmp(step, "last"), normalised;
    int rc = lw_checkpoint_find_model(e->run, &e->checkpoint, &e->state, passed_over, e, err);

    if (!rc && !last)
        rc = choose(e, step, err);
    if (rc || !e->checkpoint)
        return rc;
    rc = e->config.model == LW_MODEL_VIT ? lw_hf_vit_spec(e->checkpoint, &e->spec, &normalised, err)
                                         : lw_hf_gpt2_spec(e->checkpoint, &e->spec, err);
    if (!rc)
        e->ids = find_ids(e);
    return rc;
}

int lw_export_open(struct lw_export *e, const char *what, const char *step,
                   void (*say)(void *user, const char *line), void *user, struct lw_error *err)
{
    int rc;

    *e = (struct lw_export){.say = say, .user = user};
    if ((rc = lw_config_init(&e->config, err)) || (rc = lw_run_find("runs", what, &e->run, err)))
        return rc;
    if (!(rc = lw_run_load_config(&e->config, e->run, err)) &&
        !(rc = lw_config_finish(&e->config, false, err)))
        rc = open_checkpoint(e, step, err);
    return rc;
}

void lw_export_close(struct lw_export *e)
{
    free(e->run);
    free(e->checkpoint);
    lw_config_fini(&e->config);
    *e = (struct lw_export){0};
}

const char *lw_export_model(const struct lw_export *e)
{
    return e->spec.image_size ? "ViT" : e->spec.classes ? "GPT-2 with classes" : "GPT-2";
}

static int need_checkpoint(const struct lw_export *e, struct lw_error *err)
{
    if (e->checkpoint)
        return 0;
    return lw_fail(err, LW_EDATA, "%s has no checkpoint yet: leeway checkpoint %s writes one",
                   e->run, e->run);
}

static double megabytes(const char *folder, const char *name)
{
    char *path = lw_path_join(folder, name);
    struct stat st;
    double size = path && !stat(path, &st) ? (double)st.st_size * 1e-6 : 0;

    free(path);
    return size;
}

static int write_safetensors(struct lw_export *e, const char *folder, struct lw_error *err)
{
    static const char *const tokenizer[] = {
        [LW_IDS_UNKNOWN] = "no tokenizer: the run's ids come from token shards",
        [LW_IDS_BYTES] = "tokenizer: bytes, written as a byte-level BPE without merges",
        [LW_IDS_FILES] = "tokenizer: the run's own",
    };
    int rc = need_checkpoint(e, err);

    if (!rc)
        rc = lw_hf_folder_write(folder, e->checkpoint, &e->spec, e->ids, err);
    if (!rc)
        lw_export_say(
            e, "%s: %s in Hugging Face's layout, step %" PRIu64 ", %.2fM parameters, %.1f MB%s%s",
            folder, lw_export_model(e), e->state.step, (double)lw_model_parameters(&e->spec) * 1e-6,
            megabytes(folder, "model.safetensors"), e->spec.image_size ? "" : "; ",
            e->spec.image_size ? "" : tokenizer[e->ids]);
    return rc;
}

static int write_onnx(struct lw_export *e, const char *file, struct lw_error *err)
{
    bool beside = false;
    int rc = need_checkpoint(e, err);

    if (!rc)
        rc = lw_onnx_export(file, e->checkpoint, &e->spec, e->state.step, &beside, err);
    if (!rc)
        lw_export_say(e, "%s: %s as ONNX (opset 17), step %" PRIu64 "%s%s%s", file,
                      lw_export_model(e), e->state.step,
                      beside ? "; more than 2 GB, so its weights are in " : "", beside ? file : "",
                      beside ? ".data" : "");
    return rc;
}

static int write_tensorboard(struct lw_export *e, const char *folder, struct lw_error *err)
{
    struct lw_tensorboard_counts counts;
    int rc = lw_tensorboard_write(folder, e->run, &counts, err);

    if (!rc)
        lw_export_say(e, "%s: %" PRIu64 " scalars and %" PRIu64 " histograms for TensorBoard",
                      folder, counts.scalars, counts.histograms);
    return rc;
}

static int write_bundle(struct lw_export *e, const char *folder, struct lw_error *err)
{
    int rc = need_checkpoint(e, err);

    return rc ? rc : lw_bundle_write(e, folder, err);
}

const struct lw_export_format lw_export_formats[] = {
    {"safetensors", "DIR", write_safetensors},
    {"onnx", "FILE", write_onnx},
    {"tensorboard", "DIR", write_tensorboard},
    {"bundle", "DIR", write_bundle},
    {NULL, NULL, NULL},
};

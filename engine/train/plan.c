/* SPDX-License-Identifier: MIT */
#include "engine/train/plan.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/hf_vit.h"
#include "engine/train/machine.h"

static int text_spec(const struct lw_config *c, const struct lw_plan_data *data,
                     struct lw_model_spec *out, struct lw_error *err)
{
    if (c->init_from) {
        int rc = lw_hf_gpt2_spec(c->init_from, out, err);

        if (rc)
            return rc;
        if (c->max_seq_len > out->positions)
            return lw_fail(err, LW_EUSAGE,
                           "max_seq_len: %s has %d positions, so %d tokens do not fit: use "
                           "max_seq_len=%d or less",
                           c->init_from, out->positions, c->max_seq_len, out->positions);
        if (data->classes && out->vocabulary < data->vocabulary)
            return lw_fail(err, LW_EUSAGE,
                           "tokenizer: it has %d ids, and %s a vocabulary of %d: use "
                           "tokenizer=FOLDER with the vocab.json and merges.txt that the model was "
                           "made with",
                           data->vocabulary, c->init_from, out->vocabulary);
    } else {
        *out =
            (struct lw_model_spec){.vocabulary = c->vocab_size ? c->vocab_size : data->vocabulary,
                                   .positions = c->max_seq_len,
                                   .channels = c->d_model,
                                   .layers = c->num_layers,
                                   .heads = c->num_heads,
                                   .feed_forward = c->d_ff,
                                   .epsilon = 1e-5f};
    }
    out->padding = data->classes ? data->padding : 0;
    return 0;
}

static void normalise(const struct lw_config *c, bool known, struct lw_model_spec *out)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};

    for (int i = 0; i < 3; i++) { /* one number is for all three channels */
        if (c->image_mean.count > 0)
            out->mean[i] = (float)c->image_mean.item[c->image_mean.count == 3 ? i : 0];
        else if (!known)
            out->mean[i] = mean[i];
        if (c->image_std.count > 0)
            out->deviation[i] = (float)c->image_std.item[c->image_std.count == 3 ? i : 0];
        else if (!known)
            out->deviation[i] = deviation[i];
    }
}

/* The edge of a patch where none is given: 16 as ViTs have it, 4 of small images, 7 of the 28
 * pixels that IDX files hold (doc/PERFORMANCE.md, "Learning"). Where that does not divide the side:
 * what is nearest to it and does. */
static int patch_for(int side)
{
    int want = side > 64 ? 16 : side % 28 == 0 ? 7 : 4;

    for (int by = 0; by <= want; by++) {
        if (side % (want + by) == 0 && 2 * (want + by) <= side)
            return want + by;
        if (want - by > 1 && side % (want - by) == 0)
            return want - by;
    }
    return want; /* a prime: whoever plans the model says what is wrong with it */
}

static int image_spec(const struct lw_config *c, const struct lw_plan_data *data,
                      struct lw_model_spec *out, struct lw_error *err)
{
    bool known = false;
    int rc = 0;

    if (c->init_from) {
        rc = lw_hf_vit_spec(c->init_from, out, &known, err);
    } else {
        *out = (struct lw_model_spec){.image_size = data->image_size,
                                      .patch_size = c->patch_size ? c->patch_size
                                                                  : patch_for(data->image_size),
                                      .channels = c->d_model,
                                      .layers = c->num_layers,
                                      .heads = c->num_heads,
                                      .feed_forward = c->d_ff,
                                      .epsilon = 1e-12f};
        out->positions = lw_vit_positions(out->image_size, out->patch_size);
    }
    normalise(c, known, out);
    return rc;
}

int lw_plan_check_folder(const char *folder, struct lw_error *err)
{
    char *path = lw_path_join(folder, "config.json");
    struct stat st;
    int rc = 0;

    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    if (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode))
        rc = lw_fail(err, LW_EIO,
                     "init_from: there is no folder %s: it takes one as save_pretrained or leeway "
                     "export --safetensors writes it",
                     folder);
    else if (access(path, F_OK))
        rc = lw_fail(err, LW_EIO,
                     "init_from: %s has no config.json: it takes a folder as save_pretrained or "
                     "leeway export --safetensors writes it",
                     folder);
    free(path);
    return rc;
}

int lw_plan_spec(const struct lw_config *c, const struct lw_plan_data *data,
                 struct lw_model_spec *out, struct lw_error *err)
{
    int rc = data->image_size ? image_spec(c, data, out, err) : text_spec(c, data, out, err);

    if (rc)
        return rc;
    out->classes = data->classes;
    out->labels = data->labels;
    out->dropout = (float)c->dropout;
    return lw_model_check(out, err);
}

void lw_plan_shapes(const struct lw_config *c, bool evaluate, struct lw_model_plan *out)
{
    static const int kinds[] = {
        [LW_CONFIG_ATTENTION_AUTO] = LW_ATTENTION_AUTO,
        [LW_CONFIG_ATTENTION_CUDNN] = LW_ATTENTION_CUDNN,
        [LW_CONFIG_ATTENTION_TILED] = LW_ATTENTION_TILED,
        [LW_CONFIG_ATTENTION_MATH] = LW_ATTENTION_MATH,
    };

    *out = (struct lw_model_plan){
        .batch = c->batch_size,
        .length = c->max_seq_len,
        .eval_batch = evaluate ? c->batch_size : 0,
        .eval_length = evaluate ? c->max_seq_len : 0,
        .sample_length = c->sample_every.unit == LW_EVERY_OFF ? 0 : c->max_seq_len,
        .attention = kinds[c->attention],
        .recompute = (enum lw_recompute)c->recompute,
        .tally = c->drift_every.unit != LW_EVERY_OFF,
        .record = c->compile_mode == LW_CONFIG_COMPILE_REDUCE_OVERHEAD ||
                  c->compile_mode == LW_CONFIG_COMPILE_MAX_AUTOTUNE,
    };
}

static enum lw_attention_kind kind_of(const struct lw_model_plan *plan)
{
    return plan->attention == LW_ATTENTION_AUTO ? LW_ATTENTION_TILED
                                                : (enum lw_attention_kind)plan->attention;
}

/* The largest batch whose plan stays within `free` bytes; 0 where none does. */
static int batch_that_fits(const struct lw_model_spec *spec, const struct lw_model_plan *plan,
                           const struct lw_device_info *info, size_t free_bytes)
{
    int good = 0, bad = plan->batch;

    while (bad - good > 1) {
        struct lw_model_plan p = *plan;
        struct lw_model_bytes bytes;
        struct lw_error ignored;

        p.batch = good + (bad - good) / 2;
        if (p.eval_batch)
            p.eval_batch = p.batch;
        if (!lw_model_measure(spec, &p, kind_of(plan), info, &bytes, &ignored) &&
            bytes.total <= free_bytes)
            good = p.batch;
        else
            bad = p.batch;
    }
    return good;
}

static int try_plan(struct lw_model **out, const struct lw_model_spec *spec,
                    const struct lw_model_plan *plan, const struct lw_backend *backend,
                    struct lw_device *device, struct lw_error *err)
{
    int rc = lw_model_create(out, spec, backend, device, 1, err);

    if (!rc && (rc = lw_model_prepare(*out, plan, err))) {
        lw_model_free(*out);
        *out = NULL;
    }
    return rc;
}

/* The CPU's memory is not taken to find out whether it suffices: it is everybody's. A card has an
 * address. */
static bool is_host(const struct lw_device_info *info)
{
    return !info->pci[0];
}

static size_t free_memory(const struct lw_device_info *info)
{
    struct lw_machine m;

    if (info->memory_free)
        return info->memory_free;
    lw_machine_look(&m);
    return (size_t)m.memory_free;
}

/* From the batch that the plan's own bytes allow downwards, the first that the device takes: what
 * the backend needs beside the plan is known to it alone. 0: none. */
static int find_batch(const struct lw_model_spec *spec, const struct lw_model_plan *plan,
                      const struct lw_backend *backend, struct lw_device *device)
{
    struct lw_device_info info;
    struct lw_model_plan p = *plan;

    backend->info(device, &info);
    p.batch = batch_that_fits(spec, plan, &info, free_memory(&info));
    for (; p.batch > 0 && !is_host(&info); p.batch -= (p.batch + 7) / 8) {
        struct lw_error ignored;
        struct lw_model *g;

        if (p.eval_batch)
            p.eval_batch = p.batch;
        if (!try_plan(&g, spec, &p, backend, device, &ignored)) {
            lw_model_free(g);
            break;
        }
    }
    return p.batch;
}

int lw_plan_prepare(struct lw_model **out, const struct lw_model_spec *spec,
                    const struct lw_model_plan *plan, const struct lw_backend *backend,
                    struct lw_device *device, struct lw_error *err)
{
    struct lw_error why;
    int rc = try_plan(out, spec, plan, backend, device, &why), fits;

    if (!rc)
        return 0;
    if (rc != LW_EMEM || plan->batch <= 0)
        return lw_fail(err, rc, "%s", why.text);
    fits = find_batch(spec, plan, backend, device);
    if (!fits)
        return lw_fail(err, LW_EMEM,
                       "%s: the model does not fit at any batch_size; use a smaller one", why.text);
    return lw_fail(err, LW_EMEM, "%s: batch_size=%d would fit", why.text, fits);
}

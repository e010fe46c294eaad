/* SPDX-License-Identifier: MIT
 *
 * Tokens or images a second of whole training steps: forward, backward, clipping, AdamW. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/random.h"
#include "engine/train/bench.h"
#include "engine/train/bench_ranks.h"
#include "engine/train/device.h"
#include "engine/train/plan.h"

struct job {
    struct lw_config config;
    struct lw_model_spec spec;
    const struct lw_backend *backend;
    struct lw_device *device;
    struct lw_model *g;
    unsigned char *input; /* tokens (B, T), or pixels (B, 3, S, S) */
    int32_t *targets;     /* (B, T), or (B) */
    double *seconds;
    int steps, warmup;
    int ahead; /* steps that were sent and whose numbers were not taken */
    double loss;
    struct lw_bench_ranks ranks;
};

/* 10.8M is the size that small models are usually compared at: byte vocabulary, 6 layers. */
static int find_size(const char *size, int positions, struct lw_model_spec *out,
                     struct lw_error *err)
{
    if (strcmp(size, "10.8M") == 0)
        *out = (struct lw_model_spec){.vocabulary = 256,
                                      .channels = 384,
                                      .layers = 6,
                                      .heads = 6,
                                      .feed_forward = 1536,
                                      .epsilon = 1e-5f};
    else if (!lw_model_preset(size, out))
        return lw_fail(
            err, LW_EUSAGE,
            "size: \"%s\" is none of 10.8M, 124M, 355M, 774M, 1558M, vit-base, vit-large, "
            "custom",
            size);
    if (out->image_size)
        return 0;
    if (!out->positions || positions > out->positions)
        out->positions = positions;
    return 0;
}

/* "key=value", unless the arguments have that key. */
static int set_default(struct job *j, const struct lw_bench_args *a, const char *setting,
                       struct lw_error *err)
{
    size_t n = strcspn(setting, "=") + 1;

    for (int i = 0; i < a->count; i++)
        if (strncmp(a->item[i], setting, n) == 0)
            return 0;
    return lw_config_set(&j->config, setting, err);
}

static int read_args(struct lw_bench_args *a, struct job *j, struct lw_error *err)
{
    const char *size = lw_bench_take(a, "size", "10.8M");
    int rc;

    if ((rc = lw_bench_take_number(a, "steps", 10, 1, 100000, &j->steps, err)) ||
        (rc = lw_bench_take_number(a, "warmup", 2, 0, 100000, &j->warmup, err)) ||
        (rc = set_default(j, a, "batch_size=4", err)) ||
        (rc = set_default(j, a, "max_seq_len=64", err)))
        return rc;
    for (int i = 0; i < a->count; i++)
        if ((rc = lw_config_set(&j->config, a->item[i], err)))
            return rc;
    rc = lw_config_finish(&j->config, false, err);
    if (rc)
        return rc;
    if (strcmp(size, "custom") == 0)
        return lw_plan_spec(&j->config, &(struct lw_plan_data){.vocabulary = 257}, &j->spec, err);
    rc = find_size(size, j->config.max_seq_len, &j->spec, err);
    j->spec.dropout = (float)j->config.dropout;
    return rc;
}

static int open_job(struct job *j, struct lw_error *err)
{
    const size_t batch = (size_t)j->config.batch_size, side = (size_t)j->spec.image_size;
    const size_t count = batch * (side ? 1 : (size_t)j->config.max_seq_len);
    const size_t bytes = side ? batch * 3 * side * side : count * sizeof *j->targets;
    const uint32_t classes = (uint32_t)(j->spec.classes ? j->spec.classes : j->spec.vocabulary);
    struct lw_model_plan plan;
    struct lw_random random;
    struct lw_notes notes;
    int rc;

    lw_plan_shapes(&j->config, false, &plan);
    plan.sample_length = 0;
    if ((rc = lw_device_open(&j->config, j->ranks.local, j->ranks.locals, &j->backend, &j->device,
                             &notes, err)) ||
        (rc = lw_plan_prepare(&j->g, &j->spec, &plan, j->backend, j->device, err)) ||
        (rc = lw_model_init(j->g, 42, err)))
        return rc;
    j->input = malloc(bytes);
    j->targets = malloc(count * sizeof *j->targets);
    j->seconds = malloc((size_t)j->steps * sizeof *j->seconds);
    if (!j->input || !j->targets || !j->seconds)
        return lw_fail(err, LW_EMEM, "out of memory");
    lw_random_init(&random, 42 + (uint64_t)j->ranks.rank, LW_STREAM_GENERATE);
    for (size_t i = 0; j->spec.image_size && i < bytes; i++)
        j->input[i] = (unsigned char)lw_random_u32(&random);
    for (size_t i = 0; !j->spec.image_size && i < count; i++)
        ((int32_t *)j->input)[i] = (int32_t)lw_random_below(&random, (uint32_t)j->spec.vocabulary);
    for (size_t i = 0; i < count; i++)
        j->targets[i] = (int32_t)lw_random_below(&random, classes);
    return 0;
}

/* The oldest step's numbers. */
static int take(struct job *j, struct lw_error *err)
{
    struct lw_result result;
    int rc = j->backend->collect(j->device, true, &result, err);

    j->loss = rc == 1 ? result.loss_sum / result.targets : 0;
    j->ahead--;
    return rc < 0 ? rc : 0;
}

static int one_step(struct job *j, int number, struct lw_error *err)
{
    struct lw_adamw adamw = {.beta1 = (float)j->config.beta1,
                             .beta2 = (float)j->config.beta2,
                             .epsilon = (float)j->config.epsilon,
                             .weight_decay = (float)j->config.weight_decay,
                             .max_norm = (float)j->config.max_grad_norm};
    struct lw_step step = {.step = (uint64_t)number + 1, .seed = 42, .learning_rate = 1e-4f};
    int micros = j->config.gradient_accumulation_steps, rc = 0;

    for (int m = 0; !rc && m < micros; m++) {
        step.micro = (uint32_t)m;
        rc = lw_model_train(j->g, &step, j->input, j->targets, m > 0, m + 1 == micros, err);
    }
    if (!rc)
        rc = lw_model_update(j->g, &adamw, err);
    if (rc)
        return rc;
    j->backend->finish(j->device);
    /* Images are large: while one batch is worked on the next is copied, as in training. */
    j->ahead++;
    return j->spec.image_size && j->ahead == 1 ? 0 : take(j, err);
}

static int measure_once(struct job *j, struct lw_error *err)
{
    for (int i = 0; i < j->warmup + j->steps; i++) {
        double start = lw_clock_now();
        int rc = one_step(j, i, err);

        if (rc)
            return rc;
        if (i >= j->warmup)
            j->seconds[i - j->warmup] = lw_clock_now() - start;
    }
    return j->ahead ? take(j, err) : 0;
}

/* Several ranks: rank 0 by itself while the others wait, then all together. */
static int measure(struct job *j, json_t *out, struct lw_error *err)
{
    double alone;
    int rc;

    if (!j->ranks.comm)
        return measure_once(j, err);
    rc = lw_bench_ranks_join(&j->ranks, j->g, j->backend, j->device, err);
    if (!rc && !j->ranks.rank)
        rc = measure_once(j, err);
    if (!rc)
        rc = lw_bench_ranks_together(&j->ranks, j->g, err);
    alone = rc || j->ranks.rank ? 0 : lw_bench_median(j->seconds, j->steps);
    if (!rc)
        rc = measure_once(j, err);
    if (!rc && !j->ranks.rank) {
        json_object_set_new(out, "ranks", json_integer(j->ranks.ranks));
        json_object_set_new(out, "sums_by", json_string(lw_bench_ranks_sums(&j->ranks)));
        json_object_set_new(out, "ms_per_step_alone", json_real(alone * 1e3));
        json_object_set_new(out, "efficiency",
                            json_real(alone / lw_bench_median(j->seconds, j->steps)));
    }
    return rc;
}

static void report(struct job *j, json_t *out)
{
    const struct lw_model_spec *s = &j->spec;
    double tokens = (double)j->config.batch_size * (s->image_size ? 1 : j->config.max_seq_len) *
                    j->config.gradient_accumulation_steps * j->ranks.ranks;
    double median = lw_bench_median(j->seconds, j->steps);
    double flops = tokens * lw_model_flops(s, j->config.max_seq_len);
    struct lw_device_info info;

    j->backend->info(j->device, &info);
    json_object_set_new(out, "device", json_string(info.name));
    json_object_set_new(out, "attention",
                        json_string(lw_attention_name(lw_model_attention(j->g)->kind)));
    json_object_set_new(out, "parameters", json_integer((json_int_t)lw_model_parameters(s)));
    json_object_set_new(out, "batch_size", json_integer(j->config.batch_size));
    if (s->image_size)
        json_object_set_new(out, "image_size", json_integer(s->image_size));
    else
        json_object_set_new(out, "max_seq_len", json_integer(j->config.max_seq_len));
    json_object_set_new(out, "steps", json_integer(j->steps));
    json_object_set_new(out, "ms_per_step_median", json_real(median * 1e3));
    json_object_set_new(out, "ms_per_step_min", json_real(j->seconds[0] * 1e3));
    json_object_set_new(out, s->image_size ? "images_per_second" : "tokens_per_second",
                        json_real(tokens / median));
    json_object_set_new(out, "gflops", json_real(flops / median * 1e-9));
    json_object_set_new(out, "mfu",
                        info.peak_flops > 0
                            ? json_real(flops / median / info.peak_flops / j->ranks.ranks)
                            : json_null());
    json_object_set_new(out, "memory_mb", json_real((double)lw_model_memory(j->g)->total * 1e-6));
    json_object_set_new(out, "last_loss", json_real(j->loss));
}

int lw_bench_train(struct lw_bench_args *a, json_t *out, struct lw_error *err)
{
    struct lw_bench_args given = *a;
    struct job j = {0};
    int rc = lw_config_init(&j.config, err);

    if (!rc)
        rc = lw_bench_keep(&given, err);
    if (!rc && !(rc = read_args(a, &j, err)) && !(rc = lw_bench_ranks_open(&j.ranks, err))) {
        if (!j.ranks.comm && j.config.devices > 1)
            rc = lw_bench_ranks_start(j.config.devices, &given, out, err);
        else if (!(rc = open_job(&j, err)) && !(rc = measure(&j, out, err)))
            report(&j, out);
    }
    free(given.item);
    lw_bench_ranks_close(&j.ranks, rc ? err : NULL);
    lw_model_free(j.g);
    if (j.device)
        j.backend->close(j.device);
    free(j.input);
    free(j.targets);
    free(j.seconds);
    lw_config_fini(&j.config);
    return rc;
}

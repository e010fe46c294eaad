/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <ctype.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"

/* BLAS is called from inside our parallel regions, where it must not start threads of its own. It
 * is looked up by name, since the BLAS that is loaded need not be the one we were built with. */
static void one_blas_thread(void)
{
    static const char *const names[] = {"openblas_set_num_threads", "bli_thread_set_num_threads",
                                        "MKL_Set_Num_Threads"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        void *symbol = dlsym(RTLD_DEFAULT, names[i]);
        void (*set)(int);

        memcpy(&set, &symbol, sizeof(set));
        if (i == 1 && symbol) { /* BLIS counts in a 64-bit type */
            void (*set_long)(long);

            memcpy(&set_long, &symbol, sizeof(set_long));
            set_long(1);
        } else if (symbol) {
            set(1);
        }
    }
}

static int open_device(struct lw_device **out, const struct lw_device_options *opt,
                       struct lw_error *err)
{
    struct lw_device *dev;
    int code;

    *out = NULL;
    if (opt->precision != LW_F32)
        return lw_fail(err, LW_EMISSING, "the cpu backend computes in fp32: set precision=fp32");
    if (opt->threads < 1)
        return lw_fail(err, LW_EUSAGE, "threads is %d: it must be at least 1", opt->threads);
    dev = calloc(1, sizeof(*dev));
    if (!dev)
        return lw_fail(err, LW_EMEM, "out of memory for a device");
    code = lw_cpu_choose(&dev->k, err);
    if (code) {
        free(dev);
        return code;
    }
    dev->threads = opt->threads;
    one_blas_thread();
    dev->products = lw_cpu_choose_products(dev->k);
    *out = dev;
    return 0;
}

static void close_device(struct lw_device *dev)
{
    if (!dev)
        return;
    lw_cpu_release_all(dev);
    free(dev);
}

static void processor_name(char *out, size_t size)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256], *value;

    snprintf(out, size, "CPU");
    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, "model name", 10) || !(value = strchr(line, ':')))
            continue;
        for (value++; isspace((unsigned char)*value); value++)
            ;
        value[strcspn(value, "\n")] = '\0';
        snprintf(out, size, "%s", value);
        break;
    }
    fclose(f);
}

static void info(struct lw_device *dev, struct lw_device_info *out)
{
    char name[80];

    memset(out, 0, sizeof(*out));
    processor_name(name, sizeof(name));
    snprintf(out->name, sizeof(out->name), "%s, %d thread%s, %s", name, dev->threads,
             dev->threads == 1 ? "" : "s", dev->k->name);
    out->backend = "cpu";
    out->activation = out->weight = out->gradient = LW_F32;
    lw_cpu_memory(&out->memory_total, &out->memory_free);
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

/* Rows of logits at a time: as many as 64 MiB hold, since every further chunk reads and writes all
 * of dw once more, and at least enough that the products run at speed. */
static int rows_of_chunk(const struct lw_shapes *s)
{
    size_t rows = (size_t)s->batch * (size_t)s->length, most;

    most = s->vocabulary > 0 ? ((size_t)64 << 20) / 4 / (size_t)s->vocabulary : rows;
    if (most < 128)
        most = 128;
    if (most > 4096)
        most = 4096;
    return (int)(rows < most ? rows : most);
}

static int grow(struct lw_device *dev, float **p, size_t *have, size_t want, struct lw_error *err)
{
    void *fresh;
    int code;

    if (want <= *have)
        return 0;
    code = lw_cpu_alloc(dev, want * sizeof(float), &fresh, err);
    if (code)
        return code;
    if (*p)
        lw_cpu_release(dev, *p);
    *p = fresh;
    *have = want;
    return 0;
}

static void widen(struct lw_shapes *have, const struct lw_shapes *s)
{
    have->batch = largest(have->batch, s->batch);
    have->length = largest(have->length, s->length);
    have->channels = largest(have->channels, s->channels);
    have->heads = largest(have->heads, s->heads);
    have->feed_forward = largest(have->feed_forward, s->feed_forward);
    have->vocabulary = largest(have->vocabulary, s->vocabulary);
    have->training |= s->training;
}

static int prepare(struct lw_device *dev, const struct lw_shapes *shapes, struct lw_error *err)
{
    size_t each = lw_cpu_attention_scratch(shapes), shared, row;
    size_t total = dev->scratch_each * (size_t)dev->threads;
    size_t packed = dev->pack ? (size_t)LW_CPU_GEMM_PACK * (size_t)dev->threads : 0;
    void *fresh;
    int code;

    widen(&dev->shapes, shapes);
    row = (size_t)largest(dev->shapes.channels, dev->shapes.feed_forward);
    if (each < row)
        each = row;
    each = (each + 63) / 64 * 64; /* no cache line is shared by two threads */
    if (each < dev->scratch_each)
        each = dev->scratch_each;
    code = grow(dev, &dev->scratch, &total, each * (size_t)dev->threads, err);
    if (code)
        return lw_wrap(err, "scratch memory");
    dev->scratch_each = each;
    code = grow(dev, &dev->pack, &packed, (size_t)LW_CPU_GEMM_PACK * (size_t)dev->threads, err);
    if (code)
        return lw_wrap(err, "scratch memory for matrix products");

    dev->chunk_rows = rows_of_chunk(&dev->shapes);
    shared = (size_t)dev->chunk_rows * (size_t)dev->shapes.vocabulary;
    if (shared < 3 * LW_CPU_NORM_BLOCKS * row)
        shared = 3 * LW_CPU_NORM_BLOCKS * row;
    code = grow(dev, &dev->shared, &dev->shared_count, shared, err);
    if (code)
        return lw_wrap(err, "scratch memory for the logits");
    code = lw_cpu_alloc(dev, (size_t)dev->chunk_rows * (sizeof(double) + 2 * sizeof(int32_t)),
                        &fresh, err);
    if (code)
        return lw_wrap(err, "scratch memory");
    if (dev->row_loss)
        lw_cpu_release(dev, dev->row_loss);
    dev->row_loss = fresh;
    dev->row_class = (int32_t *)(dev->row_loss + dev->chunk_rows);
    dev->row_rank = dev->row_class + dev->chunk_rows;
    return 0;
}

float *lw_cpu_scratch(struct lw_device *dev, int thread)
{
    return dev->scratch + (size_t)thread * dev->scratch_each;
}

struct lw_cpu_mask lw_cpu_mask_of(const struct lw_device *dev, const struct lw_dropout *dropout)
{
    uint64_t micro = dev->step.step * 4096 + dev->step.micro;
    struct lw_cpu_mask mask = {.seed = dev->step.seed, .scale = 1.0f};

    mask.stream = LW_STREAM_DROPOUT | (uint64_t)dropout->site << 8 | micro << 24;
    if (dropout->p > 0.0f) {
        mask.threshold = (uint64_t)ceil((double)dropout->p * 4294967296.0);
        mask.scale = 1.0f / (1.0f - dropout->p);
    }
    return mask;
}

static int copy(struct lw_device *dev, void *dst, const void *src, size_t bytes,
                struct lw_error *err)
{
    (void)dev;
    (void)err;
    memcpy(dst, src, bytes);
    return 0;
}

static void feed(struct lw_device *dev, void *dst, const void *src, size_t bytes)
{
    (void)dev;
    memcpy(dst, src, bytes);
}

static void set_step(struct lw_device *dev, const struct lw_step *step)
{
    dev->step = *step;
}

static void set_updates(struct lw_device *dev, uint64_t updates)
{
    dev->updates = updates;
}

static void finish(struct lw_device *dev)
{
    unsigned slot = (dev->first_result + dev->result_count) % LW_CPU_RESULTS;

    dev->window.step = dev->step.step;
    dev->window.updates = dev->updates;
    if (dev->result_count < LW_CPU_RESULTS) {
        dev->results[slot] = dev->window;
        dev->result_count++;
    } else {
        dev->overflowed = true;
    }
    memset(&dev->window, 0, sizeof(dev->window));
}

static int collect(struct lw_device *dev, bool wait, struct lw_result *out, struct lw_error *err)
{
    (void)wait; /* what was asked for is done already */
    if (dev->failed.code)
        return lw_fail(err, dev->failed.code, "%s", dev->failed.text);
    if (dev->overflowed) {
        dev->overflowed = false;
        return lw_fail(err, LW_EBACKEND, "more than %d results were left uncollected",
                       LW_CPU_RESULTS);
    }
    if (!dev->result_count)
        return 0;
    *out = dev->results[dev->first_result];
    dev->first_result = (dev->first_result + 1) % LW_CPU_RESULTS;
    dev->result_count--;
    return 1;
}

static int wait_device(struct lw_device *dev, struct lw_error *err)
{
    return dev->failed.code ? lw_fail(err, dev->failed.code, "%s", dev->failed.text) : 0;
}

const struct lw_backend lw_backend_cpu = {
    .name = "cpu",
    .open = open_device,
    .close = close_device,
    .info = info,
    .attention_ready = lw_cpu_attention_ready,
    .prepare = prepare,
    .alloc = lw_cpu_alloc,
    .release = lw_cpu_release,
    .upload = copy,
    .download = copy,
    .feed = feed,
    .set_step = set_step,
    .set_updates = set_updates,
    .finish = finish,
    .collect = collect,
    .wait = wait_device,
    .join = lw_cpu_join,
    .spread = lw_cpu_spread,
    .reduce = lw_cpu_reduce,
    .reduce_end = lw_cpu_reduce_end,
    .embed = lw_cpu_embed,
    .embed_backward = lw_cpu_embed_backward,
    .patches = lw_cpu_patches,
    .place = lw_cpu_place,
    .place_backward = lw_cpu_place_backward,
    .gather = lw_cpu_gather,
    .scatter = lw_cpu_scatter,
    .norm = lw_cpu_norm,
    .norm_backward = lw_cpu_norm_backward,
    .linear = lw_cpu_linear,
    .linear_backward = lw_cpu_linear_backward,
    .activate = lw_cpu_activate,
    .attention = lw_cpu_attention,
    .attention_backward = lw_cpu_attention_backward,
    .attention_decode = lw_cpu_attention_decode,
    .head_loss = lw_cpu_head_loss,
    .clear = lw_cpu_clear,
    .tally = lw_cpu_tally,
    .tally_move = lw_cpu_tally_move,
    .head_logits = lw_cpu_head_logits,
    .update = lw_cpu_update,
};

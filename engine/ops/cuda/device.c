/* SPDX-License-Identifier: MIT
 *
 * Opening a GPU, its memory, the step record and recordings, and the table of the backend.
 */
#include "engine/ops/cuda/device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ops/peaks.h"

#define WORKSPACE (64u << 20) /* cuBLASLt asks for 32 MiB on Hopper; twice that finds more */
#define HEAD_ROWS 8192        /* rows of logits at a time: fewer lose on the weight gradient */

void lw_cuda_failed(struct lw_device *dev, const char *op, const char *why)
{
    if (dev->failed_op)
        return;
    dev->failed_op = op;
    dev->failed_step = dev->current_step;
    snprintf(dev->failed_why, sizeof dev->failed_why, "%s", why);
}

void lw_cuda_launched(struct lw_device *dev, const char *op)
{
    cudaError_t e = cudaGetLastError();

    if (e)
        lw_cuda_failed(dev, op, lw_cuda_text(e));
}

static int report(struct lw_device *dev, struct lw_error *err)
{
    return lw_fail(err, LW_EBACKEND, "%s failed on %s at step %llu: %s", dev->failed_op,
                   dev->properties.name, dev->failed_step, dev->failed_why);
}

int lw_cuda_alloc(struct lw_device *dev, size_t bytes, void **out, struct lw_error *err)
{
    size_t free_bytes = 0, total = 0;

    if (cudaMalloc(out, bytes ? bytes : 1) == cudaSuccess)
        return 0;
    cudaGetLastError();
    cudaMemGetInfo(&free_bytes, &total);
    *out = NULL;
    return lw_fail(err, LW_EMEM, "out of memory on %s: %.2f GiB wanted, %.2f of %.2f GiB free",
                   dev->properties.name, (double)bytes / 0x1p30, (double)free_bytes / 0x1p30,
                   (double)total / 0x1p30);
}

static void release_scratch(struct lw_device *dev)
{
    void *const all[] = {dev->workspace, dev->logits, dev->row_loss, dev->partials,
                         dev->sums,      dev->scores, dev->dscores,  dev->order};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cudaFree(all[i]);
    dev->workspace = dev->logits = NULL;
    dev->row_loss = dev->partials = dev->scores = dev->dscores = NULL;
    dev->sums = NULL;
    dev->order = NULL;
}

static void close_device(struct lw_device *dev)
{
    if (!dev)
        return;
    if (dev->stream && !(dev->group && dev->failed_op)) /* a lost rank would be waited for */
        cudaStreamSynchronize(dev->stream);
    for (int i = 0; i < LW_RECORDINGS; i++)
        if (dev->recording[i])
            cudaGraphExecDestroy(dev->recording[i]);
    lw_cuda_leave(dev); /* recordings hold sums */
    lw_cudnn_close(dev);
    lw_matmul_close(dev);
    release_scratch(dev);
    for (int i = 0; i < LW_STAGES; i++) {
        cudaFreeHost(dev->stage[i].host);
        if (dev->stage[i].done)
            cudaEventDestroy(dev->stage[i].done);
    }
    for (int i = 0; i < LW_RESULTS; i++)
        if (dev->result_done[i])
            cudaEventDestroy(dev->result_done[i]);
    if (dev->wait_done)
        cudaEventDestroy(dev->wait_done);
    cudaFreeHost(dev->results);
    cudaFree(dev->record);
    if (dev->stream)
        cudaStreamDestroy(dev->stream);
    free(dev);
}

static int make_basics(struct lw_device *dev, struct lw_error *err)
{
    cudaError_t e = cudaStreamCreateWithFlags(&dev->stream, cudaStreamNonBlocking);

    for (int i = 0; !e && i < LW_RESULTS; i++)
        e = cudaEventCreateWithFlags(&dev->result_done[i], cudaEventDisableTiming);
    if (!e)
        e = cudaEventCreateWithFlags(&dev->wait_done, cudaEventDisableTiming);
    for (int i = 0; !e && i < LW_STAGES; i++)
        e = cudaEventCreateWithFlags(&dev->stage[i].done, cudaEventDisableTiming);
    if (!e)
        e = cudaHostAlloc((void **)&dev->results, LW_RESULTS * sizeof *dev->results,
                          cudaHostAllocDefault);
    if (!e)
        e = cudaMalloc((void **)&dev->record, sizeof *dev->record);
    if (!e)
        e = cudaMemset(dev->record, 0, sizeof *dev->record);
    if (e)
        return lw_fail(err, LW_EBACKEND, "GPU %d did not start: %s", dev->index, lw_cuda_text(e));
    return lw_matmul_open(dev, err);
}

static int open_device(struct lw_device **out, const struct lw_device_options *opt,
                       struct lw_error *err)
{
    struct lw_device *dev;
    int count = 0, rc = 0;
    cudaError_t e = cudaGetDeviceCount(&count);

    if (e == cudaErrorInsufficientDriver)
        return lw_fail(err, LW_EMISSING,
                       "no NVIDIA GPU: no driver is loaded, or one older than "
                       "this build's CUDA needs");
    if (e || !count)
        return lw_fail(err, LW_EMISSING, "no NVIDIA GPU: %s",
                       e ? lw_cuda_text(e) : "the driver sees none");
    if (opt->index < 0 || opt->index >= count)
        return lw_fail(err, LW_EUSAGE, "cuda:%d does not exist: there %s %d (cuda:0%s)", opt->index,
                       count == 1 ? "is" : "are", count, count == 1 ? "" : " and on");
    dev = calloc(1, sizeof *dev);
    if (!dev)
        return lw_fail(err, LW_EMEM, "out of memory opening cuda:%d", opt->index);
    dev->index = opt->index;
    dev->options = *opt;
    dev->options.cache_dir = NULL;
    dev->recording_slot = -1;
    dev->type = opt->precision;
    if (opt->cache_dir)
        snprintf(dev->cache_dir, sizeof dev->cache_dir, "%s", opt->cache_dir);
    e = cudaSetDevice(dev->index);
    if (!e)
        e = cudaGetDeviceProperties(&dev->properties, dev->index);
    if (e)
        rc = lw_fail(err, LW_EBACKEND, "cuda:%d: %s", dev->index, lw_cuda_text(e));
    else if (dev->properties.major < 8)
        rc =
            lw_fail(err, LW_EMISSING,
                    "cuda:%d, %s, has compute capability %d.%d: this build needs "
                    "8.0",
                    dev->index, dev->properties.name, dev->properties.major, dev->properties.minor);
    else if (dev->type != LW_F32 && dev->type != LW_BF16)
        rc = lw_fail(err, LW_EUSAGE, "precision %s is not available on a GPU: use bf16 or fp32",
                     lw_dtype_name(dev->type));
    if (!rc)
        rc = make_basics(dev, err);
    if (rc) {
        close_device(dev);
        return rc;
    }
    *out = dev;
    return 0;
}

static void device_info(struct lw_device *dev, struct lw_device_info *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%.127s", dev->properties.name);
    out->backend = "cuda";
    lw_cuda_pci(dev->index, out->pci, sizeof out->pci);
    out->activation = out->weight = dev->type;
    out->gradient = LW_F32;
    cudaMemGetInfo(&out->memory_free, &out->memory_total);
    out->peak_flops = lw_peak_flops(dev->properties.name, dev->type);
}

static int attention_ready(struct lw_device *dev, const struct lw_attention *a,
                           struct lw_error *err)
{
    if (a->kind == LW_ATTENTION_CUDNN)
        return lw_cudnn_ready(dev, a, err);
    if (a->kind == LW_ATTENTION_TILED)
        return lw_fail(err, LW_EMISSING, "tiled attention is the CPU's; cudnn is the GPU's");
    return 0;
}

static int prepare(struct lw_device *dev, const struct lw_shapes *s, struct lw_error *err)
{
    const size_t rows = (size_t)s->batch * s->length, type = lw_dtype_size(dev->type);
    const size_t square = (size_t)s->batch * s->heads * s->length * s->length;
    const int widest = s->feed_forward > 3 * s->channels ? s->feed_forward : 3 * s->channels;
    int rc = 0;

    if (s->channels % 8 || s->feed_forward % 8 || s->vocabulary % 8 || s->channels > 2048)
        return lw_fail(err, LW_EUSAGE,
                       "on a GPU d_model (%d, at most 2048), d_ff (%d) and the "
                       "padded vocabulary (%d) are multiples of 8",
                       s->channels, s->feed_forward, s->vocabulary);
    release_scratch(dev);
    dev->shapes = *s;
    dev->head_rows = rows < HEAD_ROWS ? (int)rows : HEAD_ROWS;
    dev->workspace_size = WORKSPACE;
    dev->partials_count = /* norm_backward: 16 blocks a multiprocessor at most */
        (size_t)dev->properties.multiProcessorCount * 16 * (size_t)(3 * s->channels);
    if (dev->partials_count < (size_t)16 * widest)
        dev->partials_count = (size_t)16 * widest;
    if (dev->partials_count < (size_t)s->vocabulary)
        dev->partials_count = (size_t)s->vocabulary;
    if (dev->partials_count < (size_t)s->length * s->channels) /* place_backward */
        dev->partials_count = (size_t)s->length * s->channels;
    rc = lw_cuda_alloc(dev, dev->workspace_size, &dev->workspace, err);
    if (!rc)
        rc = lw_cuda_alloc(dev, (size_t)dev->head_rows * s->vocabulary * type, &dev->logits, err);
    if (!rc)
        rc = lw_cuda_alloc(dev, (size_t)dev->head_rows * 4 * sizeof(float), (void **)&dev->row_loss,
                           err);
    if (!rc)
        rc = lw_cuda_alloc(dev, dev->partials_count * sizeof(float), (void **)&dev->partials, err);
    if (!rc)
        rc = lw_cuda_alloc(dev, 2048 * sizeof(double), (void **)&dev->sums, err);
    if (!rc && s->training)
        rc = lw_cuda_alloc(dev, 3 * rows * sizeof(int), (void **)&dev->order, err);
    if (!rc && s->attention == LW_ATTENTION_MATH) {
        rc = lw_cuda_alloc(dev, square * sizeof(float), (void **)&dev->scores, err);
        if (!rc)
            rc = lw_cuda_alloc(dev, square * type, (void **)&dev->dscores, err);
    } else if (!rc) {
        const struct lw_attention a = {.kind = s->attention,
                                       .batch = s->batch,
                                       .length = s->length,
                                       .heads = s->heads,
                                       .head_dim = s->channels / s->heads,
                                       .causal = s->causal,
                                       .dropout = {s->dropout, 0}};

        rc = lw_cudnn_ready(dev, &a, err);
        if (!rc)
            rc = lw_cudnn_prepare(dev, &a, s->training, err);
    }
    return rc;
}

static int alloc(struct lw_device *dev, size_t bytes, void **out, struct lw_error *err)
{
    int rc = lw_cuda_alloc(dev, bytes, out, err);

    if (!rc && (cudaMemsetAsync(*out, 0, bytes, dev->stream) || cudaStreamSynchronize(dev->stream)))
        rc = lw_fail(err, LW_EBACKEND, "clearing memory on %s failed", dev->properties.name);
    return rc;
}

static void release(struct lw_device *dev, void *p)
{
    cudaStreamSynchronize(dev->stream);
    cudaFree(p);
}

int lw_cuda_wait_all(struct lw_device *dev, struct lw_error *err)
{
    cudaError_t e;

    if (dev->group && !dev->failed_op) {
        e = cudaEventRecord(dev->wait_done, dev->stream);
        if (!e)
            e = lw_cuda_wait(dev, dev->wait_done);
    } else {
        e = cudaStreamSynchronize(dev->stream);
    }
    if (e)
        lw_cuda_failed(dev, "the GPU", lw_cuda_text(e));
    return dev->failed_op ? report(dev, err) : 0;
}

static int copy(struct lw_device *dev, void *dst, const void *src, size_t bytes,
                enum cudaMemcpyKind kind, struct lw_error *err)
{
    cudaError_t e = cudaMemcpyAsync(dst, src, bytes, kind, dev->stream);

    if (e)
        lw_cuda_failed(dev, "copy", lw_cuda_text(e));
    return lw_cuda_wait_all(dev, err);
}

static int upload(struct lw_device *dev, void *dst, const void *src, size_t bytes,
                  struct lw_error *err)
{
    return copy(dev, dst, src, bytes, cudaMemcpyHostToDevice, err);
}

static int download(struct lw_device *dev, void *dst, const void *src, size_t bytes,
                    struct lw_error *err)
{
    return copy(dev, dst, src, bytes, cudaMemcpyDeviceToHost, err);
}

static void feed(struct lw_device *dev, void *dst, const void *src, size_t bytes)
{
    struct lw_stage *s = &dev->stage[dev->next_stage++ % LW_STAGES];
    cudaError_t e = cudaEventSynchronize(s->done); /* its last copy: long over, as a rule */

    if (!e && s->size < bytes) {
        cudaFreeHost(s->host);
        s->host = NULL;
        s->size = 0;
        e = cudaHostAlloc(&s->host, bytes, cudaHostAllocDefault);
        if (!e)
            s->size = bytes;
    }
    if (!e) {
        memcpy(s->host, src, bytes);
        e = cudaMemcpyAsync(dst, s->host, bytes, cudaMemcpyHostToDevice, dev->stream);
    }
    if (!e)
        e = cudaEventRecord(s->done, dev->stream);
    if (e)
        lw_cuda_failed(dev, "feed", lw_cuda_text(e));
}

static void set_step(struct lw_device *dev, const struct lw_step *step)
{
    dev->current_step = step->step;
    feed(dev, &dev->record->step, step, sizeof *step);
}

static void set_updates(struct lw_device *dev, uint64_t updates)
{
    const unsigned long long t = updates;

    feed(dev, &dev->record->updates, &t, sizeof t);
}

static void finish(struct lw_device *dev)
{
    const unsigned slot = dev->result_written % LW_RESULTS;
    const size_t sums = offsetof(struct lw_record, loss_sum);
    cudaError_t e;

    if (dev->result_written - dev->result_read == LW_RESULTS) {
        lw_cuda_failed(dev, "finish", "results were not collected");
        return;
    }
    e = cudaMemcpyAsync(&dev->results[slot], dev->record, sizeof *dev->record,
                        cudaMemcpyDeviceToHost, dev->stream);
    if (!e)
        e = cudaEventRecord(dev->result_done[slot], dev->stream);
    if (!e)
        e = cudaMemsetAsync((char *)dev->record + sums, 0,
                            offsetof(struct lw_record, updates) - sums, dev->stream);
    if (!e)
        e = cudaMemsetAsync(&dev->record->updated, 0, 2 * sizeof(int), dev->stream);
    if (e)
        lw_cuda_failed(dev, "finish", lw_cuda_text(e));
    dev->result_written++;
}

static int collect(struct lw_device *dev, bool wait, struct lw_result *out, struct lw_error *err)
{
    const unsigned slot = dev->result_read % LW_RESULTS;
    const struct lw_record *r = &dev->results[slot];
    cudaError_t e;

    if (dev->failed_op)
        return report(dev, err);
    if (dev->result_read == dev->result_written)
        return 0;
    e = wait ? lw_cuda_wait(dev, dev->result_done[slot])
             : cudaEventQuery(dev->result_done[slot]);
    if (dev->failed_op)
        return report(dev, err);
    if (e == cudaErrorNotReady)
        return 0;
    if (e) {
        lw_cuda_failed(dev, "the GPU", lw_cuda_text(e));
        return report(dev, err);
    }
    *out = (struct lw_result){.step = r->step.step,
                              .loss_sum = r->loss_sum,
                              .targets = r->targets,
                              .correct = r->correct,
                              .top5 = r->top5,
                              .own_loss_sum = r->own_loss_sum,
                              .norm = r->updated ? r->norm : NAN,
                              .norm_clipped = r->updated ? r->norm_clipped : NAN,
                              .updates = r->updates,
                              .updated = r->updated,
                              .skipped = r->skipped};
    dev->result_read++;
    return 1;
}

static int record(struct lw_device *dev, int slot, struct lw_error *err)
{
    cudaError_t e = cudaStreamBeginCapture(dev->stream, cudaStreamCaptureModeThreadLocal);

    if (e)
        return lw_fail(err, LW_EBACKEND, "a CUDA graph could not begin: %s", lw_cuda_text(e));
    dev->recording_slot = slot;
    return 0;
}

static int record_end(struct lw_device *dev, struct lw_error *err)
{
    const int slot = dev->recording_slot;
    cudaGraph_t graph = NULL;
    cudaError_t e = cudaStreamEndCapture(dev->stream, &graph);

    dev->recording_slot = -1;
    if (!e && dev->recording[slot])
        cudaGraphExecDestroy(dev->recording[slot]);
    dev->recording[slot] = NULL;
    if (!e)
        e = cudaGraphInstantiate(&dev->recording[slot], graph, 0);
    if (graph)
        cudaGraphDestroy(graph);
    if (dev->failed_op)
        return report(dev, err);
    return e ? lw_fail(err, LW_EBACKEND, "a CUDA graph could not be made: %s", lw_cuda_text(e)) : 0;
}

static int replay(struct lw_device *dev, int slot, struct lw_error *err)
{
    cudaError_t e = cudaGraphLaunch(dev->recording[slot], dev->stream);

    if (e) {
        lw_cuda_failed(dev, "a recorded step", lw_cuda_text(e));
        return report(dev, err);
    }
    return 0;
}

void lw_cuda_attention(struct lw_device *dev, const struct lw_attention *a, void *out, float *lse,
                       void *p, const void *qkv)
{
    if (a->kind == LW_ATTENTION_MATH)
        lw_cuda_attention_math(dev, a, out, lse, p, qkv);
    else
        lw_cudnn_attention(dev, a, out, lse, qkv);
}

void lw_cuda_attention_backward(struct lw_device *dev, const struct lw_attention *a, void *dqkv,
                                const void *dout, const void *out, const float *lse, const void *p,
                                const void *qkv)
{
    if (a->kind == LW_ATTENTION_MATH)
        lw_cuda_attention_math_backward(dev, a, dqkv, dout, p, qkv);
    else
        lw_cudnn_attention_backward(dev, a, dqkv, dout, out, lse, qkv);
}

const struct lw_backend lw_cuda_table = {
    .name = "cuda",
    .open = open_device,
    .close = close_device,
    .list = lw_cuda_list,
    .info = device_info,
    .attention_ready = attention_ready,
    .prepare = prepare,
    .alloc = alloc,
    .release = release,
    .upload = upload,
    .download = download,
    .feed = feed,
    .set_step = set_step,
    .set_updates = set_updates,
    .finish = finish,
    .collect = collect,
    .wait = lw_cuda_wait_all,
    .group_id = lw_cuda_group_id,
    .join = lw_cuda_join,
    .spread = lw_cuda_spread,
    .reduce = lw_cuda_reduce,
    .reduce_end = lw_cuda_reduce_end,
    .record = record,
    .record_end = record_end,
    .replay = replay,
    .embed = lw_cuda_embed,
    .embed_backward = lw_cuda_embed_backward,
    .patches = lw_cuda_patches,
    .place = lw_cuda_place,
    .place_backward = lw_cuda_place_backward,
    .gather = lw_cuda_gather,
    .scatter = lw_cuda_scatter,
    .norm = lw_cuda_norm,
    .norm_backward = lw_cuda_norm_backward,
    .linear = lw_cuda_linear,
    .linear_backward = lw_cuda_linear_backward,
    .activate = lw_cuda_activate,
    .attention = lw_cuda_attention,
    .attention_backward = lw_cuda_attention_backward,
    .attention_decode = lw_cuda_attention_decode,
    .head_loss = lw_cuda_head_loss,
    .clear = lw_cuda_clear,
    .tally = lw_cuda_tally,
    .tally_move = lw_cuda_tally_move,
    .head_logits = lw_cuda_head_logits,
    .update = lw_cuda_update,
};

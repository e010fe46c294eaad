/* SPDX-License-Identifier: MIT
 *
 * Parameters as one flat buffer, with a table that says where each tensor lies in it.
 *
 * The buffer is contiguous by block. Block 0 is the root (embeddings and the last norm: used
 * first, complete last), blocks 1 to L are the layers. In a block the decayed tensors come first,
 * then the others. Every tensor begins at a multiple of LW_PARAM_ALIGN elements, which is 128
 * bytes or more in every dtype, and a block's size is a multiple of LW_PARAM_ALIGN times the ranks
 * it may be cut among. Weights, masters, gradients and moments share one set of offsets, counted
 * in elements. Padding is zero and stays zero: it gets no gradient, and decay keeps zeros.
 */
#ifndef LW_MODEL_PARAMS_H
#define LW_MODEL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/ops/ops.h"

#define LW_PARAM_ALIGN 128
#define LW_PARAM_NAME  80

enum lw_param_init {
    LW_INIT_NORMAL, /* mean 0, `deviation` */
    LW_INIT_ZEROS,
    LW_INIT_ONES,
};

struct lw_param {
    char name[LW_PARAM_NAME]; /* Hugging Face's: "transformer.h.0.attn.c_attn.weight" */
    int block;
    size_t offset; /* in the flat buffer, elements */
    size_t count;  /* elements that exist: the product of shape. They come first */
    size_t stored; /* elements the buffer keeps, padded rows included; >= count */
    int rank;
    int shape[4];          /* as saved */
    enum lw_layout layout; /* of matrices */
    bool decay;
    bool joined; /* lies right behind the one before, unaligned: to the ops they are one tensor */
    enum lw_param_init init;
    float deviation;
};

struct lw_param_block {
    size_t offset, count; /* elements of the flat buffer, padding included */
    int first, params;    /* its rows of the table */
};

/* Device memory, each of lw_params.count elements; grads, m and v only when training. */
struct lw_flat {
    void *weights; /* the device's weight dtype */
    float *master; /* NULL where the weights are fp32 themselves */
    void *grads;   /* the device's gradient dtype */
    float *m, *v;
};

struct lw_params {
    struct lw_param *list;
    int params;
    struct lw_param_block *blocks;
    int block_count;
    size_t count;                /* elements of the flat buffer, padding included */
    size_t exist;                /* elements that exist: the number of parameters one would quote */
    struct lw_decay_span *spans; /* for lw_update */
    int span_count;
    int ranks;

    const struct lw_backend *backend; /* of the buffers; NULL before lw_params_alloc */
    struct lw_device *device;
    enum lw_dtype weight_type, grad_type;
    struct lw_flat flat;
};

enum lw_buffer {
    LW_WEIGHTS, /* reads the masters where there are some; writes both */
    LW_GRADS,
    LW_MOMENT1,
    LW_MOMENT2,
};

/* Building a table: init, add in order of use (blocks ascending, in a block decayed tensors
 * first), seal. add: `stored_rows` is shape[0] padded, or 0 for none. */
void lw_params_init(struct lw_params *p, int ranks);
LW_NODISCARD int lw_params_add(struct lw_params *p, const struct lw_param *param, int stored_rows,
                               struct lw_error *err);
LW_NODISCARD int lw_params_seal(struct lw_params *p, struct lw_error *err);

/* Free the table and its buffers; a zeroed struct is fine. */
void lw_params_fini(struct lw_params *p);

/* Row of that name, or -1. */
int lw_params_find(const struct lw_params *p, const char *name);

struct lw_params_bytes {
    size_t weights; /* with masters, which there are when training in less than fp32 */
    size_t gradients, moments;
};

/* Bytes of the flat buffers on such a device. */
void lw_params_bytes(const struct lw_params *p, const struct lw_device_info *info, bool training,
                     struct lw_params_bytes *out);

/* Take the buffers; all zero. Those for training are gradients, moments and masters. */
LW_NODISCARD int lw_params_alloc(struct lw_params *p, const struct lw_backend *backend,
                                 struct lw_device *device, bool training, struct lw_error *err);
void lw_params_release(struct lw_params *p); /* none taken is fine */

/* Fresh weights: parameter i of the table draws from stream LW_STREAM_INIT + (i << 8) at seed,
 * its element j from block j / 4: the values depend on neither ranks nor threads nor dtype. */
LW_NODISCARD int lw_params_fill(struct lw_params *p, uint64_t seed, struct lw_error *err);
LW_NODISCARD int lw_params_fill_one(struct lw_params *p, int index, uint64_t seed,
                                    struct lw_error *err);

/* Elements [first, first + count) of parameter `index`, as fp32 on the host. The device must have
 * no work outstanding that touches them (wait() first); these copies are synchronous. */
LW_NODISCARD int lw_params_read(const struct lw_params *p, enum lw_buffer buffer, int index,
                                size_t first, size_t count, float *out, struct lw_error *err);
LW_NODISCARD int lw_params_write(struct lw_params *p, enum lw_buffer buffer, int index,
                                 size_t first, size_t count, const float *in, struct lw_error *err);

/* Device address of an element of the weights or of the gradients. */
static inline void *lw_weight_at(const struct lw_params *p, size_t offset)
{
    return (char *)p->flat.weights + offset * lw_dtype_size(p->weight_type);
}

static inline void *lw_grad_at(const struct lw_params *p, size_t offset)
{
    return (char *)p->flat.grads + offset * lw_dtype_size(p->grad_type);
}

#endif

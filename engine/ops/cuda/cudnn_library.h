/* SPDX-License-Identifier: MIT
 *
 * cuDNN, opened at run time: the few functions of its backend interface that attention needs.
 */
#ifndef LW_OPS_CUDA_CUDNN_LIBRARY_H
#define LW_OPS_CUDA_CUDNN_LIBRARY_H

#include <stdbool.h>

#include <cudnn.h>

#include "engine/base/error.h"

struct lw_cudnn {
    void *library;
    size_t version; /* 91900 is 9.19.0 */
    char path[512];
    cudnnStatus_t (*create)(cudnnHandle_t *);
    cudnnStatus_t (*destroy)(cudnnHandle_t);
    cudnnStatus_t (*set_stream)(cudnnHandle_t, cudaStream_t);
    void (*last_error)(char *, size_t);
    cudnnStatus_t (*make)(cudnnBackendDescriptorType_t, cudnnBackendDescriptor_t *);
    cudnnStatus_t (*drop)(cudnnBackendDescriptor_t);
    cudnnStatus_t (*finalize)(cudnnBackendDescriptor_t);
    cudnnStatus_t (*set)(cudnnBackendDescriptor_t, cudnnBackendAttributeName_t,
                         cudnnBackendAttributeType_t, int64_t, const void *);
    cudnnStatus_t (*get)(cudnnBackendDescriptor_t const, cudnnBackendAttributeName_t,
                         cudnnBackendAttributeType_t, int64_t, int64_t *, void *);
    cudnnStatus_t (*execute)(cudnnHandle_t, cudnnBackendDescriptor_t, cudnnBackendDescriptor_t);
};

/* Open the newest cuDNN 9 that can be found: $LEEWAY_CUDNN (a file or its folder) alone if set,
 * else where the loader looks and where pip puts it. LW_EMISSING says where it looked. */
LW_NODISCARD int lw_cudnn_load(struct lw_cudnn *lib, struct lw_error *err);
void lw_cudnn_unload(struct lw_cudnn *lib);

#endif

/* SPDX-License-Identifier: MIT
 *
 * CUDA's and cuBLASLt's errors as people look them up: with the name and the number.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/ops/cuda/device.h"

/* What a kernel does wrong is told to a later call, unless each launch waits. */
static const char *hint(cudaError_t e)
{
    const char *blocking = getenv("CUDA_LAUNCH_BLOCKING");

    if (e < cudaErrorIllegalAddress || e > cudaErrorLaunchFailure ||
        (blocking && blocking[0] == '1'))
        return "";
    return ", maybe in an op before it: CUDA_LAUNCH_BLOCKING=1 tells in which";
}

const char *lw_cuda_text(cudaError_t e)
{
    static _Thread_local char text[240];

    snprintf(text, sizeof text, "%s (%s, %d%s)", cudaGetErrorString(e), cudaGetErrorName(e), (int)e,
             hint(e));
    return text;
}

const char *lw_cublas_text(int status)
{
    static _Thread_local char text[160];

    snprintf(text, sizeof text, "cuBLASLt refused it (%s, %d)",
             cublasLtGetStatusName((cublasStatus_t)status), status);
    return text;
}

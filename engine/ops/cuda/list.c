/* SPDX-License-Identifier: MIT
 *
 * Which GPUs CUDA shows, in its own numbering.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine/ops/cuda/device.h"

void lw_cuda_pci(int index, char *out, size_t size)
{
    if (cudaDeviceGetPCIBusId(out, (int)size, index)) {
        cudaGetLastError();
        out[0] = '\0';
    }
    for (char *c = out; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

int lw_cuda_list(struct lw_device_info *out, int max)
{
    int count = 0;

    if (cudaGetDeviceCount(&count)) {
        cudaGetLastError();
        return 0;
    }
    for (int i = 0; i < count && i < max; i++) {
        struct cudaDeviceProp p;

        memset(&out[i], 0, sizeof out[i]);
        out[i].backend = "cuda";
        if (!cudaGetDeviceProperties(&p, i))
            snprintf(out[i].name, sizeof out[i].name, "%.127s", p.name);
        lw_cuda_pci(i, out[i].pci, sizeof out[i].pci);
    }
    return count;
}

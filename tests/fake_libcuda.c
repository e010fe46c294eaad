/* SPDX-License-Identifier: MIT
 *
 * A libcuda.so.1 without a driver: every call fails, as the toolkit's stub library does. cuDNN
 * looks these up before it says what it could do, and calls none of them for that.
 */
#define STUB_LIBRARY 34 /* CUDA_ERROR_STUB_LIBRARY */

#define FAIL(name)                                                                                 \
    int name(void);                                                                                \
    int name(void)                                                                                 \
    {                                                                                              \
        return STUB_LIBRARY;                                                                       \
    }

FAIL(cuCtxGetCurrent)
FAIL(cuCtxGetDevice)
FAIL(cuCtxGetLimit)
FAIL(cuCtxPopCurrent)
FAIL(cuCtxPushCurrent)
FAIL(cuDeviceGet)
FAIL(cuDeviceGetAttribute)
FAIL(cuDeviceGetCount)
FAIL(cuDevicePrimaryCtxRelease)
FAIL(cuDevicePrimaryCtxReset)
FAIL(cuDevicePrimaryCtxRetain)
FAIL(cuDriverGetVersion)
FAIL(cuFuncGetAttribute)
FAIL(cuFuncSetAttribute)
FAIL(cuGetErrorName)
FAIL(cuGetErrorString)
FAIL(cuInit)
FAIL(cuKernelGetAttribute)
FAIL(cuKernelSetAttribute)
FAIL(cuLaunchCooperativeKernel)
FAIL(cuLaunchKernel)
FAIL(cuLaunchKernelEx)
FAIL(cuLibraryGetKernel)
FAIL(cuLibraryLoadData)
FAIL(cuLibraryLoadFromFile)
FAIL(cuLibraryUnload)
FAIL(cuLinkAddData)
FAIL(cuLinkAddData_v2)
FAIL(cuLinkAddFile_v2)
FAIL(cuLinkComplete)
FAIL(cuLinkCreate)
FAIL(cuLinkCreate_v2)
FAIL(cuLinkDestroy)
FAIL(cuMemcpyDtoH_v2)
FAIL(cuModuleGetFunction)
FAIL(cuModuleGetGlobal_v2)
FAIL(cuModuleLoadData)
FAIL(cuModuleLoadDataEx)
FAIL(cuModuleLoadFatBinary)
FAIL(cuModuleUnload)
FAIL(cuOccupancyMaxActiveBlocksPerMultiprocessor)
FAIL(cuOccupancyMaxPotentialClusterSize)
FAIL(cuStreamGetCtx)
FAIL(cuStreamSynchronize)
FAIL(cuTensorMapEncodeTiled)

# SPDX-License-Identifier: MIT
#
# libleeway-cuda.so: a module, opened at run time by engine/ops/backends.c and linked with nothing of
# leeway's: it finds lw_fail() and the like in the program that opens it.
cuda_kernels = \
    %D%/activation.cu \
    %D%/attention_math.cu \
    %D%/attention_seed.cu \
    %D%/embed.cu \
    %D%/images.cu \
    %D%/linear_hopper.cu \
    %D%/loss.cu \
    %D%/norm.cu \
    %D%/tally.cu \
    %D%/update.cu
cuda_headers = %D%/hopper.cuh %D%/kernel.cuh
EXTRA_DIST += $(cuda_kernels) $(cuda_headers)

if HAVE_CUDA
noinst_LTLIBRARIES += libleeway-cuda-host.la
libleeway_cuda_host_la_SOURCES = %D%/device.c %D%/device.h %D%/error.c %D%/group.c %D%/linear.c \
    %D%/list.c %D%/ranges.c %D%/matmul.c \
    %D%/matmul.h %D%/matmul_search.c
libleeway_cuda_host_la_CPPFLAGS = $(AM_CPPFLAGS) $(CUDA_CPPFLAGS)
if HAVE_CUDNN
libleeway_cuda_host_la_SOURCES += %D%/attention_cudnn.c %D%/cudnn_graph.c %D%/cudnn_graph.h \
    %D%/cudnn_library.c %D%/cudnn_library.h
else
libleeway_cuda_host_la_SOURCES += %D%/attention_without_cudnn.c
endif

# Machine code for the A100 and the H100 families, and PTX for what comes after.
NVCCFLAGS = -O3
cuda_targets = -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 \
    -gencode arch=compute_90,code=compute_90
cuda_objects = $(cuda_kernels:.cu=.o)
# Hopper's own instructions are not in its family's common set; elsewhere these kernels are empty.
%D%/linear_hopper.o: $(srcdir)/%D%/hopper.cuh
%D%/linear_hopper.o: cuda_targets = -gencode arch=compute_90a,code=sm_90a \
    -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=compute_90
SUFFIXES = .cu
.cu.o:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(NVCC) -std=c++17 -Xcompiler -fPIC \
	    $(cuda_targets) $(NVCCFLAGS) $(AM_CPPFLAGS) -c -o $@ $<
$(cuda_objects): $(srcdir)/%D%/kernel.cuh $(srcdir)/%D%/device.h $(srcdir)/engine/ops/ops.h

cudamoduledir = $(pkglibdir)
cudamodule_DATA = libleeway-cuda.so
libleeway-cuda.so: $(cuda_objects) libleeway-cuda-host.la
	$(AM_V_GEN)$(NVCC) -shared -cudart static -o $@ $(cuda_objects) \
	    -Xlinker --whole-archive -Xlinker .libs/libleeway-cuda-host.a \
	    -Xlinker --no-whole-archive -L$(CUDA_LIBDIR) -lcublasLt -ldl \
	    -Xlinker -rpath -Xlinker $(CUDA_LIBDIR)
CLEANFILES += libleeway-cuda.so $(cuda_objects)
endif

test_data += tests/data/h100-devprop.json
suites += tests/test_ops_cuda_dropout
gpu_suites = tests/test_ops_cuda tests/test_ops_cuda_attention tests/test_ops_cuda_dropout \
    tests/test_ops_cuda_images \
    tests/test_gpu tests/test_gpu_run tests/test_model_golden
if HAVE_CUDNN
suites += tests/test_cudnn_graph
gpu_suites += tests/test_cudnn_graph
endif
tests_test_cudnn_graph_SOURCES = tests/test_cudnn_graph.c %D%/cudnn_graph.c %D%/cudnn_graph.h \
    %D%/cudnn_library.c %D%/cudnn_library.h
tests_test_cudnn_graph_CPPFLAGS = $(AM_CPPFLAGS) $(CUDA_CPPFLAGS)
if HAVE_CUDNN
check_LTLIBRARIES += tests/libcuda.la
EXTRA_tests_test_cudnn_graph_DEPENDENCIES = tests/libcuda.la
endif
tests_libcuda_la_SOURCES = tests/fake_libcuda.c
tests_libcuda_la_LDFLAGS = -version-info 1:0:0 -shared -rpath /nowhere

# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += %D%/dtype.c %D%/dtype.h

libleeway_la_SOURCES += \
    %D%/ops.h %D%/backends.c \
    %D%/peaks.c %D%/peaks.h \
    %D%/sdpa.c %D%/sdpa.h \
    %D%/cpu/attention.c %D%/cpu/attention.h \
    %D%/cpu/attention_math.c \
    %D%/cpu/attention_tiled.c \
    %D%/cpu/device.c %D%/cpu/device.h \
    %D%/cpu/embed.c \
    %D%/cpu/gemm.c \
    %D%/cpu/group.c \
    %D%/cpu/head.c \
    %D%/cpu/images.c \
    %D%/cpu/isa.c %D%/cpu/kernels.h \
    %D%/cpu/linear.c \
    %D%/cpu/memory.c \
    %D%/cpu/norm.c \
    %D%/cpu/tally.c \
    %D%/cpu/update.c

# The vectorised inner loops: the same sources, once for each instruction set.
lw_cpu_kernels = \
    %D%/cpu/kernels_gemm.c \
    %D%/cpu/kernels_norm.c \
    %D%/cpu/kernels_row.c \
    %D%/cpu/kernels_softmax.c \
    %D%/cpu/kernels_table.c %D%/cpu/kernels_table.h \
    %D%/cpu/kernels_update.c \
    %D%/cpu/simd.h
lw_cpu_cflags = $(AM_CFLAGS) -O3 -fno-math-errno -fno-trapping-math

noinst_LTLIBRARIES += libleeway-cpu-portable.la
libleeway_cpu_portable_la_SOURCES = $(lw_cpu_kernels)
libleeway_cpu_portable_la_CPPFLAGS = $(AM_CPPFLAGS) -DLW_ISA=portable -DLW_LANES=4 \
    -DLW_ISA_TITLE='"portable"'
libleeway_cpu_portable_la_CFLAGS = $(lw_cpu_cflags)
libleeway_la_LIBADD += libleeway-cpu-portable.la

if X86_64
noinst_LTLIBRARIES += libleeway-cpu-avx2.la libleeway-cpu-avx512.la
libleeway_cpu_avx2_la_SOURCES = $(lw_cpu_kernels)
libleeway_cpu_avx2_la_CPPFLAGS = $(AM_CPPFLAGS) -DLW_ISA=avx2 -DLW_LANES=8 \
    -DLW_ISA_TITLE='"AVX2"'
libleeway_cpu_avx2_la_CFLAGS = $(lw_cpu_cflags) -mavx2 -mfma
libleeway_cpu_avx512_la_SOURCES = $(lw_cpu_kernels)
libleeway_cpu_avx512_la_CPPFLAGS = $(AM_CPPFLAGS) -DLW_ISA=avx512 -DLW_LANES=16 \
    -DLW_ISA_TITLE='"AVX-512"'
libleeway_cpu_avx512_la_CFLAGS = $(lw_cpu_cflags) -mavx512f -mavx512bw -mavx512dq -mavx512vl \
    -mfma -mprefer-vector-width=512
libleeway_la_LIBADD += libleeway-cpu-avx2.la libleeway-cpu-avx512.la
endif

libleeway_la_LIBADD += -ldl

include engine/ops/cuda/local.mk

suites += \
    tests/test_ops_attention \
    tests/test_ops_cuda \
    tests/test_ops_cuda_attention \
    tests/test_ops_cuda_images \
    tests/test_ops_embed \
    tests/test_ops_head \
    tests/test_ops_images \
    tests/test_ops_linear \
    tests/test_ops_math \
    tests/test_ops_norm \
    tests/test_ops_sdpa \
    tests/test_ops_update
tests_test_ops_cuda_images_LDADD = $(LDADD) $(JANSSON_LIBS)

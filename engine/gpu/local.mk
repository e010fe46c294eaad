# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/choose.c %D%/choose.h \
    %D%/nvml.c %D%/nvml.h \
    %D%/throttle.c %D%/throttle.h \
    %D%/watch.c %D%/watch.h

suites += tests/test_gpu tests/test_gpu_run
tests_test_gpu_run_SOURCES = tests/test_gpu_run.c $(train_support)
tests_test_gpu_run_LDADD = $(LDADD) $(JANSSON_LIBS)

# Stand-ins, opened as the real ones are: a libnvidia-ml.so.1 with cards that a test makes up, and a
# libleeway-cuda.so that computes on the CPU.
if HAVE_CRITERION
check_LTLIBRARIES += tests/libfake-nvml.la tests/libfake-cuda.la
endif
EXTRA_tests_test_gpu_DEPENDENCIES = tests/libfake-nvml.la
EXTRA_tests_test_gpu_run_DEPENDENCIES = tests/libfake-nvml.la tests/libfake-cuda.la leeway-engine
fake_ldflags = -module -avoid-version -shared -rpath /nowhere
tests_libfake_nvml_la_SOURCES = tests/fake_nvml.c tests/fake_nvml.h
tests_libfake_nvml_la_LDFLAGS = $(fake_ldflags)
tests_libfake_cuda_la_SOURCES = tests/fake_cuda.c
tests_libfake_cuda_la_LDFLAGS = $(fake_ldflags)

# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/safetensors.c %D%/safetensors.h \
    %D%/safetensors_scan.c %D%/safetensors_scan.h \
    %D%/safetensors_set.c %D%/safetensors_write.c

suites += tests/test_safetensors
fuzz_targets += tests/fuzz/fuzz_safetensors

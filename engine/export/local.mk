# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/hf_folder.c %D%/hf_folder.h \
    %D%/safetensors.c %D%/safetensors.h \
    %D%/safetensors_scan.c %D%/safetensors_scan.h \
    %D%/safetensors_set.c %D%/safetensors_write.c

suites += tests/test_safetensors
fuzz_targets += tests/fuzz/fuzz_safetensors

suites += tests/test_export_hf
tests_test_export_hf_SOURCES = tests/test_export_hf.c tests/model_support.c tests/model_support.h
tests_test_export_hf_LDADD = $(LDADD) $(JANSSON_LIBS)
scripts += tests/export.sh

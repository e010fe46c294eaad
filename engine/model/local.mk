# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/params.c %D%/params_io.c %D%/params.h \
    %D%/attention.c %D%/attention.h \
    %D%/block.c %D%/block.h \
    %D%/model.c %D%/model_images.c %D%/model_plan.c %D%/model_step.c %D%/model_tokens.c \
    %D%/model.h %D%/model_internal.h \
    %D%/sample.c %D%/sample.h \
    %D%/match.c %D%/match.h %D%/name_list.c %D%/name_list.h \
    %D%/problems.c %D%/problems.h \
    %D%/store.c %D%/store.h \
    %D%/hf_config.c %D%/hf_gpt2.c %D%/hf_gpt2.h \
    %D%/hf_json.c %D%/hf_json.h \
    %D%/hf_vit.c %D%/hf_vit.h

suites += \
    tests/test_model \
    tests/test_model_golden \
    tests/test_model_params \
    tests/test_model_sample \
    tests/test_model_vit \
    tests/test_model_weights
model_support = tests/model_support.c tests/model_support.h
tests_test_model_SOURCES = tests/test_model.c $(model_support)
tests_test_model_params_SOURCES = tests/test_model_params.c $(model_support)
tests_test_model_sample_SOURCES = tests/test_model_sample.c $(model_support)
tests_test_model_vit_SOURCES = tests/test_model_vit.c $(model_support)
tests_test_model_vit_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_test_model_weights_SOURCES = tests/test_model_weights.c $(model_support)
tests_test_model_golden_SOURCES = tests/test_model_golden.c $(model_support)
tests_test_model_golden_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_test_model_weights_LDADD = $(LDADD) $(JANSSON_LIBS)
test_data += tests/data/gpt2-tiny tests/data/vit-tiny

# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/hash.c %D%/hash.h \
    %D%/tokenizer.c %D%/tokenizer.h \
    %D%/bpe.h %D%/bpe_build.c %D%/bpe_files.c \
    %D%/split.c %D%/encode.c

suites += tests/test_data_tokenizer
tests_test_data_tokenizer_LDADD = $(LDADD) $(PCRE2_LIBS) $(JANSSON_LIBS)
test_data += \
    tests/data/gpt2-bpe \
    tests/data/gpt2_bpe_golden.json \
    tests/data/gpt2-tiny-stream.bin

# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/hash.c %D%/hash.h \
    %D%/tokenizer.c %D%/tokenizer.h \
    %D%/bpe.h %D%/bpe_build.c %D%/bpe_files.c \
    %D%/split.c %D%/encode.c \
    %D%/permute.c %D%/permute.h \
    %D%/generate.c %D%/generate.h %D%/words.c %D%/words.h \
    %D%/files.c %D%/files.h %D%/sniff.c %D%/sniff.h \
    %D%/content.c \
    %D%/shard.c %D%/shard.h \
    %D%/feed.c %D%/feed.h \
    %D%/cache.c %D%/cache.h \
    %D%/stream.c %D%/stream.h %D%/dataset.c %D%/dataset.h \
    %D%/open.c %D%/parts.c \
    %D%/loader.c %D%/loader.h \
    %D%/items.c %D%/items.h %D%/items_store.h \
    %D%/images_augment.c %D%/images_cifar.c %D%/images_decode.c %D%/images_folder.c \
    %D%/images_generate.c %D%/images_idx.c %D%/images_moments.c %D%/images_open.c %D%/images_parts.c \
    %D%/images_parts.h %D%/images_resize.c %D%/images.h \
    %D%/table.c %D%/table.h \
    %D%/texts.c %D%/texts_generate.c %D%/texts.h \
    %D%/bench.c %D%/bench.h

if HAVE_PNG
libleeway_la_SOURCES += %D%/images_png.c
libleeway_la_CPPFLAGS += $(PNG_CFLAGS)
libleeway_la_LIBADD += $(PNG_LIBS)
else
libleeway_la_SOURCES += %D%/images_without_png.c
endif
if HAVE_JPEG
libleeway_la_SOURCES += %D%/images_jpeg.c
libleeway_la_CPPFLAGS += $(JPEG_CFLAGS)
libleeway_la_LIBADD += $(JPEG_LIBS)
else
libleeway_la_SOURCES += %D%/images_without_jpeg.c
endif

suites += tests/test_data_files tests/test_data_images tests/test_data_items tests/test_data_texts
suites += tests/test_data_loader tests/test_data_shards tests/test_data_text tests/test_data_parts \
    tests/test_data_tokenizer
fuzz_targets += tests/fuzz/fuzz_items tests/fuzz/fuzz_picture tests/fuzz/fuzz_shard tests/fuzz/fuzz_jsonl
items_support = tests/items_support.c tests/items_support.h
tests_test_data_images_SOURCES = tests/test_data_images.c $(items_support)
tests_test_data_items_SOURCES = tests/test_data_items.c $(items_support)
tests_test_data_texts_SOURCES = tests/test_data_texts.c $(items_support)
tests_test_data_tokenizer_LDADD = $(LDADD) $(PCRE2_LIBS) $(JANSSON_LIBS)
test_data += \
    tests/data/gpt2-bpe \
    tests/data/gpt2_bpe_golden.json \
    tests/data/gpt2-tiny-stream.bin \
    tests/data/pictures

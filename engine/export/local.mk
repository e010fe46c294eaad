# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/hf_folder.c %D%/hf_folder.h \
    %D%/safetensors.c %D%/safetensors.h \
    %D%/safetensors_scan.c %D%/safetensors_scan.h \
    %D%/safetensors_set.c %D%/safetensors_write.c

# What protocol buffers hold is in .proto files, made into C when it is built.
if HAVE_PROTOBUF_C
libleeway_la_SOURCES += \
    %D%/events.c %D%/events.h %D%/record.c %D%/record.h \
    %D%/tensorboard.c %D%/tensorboard.h \
    %D%/onnx.h %D%/onnx_block.c %D%/onnx_block.h %D%/onnx_gpt.c %D%/onnx_graph.c \
    %D%/onnx_graph.h %D%/onnx_parts.h %D%/onnx_source.c %D%/onnx_source.h \
    %D%/onnx_vit.c %D%/onnx_write.c
nodist_libleeway_la_SOURCES = %D%/events.pb-c.c %D%/events.pb-c.h %D%/onnx.pb-c.c \
    %D%/onnx.pb-c.h
BUILT_SOURCES += %D%/events.pb-c.h %D%/onnx.pb-c.h
$(libleeway_la_OBJECTS): $(BUILT_SOURCES)
$(tests_test_export_events_OBJECTS) $(tests_test_export_onnx_OBJECTS): $(BUILT_SOURCES)
else
libleeway_la_SOURCES += %D%/without_protobuf.c %D%/onnx.h %D%/tensorboard.h
endif
%D%/events.pb-c.h: %D%/events.pb-c.c
%D%/events.pb-c.c: %D%/events.proto
	$(AM_V_GEN)$(MKDIR_P) %D% && $(PROTOC_C) --c_out=. -I$(top_srcdir) %D%/events.proto
%D%/onnx.pb-c.h: %D%/onnx.pb-c.c
%D%/onnx.pb-c.c: %D%/onnx.proto
	$(AM_V_GEN)$(MKDIR_P) %D% && $(PROTOC_C) --c_out=. -I$(top_srcdir) %D%/onnx.proto
CLEANFILES += %D%/events.pb-c.c %D%/events.pb-c.h %D%/onnx.pb-c.c %D%/onnx.pb-c.h
EXTRA_DIST += %D%/events.proto %D%/onnx.proto

if HAVE_CRYPTO
libleeway_la_SOURCES += %D%/sha256.c %D%/sha256.h
libleeway_la_CPPFLAGS += $(CRYPTO_CFLAGS)
libleeway_la_LIBADD += $(CRYPTO_LIBS)
suites += tests/test_export_sha256
else
libleeway_la_SOURCES += %D%/without_crypto.c %D%/sha256.h
endif

suites += tests/test_safetensors
fuzz_targets += tests/fuzz/fuzz_safetensors

suites += tests/test_export_hf
tests_test_export_hf_SOURCES = tests/test_export_hf.c tests/model_support.c tests/model_support.h
tests_test_export_hf_LDADD = $(LDADD) $(JANSSON_LIBS)
check_PROGRAMS += tests/logits
tests_logits_LDADD = libleeway.la
if HAVE_PROTOBUF_C
suites += tests/test_export_events tests/test_export_onnx
tests_test_export_events_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_test_export_events_LDADD = $(LDADD) $(PROTOBUF_C_LIBS)
tests_test_export_onnx_SOURCES = tests/test_export_onnx.c tests/model_support.c \
    tests/model_support.h
tests_test_export_onnx_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS)
tests_test_export_onnx_LDADD = $(LDADD) $(PROTOBUF_C_LIBS)
endif
scripts += tests/export.sh tests/interop.sh
EXTRA_DIST += tests/interop/check.py

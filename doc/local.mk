# SPDX-License-Identifier: MIT
#
# The headers of the library, installed as they lie here below $(includedir)/leeway.
nobase_pkginclude_HEADERS = \
    engine/base/clock.h engine/base/error.h engine/base/io.h engine/base/random.h \
    engine/base/text.h \
    engine/config/config.h \
    engine/data/dataset.h engine/data/generate.h engine/data/loader.h engine/data/tokenizer.h \
    engine/export/safetensors.h \
    engine/model/attention.h engine/model/block.h engine/model/gpt.h engine/model/params.h \
    engine/model/sample.h engine/model/store.h \
    engine/ops/dtype.h engine/ops/ops.h \
    engine/run/control.h engine/run/csv.h engine/run/events.h engine/run/folder.h \
    engine/run/metrics.h engine/run/start.h engine/run/status.h

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = leeway.pc

# make installcheck: a program built against what was installed, and nothing else, works.
installcheck-local:
	$(AM_V_at)PKG_CONFIG_PATH=$(DESTDIR)$(pkgconfigdir) \
	    PKG_CONFIG_SYSROOT_DIR=$(DESTDIR) \
	    INCLUDED='$(nobase_pkginclude_HEADERS)' CC='$(CC) $(SANITIZE_CFLAGS)' \
	    $(SHELL) $(srcdir)/tests/installed.sh '$(DESTDIR)$(libdir)' '$(DESTDIR)$(bindir)'
EXTRA_DIST += tests/installed.sh

# SPDX-License-Identifier: MIT
#
# The headers of the library, installed as they lie here below $(includedir)/leeway.
nobase_pkginclude_HEADERS = \
    engine/base/clock.h engine/base/error.h engine/base/io.h engine/base/random.h \
    engine/base/text.h \
    engine/config/config.h \
    engine/data/dataset.h engine/data/generate.h engine/data/items.h engine/data/loader.h \
    engine/data/tokenizer.h \
    engine/export/safetensors.h \
    engine/model/attention.h engine/model/block.h engine/model/model.h engine/model/params.h \
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

# The manual page and the completion are filled from the program's own tables.
noinst_PROGRAMS = %D%/mkdoc
%C%_mkdoc_SOURCES = %D%/mkdoc.c
%C%_mkdoc_LDADD = $(leeway_LDADD)

dist_man1_MANS = %D%/leeway-engine.1
nodist_man1_MANS = %D%/leeway.1
%D%/leeway.1: %D%/leeway.1.in %D%/mkdoc$(EXEEXT)
	$(AM_V_GEN)%D%/mkdoc$(EXEEXT) $(srcdir)/%D%/leeway.1.in >$@.tmp && mv $@.tmp $@

bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = %D%/leeway
%D%/leeway: %D%/leeway.bash.in %D%/mkdoc$(EXEEXT)
	$(AM_V_GEN)%D%/mkdoc$(EXEEXT) $(srcdir)/%D%/leeway.bash.in >$@.tmp && mv $@.tmp $@

EXTRA_DIST += %D%/leeway.1.in %D%/leeway.bash.in
CLEANFILES += %D%/leeway.1 %D%/leeway
scripts += tests/docs.sh

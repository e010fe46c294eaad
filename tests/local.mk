# SPDX-License-Identifier: MIT
#
# How a room registers its tests, a line each, here or in its own local.mk:
#   suites += tests/test_ROOM              Criterion: tests/test_ROOM.c, linked with all of LDADD
#   fuzz_targets += tests/fuzz/fuzz_NAME   tests/fuzz/fuzz_NAME.c and tests/fuzz/corpus/NAME/,
#                                          replayed as a test, or driven by libFuzzer (see fuzz)
#   scripts += tests/NAME.sh               run in the build folder, srcdir set; status 77 skips
#   test_data += tests/data/NAME           files, or whole folders, that tests read
suites += \
    %D%/test_base \
    %D%/test_chaos

%C%_test_chaos_SOURCES = %D%/test_chaos.c %D%/chaos.c %D%/chaos.h $(train_support)

fuzz_targets += \
    %D%/fuzz/fuzz_bpe \
    %D%/fuzz/fuzz_text \
    %D%/fuzz/fuzz_yaml

scripts += \
    %D%/harness.sh \
    %D%/rules.sh

LDADD = %D%/libtest.la libleeway-tui.la libleeway-widgets.la libleeway.la $(CRITERION_LIBS) \
    $(LEAKS_LDFLAGS) $(FUZZ_LDFLAGS)

check_LTLIBRARIES += %D%/libtest.la
%C%_libtest_la_SOURCES = %D%/support.c %D%/support.h %D%/two_backends.c \
    %D%/two_backends.h %D%/leaks.c %D%/fuzz/replay.c \
    %D%/fuzz/fuzz.h \
    %D%/ops_bed.c %D%/ops_bed.h
%C%_libtest_la_CPPFLAGS = $(AM_CPPFLAGS) -DLW_TEST_SOURCES='"$(abs_top_srcdir)"' \
    -DLW_TEST_BUILD='"$(abs_top_builddir)"'

if FUZZ
check_PROGRAMS += $(fuzz_targets)
AM_CPPFLAGS += -DLW_LIBFUZZER
else
check_PROGRAMS += %D%/faulty $(fuzz_targets)
TESTS += $(fuzz_targets)
if HAVE_CRITERION
check_PROGRAMS += %D%/faulty_suite $(suites)
TESTS += $(suites)
endif
TESTS += $(scripts)
endif
EXTRA_DIST += $(scripts) $(test_data) %D%/run-test.sh %D%/lib.sh %D%/tmux.conf %D%/packed.sh %D%/fuzz/corpus

TEST_EXTENSIONS = .sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/%D%/run-test.sh
SH_LOG_COMPILER = $(SHELL) $(top_srcdir)/%D%/run-test.sh $(SHELL)
AM_TESTS_ENVIRONMENT = SANITIZERS='$(SANITIZERS)'; export SANITIZERS;

# The same tests again with AddressSanitizer and UndefinedBehaviorSanitizer. They are built from a
# copy, as make dist would pack it: a source folder in which leeway was built cannot serve a second
# build, and so make check also finds a file that was forgotten in a distribution.
# make check SANITIZE=no leaves them out. GCC warns there of what it wouldn't elsewhere: no -Werror.
if CHECK_SANITIZERS
check-local:
	$(AM_V_at)test "$(SANITIZE)" = no || $(MAKE) $(AM_MAKEFLAGS) check-sanitizers
endif
check-sanitizers: $(BUILT_SOURCES)
	@echo "  SANITIZE the same tests with -fsanitize=address,undefined"
	$(AM_V_at)$(MKDIR_P) $@/build
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) -s distdir distdir=$@/source top_distdir=$@/source
	$(AM_V_at)eval "set -- $$($(SHELL) ./config.status --config)" && cd $@/build && \
	    { test -f Makefile || $(SHELL) ../source/configure -q "$$@" \
	      --without-cuda --without-mpi --enable-asan --enable-ubsan --disable-werror \
	      CFLAGS='-g -O1'; } && \
	    $(MAKE) $(AM_MAKEFLAGS) check
	$(AM_V_at)$(SHELL) $(srcdir)/%D%/packed.sh $(srcdir) $@/source
.PHONY: check-sanitizers fuzz

# On a machine with a GPU: its suites, short runs, and compute-sanitizer over both. What was built
# elsewhere is run by tests/gpu/run.sh alone.
check-gpu: all $(check_LTLIBRARIES)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(gpu_suites)
	$(AM_V_at)$(SHELL) $(srcdir)/%D%/gpu/run.sh . $(srcdir) $(PARTS)
.PHONY: check-gpu
EXTRA_DIST += %D%/gpu/run.sh

clean-local:
	rm -rf check-sanitizers demo-drift-run

if FUZZ
FUZZ_SECONDS = 60
fuzz: $(check_PROGRAMS)
	@for target in $(fuzz_targets); do \
	    name=$${target##*/fuzz_}; \
	    $(MKDIR_P) fuzz-corpus/$$name && echo "fuzzing $$name for $(FUZZ_SECONDS) s" && \
	    ./$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	      -artifact_prefix=fuzz-corpus/$$name- fuzz-corpus/$$name \
	      $(srcdir)/%D%/fuzz/corpus/$$name || exit 1; \
	done
endif

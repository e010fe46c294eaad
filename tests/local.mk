# SPDX-License-Identifier: MIT
#
# One Criterion suite a line: tests/test_ROOM.c, or tests/test_ROOM_MODULE.c. Its source is the
# name with .c; it links everything in LDADD. A suite that needs more sets its own _SOURCES.
suites = \
    %D%/test_base \
    %D%/test_train_steps

# Tests that are shell scripts.
scripts =

# Whatever a test reads from the source tree (fixtures).
test_data =

LDADD = %D%/libtest.la libleeway-tui.la libleeway-widgets.la libleeway.la $(CRITERION_LIBS)

check_LTLIBRARIES += %D%/libtest.la
%C%_libtest_la_SOURCES = %D%/support.c %D%/support.h
%C%_libtest_la_CPPFLAGS = $(AM_CPPFLAGS) -DLW_TEST_SOURCES='"$(abs_top_srcdir)"' \
    -DLW_TEST_BUILD='"$(abs_top_builddir)"'

if HAVE_CRITERION
check_PROGRAMS += $(suites)
TESTS += $(suites)
endif
TESTS += $(scripts)
EXTRA_DIST += $(scripts) $(test_data) %D%/run-test.sh

TEST_EXTENSIONS = .sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/%D%/run-test.sh
SH_LOG_COMPILER = $(SHELL) $(top_srcdir)/%D%/run-test.sh $(SHELL)
AM_TESTS_ENVIRONMENT = SANITIZERS='$(SANITIZERS)'; export SANITIZERS;

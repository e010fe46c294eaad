# SPDX-License-Identifier: MIT
libleeway_tui_la_LIBADD = $(JANSSON_LIBS) -lm
libleeway_tui_la_CPPFLAGS += -DLW_MODULE_DIR='"$(pkglibdir)"'
libleeway_tui_la_SOURCES += \
    %D%/actions.c \
    %D%/args.c %D%/args.h \
    %D%/asking.c \
    %D%/bench_console.c %D%/bench_console.h \
    %D%/card.c %D%/card.h \
    %D%/chart_actions.c %D%/chart_actions.h \
    %D%/charts.c \
    %D%/console.c %D%/console.h \
    %D%/dashboard.c %D%/dashboard.h \
    %D%/drift.c %D%/drift.h \
    %D%/drift_actions.c \
    %D%/drift_history.c %D%/drift_history.h \
    %D%/drift_page.c \
    %D%/drift_panels.c %D%/drift_panels.h %D%/drift_table.c \
    %D%/export_csv.c %D%/export_csv.h \
    %D%/find.c %D%/find.h \
    %D%/frame.c \
    %D%/keys.c %D%/keys.h \
    %D%/look.c \
    %D%/notices.c %D%/notices.h \
    %D%/pages.c \
    %D%/panels.c %D%/panels.h \
    %D%/picture.c %D%/picture.h \
    %D%/plain.c %D%/plain.h \
    %D%/plot.c %D%/plot.h \
    %D%/pyramid.c %D%/pyramid.h \
    %D%/refine.c %D%/refine.h \
    %D%/runlist.c %D%/runlist.h \
    %D%/session.c %D%/session.h \
    %D%/smooth.c %D%/smooth.h \
    %D%/source.c %D%/source.h \
    %D%/terminal.c %D%/terminal.h \
    %D%/unit.c %D%/unit.h \
    %D%/verb.c %D%/verb.h \
    %D%/view.c %D%/view.h \
    %D%/commands/attach.c \
    %D%/commands/bench.c \
    %D%/commands/control.c \
    %D%/commands/drift.c \
    %D%/commands/engine.c \
    %D%/commands/export.c \
    %D%/commands/guarded.c %D%/commands/guarded.h \
    %D%/commands/resume.c \
    %D%/commands/runs.c \
    %D%/commands/table.c \
    %D%/commands/ranks.c %D%/commands/ranks.h \
    %D%/commands/train.c %D%/commands/train.h \
    %D%/commands/watch.c

bin_PROGRAMS += leeway
leeway_SOURCES = %D%/main.c
leeway_LDADD = libleeway-tui.la libleeway-widgets.la libleeway-core.la $(JANSSON_LIBS) -lm

suites += \
    tests/test_tui_commands \
    tests/test_tui_drift \
    tests/test_tui_keys \
    tests/test_tui_panels \
    tests/test_tui_pyramid \
    tests/test_tui_source \
    tests/test_tui_view
scripts += \
    tests/console.sh \
    tests/train.sh
view_support = tests/view_support.c tests/view_support.h
tests_test_tui_drift_SOURCES = tests/test_tui_drift.c tests/fake_drift.c tests/fake_drift.h \
    $(view_support)
tests_test_tui_panels_SOURCES = tests/test_tui_panels.c $(view_support)
tests_test_tui_view_SOURCES = tests/test_tui_view.c $(view_support)
check_PROGRAMS += tests/fake_run
tests_fake_run_SOURCES = tests/fake_run.c tests/fake_drift.c tests/fake_drift.h
tests_fake_run_LDADD = libleeway-core.la $(JANSSON_LIBS) -lm
fuzz_targets += tests/fuzz/fuzz_drift

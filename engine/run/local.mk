# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/append.c %D%/append.h \
    %D%/cell.c %D%/cell.h \
    %D%/control.c %D%/control.h \
    %D%/children.c %D%/children.h \
    %D%/csv.c %D%/csv.h \
    %D%/door.c %D%/door.h \
    %D%/csv_scan.c %D%/csv_scan.h \
    %D%/drift_log.c %D%/drift_log.h \
    %D%/events.c %D%/events.h \
    %D%/folder.c %D%/folder.h \
    %D%/ladder.c %D%/ladder.h \
    %D%/link.h \
    %D%/lock.c \
    %D%/metrics.c %D%/metrics.h \
    %D%/one_line.c %D%/one_line.h \
    %D%/parent_watch.c %D%/parent_watch.h \
    %D%/protocol.c %D%/protocol.h \
    %D%/rank_link.c %D%/rank_link.h \
    %D%/rank_process.c %D%/rank_process.h \
    %D%/server.c %D%/server.h \
    %D%/start.c %D%/start.h \
    %D%/status.c %D%/status.h \
    %D%/supervisor.c %D%/supervisor.h \
    %D%/supervisor_args.c

# The stand-in for leeway-engine; Criterion does not let a program that links it run on its own.
check_PROGRAMS += tests/fake_engine
tests_fake_engine_LDADD = libleeway.la
suites += \
    tests/test_run_csv \
    tests/test_run_files \
    tests/test_run_folder \
    tests/test_run_front \
    tests/test_run_kernel \
    tests/test_run_ladder \
    tests/test_run_link \
    tests/test_run_supervisor
supervised = tests/supervised.c tests/supervised.h $(train_support)
tests_test_run_front_SOURCES = tests/test_run_front.c $(supervised)
tests_test_run_kernel_SOURCES = tests/test_run_kernel.c $(supervised)
tests_test_run_supervisor_SOURCES = tests/test_run_supervisor.c $(supervised)
fuzz_targets += tests/fuzz/fuzz_control tests/fuzz/fuzz_csv
EXTRA_DIST += doc/RUN.md

# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/classify.c \
    %D%/devices.c %D%/devices.h \
    %D%/evidence.h \
    %D%/guard.h \
    %D%/judge.c \
    %D%/look.c \
    %D%/orphans.c %D%/orphans.h \
    %D%/say.c \
    %D%/settle.c %D%/settle.h

suites += \
    tests/test_guard_judge \
    tests/test_guard_look \
    tests/test_guard_settle

guard_machine = tests/guard_machine.c tests/guard_machine.h
tests_test_guard_judge_SOURCES = tests/test_guard_judge.c $(guard_machine)
tests_test_guard_settle_SOURCES = tests/test_guard_settle.c $(guard_machine)

scripts += tests/notebook.sh tests/terminals.sh
EXTRA_DIST += tests/notebook.py

# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/ask_console.c %D%/ask_console.h \
    %D%/bench.c %D%/bench.h \
    %D%/bench_attention.c \
    %D%/bench_attention_gpu.c \
    %D%/bench_drift.c \
    %D%/bench_drift_speed.c \
    %D%/bench_ranks.c %D%/bench_ranks.h \
    %D%/bench_start.c \
    %D%/bench_train.c \
    %D%/bundle.c %D%/bundle.h %D%/bundle_hashes.c %D%/bundle_run.c %D%/bundle_texts.c \
    %D%/checkpoint.c %D%/checkpoint.h \
    %D%/checkpoint_list.c \
    %D%/command.c \
    %D%/device.c %D%/device.h \
    %D%/doctor_gpu.c %D%/doctor_gpu.h \
    %D%/doctor_parts.c %D%/doctor_parts.h \
    %D%/drift.c \
    %D%/drift_check.c %D%/drift_internal.h \
    %D%/drift_note.c \
    %D%/drift_spread.c \
    %D%/drift_state.c \
    %D%/drift_watch.c %D%/drift_watch.h \
    %D%/early_stop.c %D%/early_stop.h \
    %D%/evaluate.c \
    %D%/export.c %D%/export.h \
    %D%/items.c \
    %D%/loop.c \
    %D%/machine.c %D%/machine.h \
    %D%/normalise.c \
    %D%/plan.c %D%/plan.h \
    %D%/rank.c %D%/rank.h \
    %D%/recorder.c %D%/recorder.h \
    %D%/resume.c \
    %D%/room.c \
    %D%/save.c \
    %D%/schedule.c %D%/schedule.h \
    %D%/setup.c \
    %D%/state.c %D%/state.h \
    %D%/step.c \
    %D%/steps.c %D%/steps.h \
    %D%/together.c \
    %D%/verb_doctor.c \
    %D%/doctor_guard.c %D%/doctor_guard.h \
    %D%/verb_export.c \
    %D%/verb_sample.c \
    %D%/watch.c %D%/watch.h

suites += \
    tests/test_drift_live \
    tests/test_train_engine \
    tests/test_train_kill \
    tests/test_train_run \
    tests/test_train_state \
    tests/test_train_steps \
    tests/test_train_trouble
train_support = tests/train_support.c tests/train_support.h
tests_test_drift_live_SOURCES = tests/test_drift_live.c $(train_support)
tests_test_train_engine_SOURCES = tests/test_train_engine.c $(train_support)
tests_test_train_engine_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_test_train_kill_SOURCES = tests/test_train_kill.c $(train_support)
tests_test_train_run_SOURCES = tests/test_train_run.c $(train_support)
tests_test_train_trouble_SOURCES = tests/test_train_trouble.c $(train_support)
scripts += tests/vision.sh
EXTRA_DIST += tests/bench/curve.py tests/bench/torch_attention.py
EXTRA_DIST += tests/bench/compare.sh tests/bench/torch_step.py

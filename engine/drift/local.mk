# SPDX-License-Identifier: MIT
# What needs no data set is core: the console compares profiles itself.
libleeway_core_la_SOURCES += \
    %D%/bins.c %D%/bins.h \
    %D%/bytes.c %D%/bytes.h \
    %D%/chance.c %D%/chance.h \
    %D%/check_config.h \
    %D%/compare.c %D%/compare.h %D%/compare_ids.c %D%/compare_parts.h \
    %D%/cusum.c %D%/cusum.h \
    %D%/divergence.c %D%/divergence.h \
    %D%/documents.c %D%/documents.h \
    %D%/draw.c %D%/draw.h \
    %D%/images.c \
    %D%/moments.c \
    %D%/names.c \
    %D%/overlap.c %D%/overlap.h \
    %D%/vectors.c %D%/vectors.h \
    %D%/profile.c %D%/profile.h %D%/profile_read.c %D%/profile_write.c \
    %D%/quantiles.c \
    %D%/settings.c %D%/settings.h \
    %D%/shares.c \
    %D%/simulate.c %D%/simulate.h %D%/simulate_alarm.c \
    %D%/special.c %D%/special.h \
    %D%/tally.c %D%/tally.h \
    %D%/verdict.c %D%/verdict.h \
    %D%/why.c \
    %D%/wide.c %D%/wide.h

libleeway_la_SOURCES += %D%/verb_profile.c %D%/windows.c %D%/windows.h

suites += tests/test_drift_corrupt tests/test_drift_files tests/test_drift_pixels tests/test_drift_profile \
    tests/test_drift_scores tests/test_drift_sums tests/test_drift_windows
drift_support = tests/drift_support.c tests/drift_support.h
tests_test_drift_files_SOURCES = tests/test_drift_files.c $(drift_support)
tests_test_drift_profile_SOURCES = tests/test_drift_profile.c $(drift_support)
tests_test_drift_files_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_test_drift_profile_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_test_drift_scores_LDADD = $(LDADD) $(JANSSON_LIBS)
test_data += tests/data/drift_golden.json
fuzz_targets += tests/fuzz/fuzz_profile
scripts += tests/drift.sh

# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/config.c %D%/config.h \
    %D%/field.h \
    %D%/fields.c \
    %D%/finish.c \
    %D%/help.c \
    %D%/load.c \
    %D%/nearest.c %D%/nearest.h \
    %D%/presets.c \
    %D%/print.c \
    %D%/value.c
suites += tests/test_config

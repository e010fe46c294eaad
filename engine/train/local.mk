# SPDX-License-Identifier: MIT
libleeway_la_SOURCES += \
    %D%/early_stop.c %D%/early_stop.h \
    %D%/machine.c %D%/machine.h \
    %D%/schedule.c %D%/schedule.h \
    %D%/steps.c %D%/steps.h

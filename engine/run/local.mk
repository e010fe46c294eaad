# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/control.h \
    %D%/csv.h \
    %D%/events.h \
    %D%/folder.h \
    %D%/metrics.h \
    %D%/rank_link.h \
    %D%/start.h \
    %D%/status.h \
    %D%/supervisor.h \
    %D%/cell.h

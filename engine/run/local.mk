# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/append.c %D%/append.h \
    %D%/cell.c %D%/cell.h \
    %D%/control.h \
    %D%/csv.c %D%/csv.h \
    %D%/csv_scan.c %D%/csv_scan.h \
    %D%/events.c %D%/events.h \
    %D%/folder.h \
    %D%/link.h \
    %D%/metrics.c %D%/metrics.h \
    %D%/one_line.c %D%/one_line.h \
    %D%/rank_link.c %D%/rank_link.h \
    %D%/start.h \
    %D%/status.c %D%/status.h \
    %D%/supervisor.h

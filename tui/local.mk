# SPDX-License-Identifier: MIT
libleeway_tui_la_SOURCES += \
    %D%/args.c %D%/args.h \
    %D%/keys.c %D%/keys.h \
    %D%/pyramid.c %D%/pyramid.h \
    %D%/smooth.c %D%/smooth.h \
    %D%/source.c %D%/source.h \
    %D%/terminal.c %D%/terminal.h

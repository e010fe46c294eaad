# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/aside.c %D%/aside.h \
    %D%/error.c %D%/error.h \
    %D%/module.c %D%/module.h \
    %D%/clock.c %D%/clock.h \
    %D%/random.c %D%/random.h \
    %D%/io.c %D%/io.h \
    %D%/process.c %D%/process.h \
    %D%/text.c %D%/text.h %D%/text_widths.h

libleeway_core_la_CPPFLAGS += -DLW_MODULE_DIR='"$(pkglibdir)"'
libleeway_core_la_LIBADD += -ldl

suites += tests/test_text

# SPDX-License-Identifier: MIT
#
# libleeway-picture.so: panels as PNG, SVG and PDF, a module that the console opens when a picture is
# asked for. Of the widgets it has what knows no terminal.
if HAVE_CAIRO
pkglib_LTLIBRARIES += libleeway-picture.la
libleeway_picture_la_SOURCES = \
    %D%/bars.c \
    %D%/canvas.c %D%/canvas.h \
    %D%/chart.c \
    %D%/frame.c %D%/frame.h \
    %D%/heatmap.c \
    %D%/legend.c \
    %D%/page.c \
    %D%/png.c %D%/png.h \
    %D%/table.c \
    widgets/axis.c \
    widgets/chart_extent.c \
    widgets/number.c \
    widgets/palette.c \
    widgets/ticks.c
libleeway_picture_la_CPPFLAGS = $(AM_CPPFLAGS) $(CAIRO_CFLAGS)
libleeway_picture_la_LIBADD = $(CAIRO_LIBS) -lm
libleeway_picture_la_LDFLAGS = -module -avoid-version -export-symbols-regex '^lw_painter_module$$'

suites += tests/test_picture
tests_test_picture_SOURCES = tests/test_picture.c tests/fake_drift.c tests/fake_drift.h
tests_test_picture_CPPFLAGS = $(AM_CPPFLAGS) $(CAIRO_CFLAGS)
tests_test_picture_LDADD = $(LDADD) $(CAIRO_LIBS)
EXTRA_tests_test_picture_DEPENDENCIES = libleeway-picture.la
endif
scripts += tests/picture.sh

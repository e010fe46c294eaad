# SPDX-License-Identifier: MIT
# libleeway-widgets: charts, tables and text on a surface of cells, and the surface on a terminal.
libleeway_widgets_la_SOURCES += \
    %D%/axis.c \
    %D%/axis.h \
    %D%/bars.c \
    %D%/bars.h \
    %D%/card.c \
    %D%/card.h \
    %D%/chart.c \
    %D%/chart.h \
    %D%/chart_axes.c \
    %D%/chart_extent.c \
    %D%/chart_legend.c \
    %D%/chart_plot.h \
    %D%/chart_series.c \
    %D%/dots.c \
    %D%/dots.h \
    %D%/gauge.c \
    %D%/gauge.h \
    %D%/glyphs.c \
    %D%/glyphs.h \
    %D%/heatmap.c \
    %D%/heatmap.h \
    %D%/layout.c \
    %D%/layout.h \
    %D%/legend.c \
    %D%/legend.h \
    %D%/logview.c \
    %D%/logview.h \
    %D%/number.c \
    %D%/palette.c \
    %D%/palette.h \
    %D%/panel.c \
    %D%/panel.h \
    %D%/picture.h \
    %D%/smooth.c \
    %D%/smooth.h \
    %D%/surface.c \
    %D%/surface.h \
    %D%/surface_curses.c \
    %D%/surface_curses.h \
    %D%/surface_text.c \
    %D%/surface_text.h \
    %D%/table.c \
    %D%/table.h \
    %D%/ticks.c

# A made-up dashboard, for golden frames, byte counts and looking at it.
check_LTLIBRARIES += tests/libscene.la
tests_libscene_la_SOURCES = tests/widgets_scene.c tests/widgets_scene.h

check_PROGRAMS += tests/show_widgets
tests_show_widgets_LDADD = tests/libscene.la libleeway-widgets.la libleeway-core.la $(NCURSES_LIBS)

suites += \
    tests/test_widgets_axis \
    tests/test_widgets_frames \
    tests/test_widgets_layout \
    tests/test_widgets_screen \
    tests/test_widgets_surface
tests_test_widgets_frames_LDADD = tests/libscene.la $(LDADD)
tests_test_widgets_screen_LDADD = tests/libscene.la $(LDADD)
test_data += tests/data/frames
fuzz_targets += tests/fuzz/fuzz_widgets
tests_show_widgets_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS)

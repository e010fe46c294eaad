# SPDX-License-Identifier: MIT
# libleeway-widgets: charts, tables and text on a surface of cells, and the surface on a terminal.
libleeway_widgets_la_SOURCES += \
    %D%/axis.h \
    %D%/bars.h \
    %D%/card.h \
    %D%/chart.h \
    %D%/gauge.h \
    %D%/glyphs.h \
    %D%/heatmap.h \
    %D%/layout.h \
    %D%/logview.h \
    %D%/palette.h \
    %D%/panel.h \
    %D%/smooth.h \
    %D%/surface.h \
    %D%/surface_curses.h \
    %D%/surface_text.h \
    %D%/table.h

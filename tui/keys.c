/* SPDX-License-Identifier: MIT */
#include "tui/keys.h"

#include <ncurses.h>

#define CTRL(c) ((c)&31)
#define ESCAPE  27

/* The footer shows labels in this order, as many as fit. */
const struct lw_key lw_keys[] = {
    {{'q', CTRL('c')}, "q", "detach", "leave the console; the run goes on", LW_ACT_QUIT, LW_ON_ALL},
    {{'?', KEY_F(1)}, "?", "help", "this page", LW_ACT_HELP, LW_ON_ALL},
    {{'\r', '\n', KEY_ENTER},
     "Enter",
     "open",
     "show the panel full screen, open the run",
     LW_ACT_OPEN,
     LW_ON(LW_PAGE_DASHBOARD) | LW_ON(LW_PAGE_RUNS)},
    {{ESCAPE, KEY_BACKSPACE, 127},
     "Esc",
     "back",
     "drop the cursor, the filter, the zoom; go back",
     LW_ACT_BACK,
     LW_ON_ALL},
    {{'/'},
     "/",
     "filter",
     "show what contains a text; !text: what does not",
     LW_ACT_FILTER,
     LW_ON_ALL},
    {{'s'}, "s", "smooth", "more smoothing", LW_ACT_SMOOTHER, LW_ON_CHARTS},
    {{'S'}, "S", NULL, "less smoothing", LW_ACT_ROUGHER, LW_ON_CHARTS},
    {{'c'}, "c", "cursor", "read values with a cursor", LW_ACT_CURSOR, LW_ON_CHARTS},
    {{'x'}, "x", "axis", "x axis: step, epoch, time", LW_ACT_AXIS, LW_ON_CHARTS},
    {{'y'}, "y", "log y", "logarithmic y axis on the panel", LW_ACT_LOG, LW_ON_CHARTS},
    {{'+', '='},
     "+",
     "zoom",
     "zoom in, around the cursor or the newest step",
     LW_ACT_ZOOM_IN,
     LW_ON_CHARTS},
    {{'-', '_'}, "-", NULL, "zoom out", LW_ACT_ZOOM_OUT, LW_ON_CHARTS},
    {{'0'}, "0", NULL, "the whole run", LW_ACT_ZOOM_ALL, LW_ON_CHARTS},
    {{'o'},
     "o",
     "overlay",
     "runs: draw it over this one; charts: hide, show",
     LW_ACT_OVERLAY,
     LW_ON_CHARTS | LW_ON(LW_PAGE_RUNS)},
    {{' '},
     "Space",
     "freeze",
     "hold the picture still; the run goes on",
     LW_ACT_FREEZE,
     LW_ON_CHARTS | LW_ON(LW_PAGE_EVENTS)},
    {{'3', 'e'}, "3", "events", "the events log", LW_ACT_PAGE_3, LW_ON_ALL},
    {{'4', 'r'}, "4", "runs", "the list of runs", LW_ACT_PAGE_4, LW_ON_ALL},
    {{'1'}, "1", NULL, "the dashboard", LW_ACT_PAGE_1, LW_ON_ALL},
    {{'2'}, "2", NULL, "one panel, full screen", LW_ACT_PAGE_2, LW_ON_ALL},
    {{'P'}, "P", "pause", "pause or continue training (asks first)", LW_ACT_PAUSE_RUN, LW_ON_ALL},
    {{'X'},
     "X",
     "stop",
     "stop training after a checkpoint (asks first)",
     LW_ACT_STOP_RUN,
     LW_ON_ALL},
    {{'\t'}, "Tab", NULL, "next panel", LW_ACT_NEXT, LW_ON_CHARTS},
    {{KEY_BTAB}, "S-Tab", NULL, "previous panel", LW_ACT_PREVIOUS, LW_ON_CHARTS},
    {{'h', KEY_LEFT}, "h Left", NULL, "left: panel, cursor or view", LW_ACT_LEFT, LW_ON_ALL},
    {{'l', KEY_RIGHT}, "l Right", NULL, "right", LW_ACT_RIGHT, LW_ON_ALL},
    {{'j', KEY_DOWN}, "j Down", NULL, "down: panel or line", LW_ACT_DOWN, LW_ON_ALL},
    {{'k', KEY_UP}, "k Up", NULL, "up", LW_ACT_UP, LW_ON_ALL},
    {{KEY_NPAGE, CTRL('f')},
     "PgDn",
     NULL,
     "a screenful down or right",
     LW_ACT_PAGE_DOWN,
     LW_ON_ALL},
    {{KEY_PPAGE, CTRL('b')}, "PgUp", NULL, "a screenful up or left", LW_ACT_PAGE_UP, LW_ON_ALL},
    {{'g', KEY_HOME}, "g Home", NULL, "the first step or line", LW_ACT_FIRST, LW_ON_ALL},
    {{'G', KEY_END},
     "G End",
     NULL,
     "the newest step or line, and follow",
     LW_ACT_LATEST,
     LW_ON_ALL},
    {{'['}, "[", NULL, "previous page", LW_ACT_PAGE_BEFORE, LW_ON_ALL},
    {{']'}, "]", NULL, "next page", LW_ACT_PAGE_AFTER, LW_ON_ALL},
    {{'t'}, "t", NULL, "next theme", LW_ACT_THEME, LW_ON_ALL},
    {{'u'}, "u", NULL, "glyphs: braille, blocks, ASCII", LW_ACT_GLYPHS, LW_ON_ALL},
    {{'m'}, "m", NULL, "mouse on, or off to select text", LW_ACT_MOUSE, LW_ON_ALL},
    {{CTRL('l')}, "Ctrl-L", NULL, "draw the screen again", LW_ACT_REDRAW, LW_ON_ALL},
    {.action = LW_ACT_NONE},
};

enum lw_action lw_key_action(int code, enum lw_page page)
{
    if (!code)
        return LW_ACT_NONE;
    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++)
        for (size_t i = 0; i < sizeof k->code / sizeof k->code[0]; i++)
            if (k->code[i] == code && (k->pages & LW_ON(page)))
                return k->action;
    return LW_ACT_NONE;
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "widgets/surface_curses.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

#include "engine/base/text.h"

struct lw_screen {
    SCREEN *curses;
    const struct lw_palette *palette;
    enum lw_charset charset;
    struct lw_surface *shown;                 /* what the terminal has; NULL: unknown */
    int pairs[LW_INK_COUNT][2][LW_INK_COUNT]; /* by ink, faint, background; 0: not made yet */
};

/* Every glyph of a set must be one cell wide to this terminal's locale. */
static bool one_cell_each(const struct lw_glyphs *g)
{
    const uint32_t single[] = {
        g->horizontal, g->vertical,   g->corner, g->tick_left, g->tick_down, g->grid,
        g->threshold,  g->cursor,     g->star,   g->gap,       g->point,     g->bullet,
        g->swatch,     g->ellipsis,   g->times,  g->up,        g->down,      g->left,
        g->right,      g->error_bar,  g->focus,  g->track,     g->bar,       g->half_bar,
        g->strip,      g->upper_half,
    };

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (wcwidth((wchar_t)single[i]) != 1)
            return false;
    for (int i = 0; i < 9; i++)
        if (wcwidth((wchar_t)g->rise[i]) != 1)
            return false;
    for (int i = 0; i < 6; i++)
        if (wcwidth((wchar_t)g->state[i]) != 1 || wcwidth((wchar_t)g->series[i]) != 1)
            return false;
    return true;
}

static enum lw_charset probe_charset(const struct lw_screen_options *options)
{
    if (options->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return LW_CHARSET_ASCII;
    if (!one_cell_each(lw_glyphs_get(LW_CHARSET_BLOCKS)))
        return LW_CHARSET_ASCII;
    if (options->blocks || wcwidth(0x2800) != 1 || wcwidth(0x28ff) != 1)
        return LW_CHARSET_BLOCKS;
    return LW_CHARSET_BRAILLE;
}

static enum lw_depth probe_depth(enum lw_color_mode mode)
{
    const char *no_color = getenv("NO_COLOR");
    int colors;

    if (mode == LW_COLOR_NEVER || (mode == LW_COLOR_AUTO && no_color && *no_color))
        return LW_DEPTH_MONO;
    if (!has_colors() || start_color() == ERR || use_default_colors() == ERR)
        return LW_DEPTH_MONO;
    colors = COLORS;
    if (mode == LW_COLOR_16 && colors > 16)
        colors = 16;
    if (mode == LW_COLOR_8 && colors > 8)
        colors = 8;
    if (colors >= 256)
        return LW_DEPTH_256;
    if (colors >= 16)
        return LW_DEPTH_16;
    return colors >= 8 ? LW_DEPTH_8 : LW_DEPTH_MONO;
}

static void set_modes(void)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, TRUE);
    scrollok(stdscr, FALSE);
    typeahead(-1);
    curs_set(0);
    set_escdelay(25);
}

/* Ask terminfo before newterm, which would print to stderr, or draw on one line only. */
static int check_terminal(const char *term, FILE *out, struct lw_error *err)
{
    const char *move;
    int found = 0;

    if (setupterm(term, fileno(out), &found) != OK)
        return lw_fail(err, LW_EMISSING,
                       "cannot open terminal type \"%s\": set TERM to one that terminfo knows, "
                       "such as xterm-256color",
                       term);
    move = tigetstr("cup");
    del_curterm(cur_term);
    if (!move || move == (const char *)-1)
        return lw_fail(err, LW_EMISSING,
                       "a terminal of type \"%s\" cannot move its cursor: use --plain or --once",
                       term);
    return 0;
}

int lw_screen_open(const struct lw_screen_options *options, struct lw_screen **screen,
                   struct lw_error *err)
{
    FILE *out = options->out ? options->out : stdout, *in = options->in ? options->in : stdin;
    const char *term = options->term ? options->term : getenv("TERM");
    struct lw_screen *s;
    int rc;

    *screen = NULL;
    term = term && *term ? term : "dumb";
    rc = check_terminal(term, out, err);
    if (rc < 0)
        return rc;
    s = calloc(1, sizeof *s);
    if (!s)
        return lw_fail(err, LW_EMEM, "no memory for the screen");
    s->curses = newterm(term, out, in);
    if (!s->curses) {
        free(s);
        return lw_fail(err, LW_EMEM, "ncurses cannot open a terminal of type \"%s\"", term);
    }
    set_term(s->curses);
    set_modes();
    s->palette = lw_palette_get(probe_depth(options->color), options->light);
    s->charset = probe_charset(options);
    *screen = s;
    return 0;
}

void lw_screen_close(struct lw_screen *screen)
{
    if (!screen)
        return;
    endwin();
    delscreen(screen->curses);
    lw_surface_free(screen->shown);
    free(screen);
}

enum lw_depth lw_screen_depth(const struct lw_screen *screen)
{
    return screen->palette->depth;
}

enum lw_charset lw_screen_charset(const struct lw_screen *screen)
{
    return screen->charset;
}

void lw_screen_set_charset(struct lw_screen *screen, enum lw_charset charset)
{
    screen->charset = charset;
}

void lw_screen_set_light(struct lw_screen *screen, bool light)
{
    screen->palette = lw_palette_get(screen->palette->depth, light);
    memset(screen->pairs, 0, sizeof screen->pairs);
    lw_screen_forget(screen);
}

void lw_screen_size(const struct lw_screen *screen, int *rows, int *cols)
{
    (void)screen;
    getmaxyx(stdscr, *rows, *cols);
}

void lw_screen_forget(struct lw_screen *screen)
{
    lw_surface_free(screen->shown);
    screen->shown = NULL;
}

static int pair_of(struct lw_screen *s, struct lw_style style)
{
    int faint = (style.attr & LW_ATTR_FAINT) != 0;
    struct lw_palette_entry fg = lw_palette_ink(s->palette, style.fg);
    struct lw_palette_entry bg = lw_palette_ink(s->palette, style.bg);
    int color = faint ? fg.faint : fg.color, back = bg.color;
    int *pair = &s->pairs[style.fg][faint][style.bg];

    if (s->palette->depth == LW_DEPTH_MONO || (color < 0 && back < 0))
        return 0;
    /* Where a background is the foreground reversed, colours would turn up as backgrounds. */
    if ((style.fg == LW_INK_BLACK && back < 0) || bg.attr & LW_ATTR_REVERSE)
        return 0;
    if (*pair == 0)
        *pair = alloc_pair(color, back);
    return *pair > 0 ? *pair : 0;
}

static attr_t attr_of(const struct lw_screen *s, struct lw_style style)
{
    unsigned attr = style.attr & ~LW_ATTR_FAINT;
    attr_t out = A_NORMAL;

    attr |= lw_palette_ink(s->palette, style.fg).attr | lw_palette_ink(s->palette, style.bg).attr;
    if (attr & LW_ATTR_BOLD)
        out |= A_BOLD;
    if (attr & LW_ATTR_REVERSE)
        out |= A_REVERSE;
    if (attr & LW_ATTR_UNDERLINE)
        out |= A_UNDERLINE;
    if (attr & LW_ATTR_FAINT)
        out |= A_DIM;
    return out;
}

static void put_cell(struct lw_screen *s, int row, int col, const struct lw_cell *cell)
{
    int pair = pair_of(s, cell->style);
    wchar_t text[3] = {(wchar_t)cell->code, (wchar_t)cell->mark, L'\0'};
    cchar_t out;

    /* The locale's idea of a width is what ncurses lays out with: never let the two differ. */
    if (cell->code >= 0x80 && wcwidth((wchar_t)cell->code) != lw_utf8_width(cell->code)) {
        text[0] = L'?';
        text[1] = L'\0';
    }
    if (text[1] && wcwidth(text[1]) != 0)
        text[1] = L'\0';
    if (setcchar(&out, text, attr_of(s, cell->style), 0, &pair) == OK)
        mvadd_wch(row, col, &out); /* ERR in the bottom right corner, though it is drawn */
}

static bool same_cell(const struct lw_cell *a, const struct lw_cell *b)
{
    return a->code == b->code && a->mark == b->mark && a->style.fg == b->style.fg &&
           a->style.bg == b->style.bg && a->style.attr == b->style.attr;
}

static bool row_has_wide(const struct lw_cell *row, int cols)
{
    for (int c = 0; c < cols; c++)
        if (row[c].code == 0)
            return true;
    return false;
}

static bool put_row(struct lw_screen *s, int row, const struct lw_cell *new,
                    const struct lw_cell *old, int cols)
{
    /* ncurses moves neighbours when half of a wide character goes: rewrite such rows whole. */
    bool whole = !old || row_has_wide(new, cols) || row_has_wide(old, cols), changed = false;

    for (int c = 0; c < cols; c++) {
        bool same = !whole && same_cell(&new[c], &old[c]);

        if (!same && new[c].code != 0)
            put_cell(s, row, c, &new[c]);
        changed |= !same;
    }
    return changed;
}

void lw_screen_show(struct lw_screen *screen, const struct lw_surface *s)
{
    const struct lw_surface *old;
    bool changed = false;
    int rows, cols;

    lw_screen_size(screen, &rows, &cols);
    rows = s->rows < rows ? s->rows : rows;
    cols = s->cols < cols ? s->cols : cols;
    if (screen->shown && (screen->shown->rows != s->rows || screen->shown->cols != s->cols))
        lw_screen_forget(screen);
    old = screen->shown;
    if (!old) {
        erase();
        clearok(stdscr, TRUE);
        screen->shown = lw_surface_new(s->rows, s->cols, screen->charset, s->depth);
    }
    for (int r = 0; r < rows; r++) {
        const struct lw_cell *was = old ? old->cells + r * s->cols : NULL;

        changed |= put_row(screen, r, s->cells + r * s->cols, was, cols);
    }
    if (screen->shown)
        memcpy(screen->shown->cells, s->cells,
               (size_t)s->rows * (size_t)s->cols * sizeof *s->cells);
    if (changed) {
        wnoutrefresh(stdscr);
        doupdate();
    }
}

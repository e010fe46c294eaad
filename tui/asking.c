/* SPDX-License-Identifier: MIT
 *
 * What the console asks for in its last line: a filter, a command, or whether it is meant. */
#include "tui/chart_actions.h"

#include <math.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/text.h"
#include "engine/config/nearest.h"

#define STEER_TIMEOUT_S 0.5 /* the screen stands still meanwhile */

void lw_view_say(struct lw_view *v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(v->message, sizeof v->message, fmt, ap);
    va_end(ap);
}

void lw_ask_about_run(struct lw_view *v, enum lw_asking what)
{
    const struct lw_source *s = v->sources ? v->source[0] : NULL;

    if (!s || !s->run)
        lw_view_say(v, "a file cannot be paused or stopped");
    else if (!s->standing.alive)
        lw_view_say(v, "this run is not running");
    else
        v->asking = what;
}

static void steer(struct lw_view *v)
{
    const struct lw_source *s = v->source[0];
    const char *what = v->asking == LW_ASK_STOP ? "stop"
                       : s->standing.paused     ? "continue"
                                                : "pause";
    struct lw_error err = {0};
    char text[200] = "";

    if (lw_run_steer(s->path, what, STEER_TIMEOUT_S, text, sizeof text, &err))
        lw_view_say(v, "%s: %.240s", what, err.text);
    else
        lw_view_say(v, "%s", text[0] ? text : what);
}

void lw_ask_for_text(struct lw_view *v, enum lw_asking what)
{
    v->asking = what;
    v->typed[0] = '\0';
    if (what == LW_ASK_FILTER)
        memcpy(v->typed, v->filter, sizeof v->typed);
}

static void set_filter(struct lw_view *v, const char *text)
{
    lw_text_clean(text, strlen(text), v->filter, sizeof v->filter);
    v->top = v->selected = 0;
    v->match = -1;
    lw_view_update_panels(v);
    if (v->filter[0] && lw_view_on_charts(v) && !v->shown_count)
        lw_view_say(v, "no panel matches: Esc drops the filter");
}

/* The row of the key table that a word, or the beginning of one, means; NULL with a message. */
static const struct lw_key *find_command(struct lw_view *v, const char *word)
{
    const char *words[64], *near;
    const struct lw_key *found = NULL;
    int count = 0, fits = 0;

    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE && count < 64; k++) {
        if (!k->word)
            continue;
        words[count++] = k->word;
        if (!strcasecmp(k->word, word))
            return k;
        if (!strncasecmp(k->word, word, strlen(word))) {
            found = k;
            fits++;
        }
    }
    if (fits == 1)
        return found;
    near = lw_nearest(word, words, count);
    if (fits)
        lw_view_say(v, "%s may mean %d commands: ? lists them", word, fits);
    else
        lw_view_say(v, "there is no command %s%s%s", word,
                    near ? ", did you mean " : ": ? lists them", near ? near : "");
    return NULL;
}

/* A number puts the cursor there. */
static bool go_to_number(struct lw_view *v, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    struct lw_domain all = lw_view_extent(v);

    if (end == text || *end || !isfinite(x))
        return false;
    if (!v->sources || isnan(all.low)) {
        lw_view_say(v, "there is nothing to go to yet");
        return true;
    }
    if (!lw_view_on_charts(v))
        lw_view_go_to(v, LW_PAGE_DASHBOARD);
    v->cursor = true;
    v->cursor_x = fmin(fmax(x, all.low), all.high);
    return true;
}

static unsigned run_command(struct lw_view *v)
{
    char text[LW_VIEW_TEXT], *argument;
    const struct lw_key *k;

    lw_text_clean(v->typed, strlen(v->typed), text, sizeof text);
    argument = strchr(text, ' ');
    if (argument)
        *argument++ = '\0';
    if (!text[0] || go_to_number(v, text) || !(k = find_command(v, text)))
        return LW_VIEW_DRAW;
    if (k->action == LW_ACT_FILTER && argument) {
        set_filter(v, argument);
        return LW_VIEW_DRAW;
    }
    if (argument) {
        lw_view_say(v, "%s takes nothing behind it", k->word);
        return LW_VIEW_DRAW;
    }
    if (!(k->pages & LW_ON(v->page)))
        lw_view_go_to(v, LW_PAGE_DASHBOARD);
    return lw_view_act(v, k->action);
}

static unsigned type(struct lw_view *v, int key)
{
    size_t n = strlen(v->typed);
    enum lw_asking what = v->asking;

    if (key == '\r' || key == '\n' || key == KEY_ENTER) {
        v->asking = LW_ASK_NOTHING;
        if (what == LW_ASK_COMMAND)
            return run_command(v);
        set_filter(v, v->typed);
    } else if (key == 27 ||
               (!n && what == LW_ASK_COMMAND && (key == KEY_BACKSPACE || key == 127))) {
        v->asking = LW_ASK_NOTHING;
    } else if (key == KEY_BACKSPACE || key == 127 || key == 8) {
        while (n && ((unsigned char)v->typed[--n] & 0xc0) == 0x80)
            ;
        v->typed[n] = '\0';
    } else if (key == ('u' & 31)) {
        v->typed[0] = '\0';
    } else if (key >= 32 && key < 256 && key != 127 && n + 1 < sizeof v->typed) {
        v->typed[n] = (char)key;
        v->typed[n + 1] = '\0';
    }
    return LW_VIEW_DRAW;
}

unsigned lw_ask_key(struct lw_view *v, int key)
{
    if (v->asking == LW_ASK_FILTER || v->asking == LW_ASK_COMMAND)
        return type(v, key);
    if (key == 'y' || key == 'Y')
        steer(v);
    v->asking = LW_ASK_NOTHING;
    return LW_VIEW_DRAW;
}

/* Does a line of the help page contain the filter? */
static bool help_matches(const struct lw_view *v, int i)
{
    const struct lw_key *k = &lw_keys[i];

    return lw_text_matches(k->help, v->filter) || (k->word && lw_text_matches(k->word, v->filter));
}

static bool line_matches(const struct lw_view *v, int i)
{
    int score[LW_SCORES + 1];

    if (v->page == LW_PAGE_HELP)
        return help_matches(v, i);
    lw_drift_rows(lw_view_drift(v), v->against, score);
    return lw_text_matches(lw_scored_name(score[i]), v->filter);
}

void lw_look_match(struct lw_view *v, int by)
{
    int lines = lw_view_lines(v), from;

    if (!v->filter[0]) {
        lw_view_say(v, "nothing to look for: / sets a filter");
        return;
    }
    if (lw_view_on_charts(v)) { /* only what matches is shown there, and on these lists */
        lw_look_next(v, by);
        return;
    }
    if (v->page != LW_PAGE_HELP && v->page != LW_PAGE_DRIFT) {
        lw_view_scroll(v, v->page == LW_PAGE_EVENTS ? -by : by);
        return;
    }
    from = v->page == LW_PAGE_DRIFT ? v->selected : v->match < 0 && by < 0 ? 0 : v->match;
    for (int i = 1; i <= lines; i++) {
        int at = ((from + by * i) % lines + lines) % lines;

        if (!line_matches(v, at))
            continue;
        if (v->page == LW_PAGE_DRIFT)
            v->selected = at;
        else
            v->match = at;
        return;
    }
    lw_view_say(v, "no line contains %s", v->filter);
}

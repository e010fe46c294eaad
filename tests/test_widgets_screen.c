/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/widgets_scene.h"
#include "widgets/surface_curses.h"

/* A screen whose bytes go to a file, so that they can be counted and read. */
struct rig {
    FILE *out, *in;
    struct lw_screen *screen;
    struct lw_surface *surface;
    struct scene *scene;
    long seen;
};

static void open_rig(struct rig *rig, const char *term, int rows, int cols,
                     const struct lw_screen_options *wish)
{
    struct lw_screen_options options = *wish;
    struct lw_error err = {0};
    char number[16];

    *rig = (struct rig){.out = tmpfile(), .in = fopen("/dev/null", "r"), .scene = scene_new()};
    cr_assert(rig->out && rig->in && rig->scene);
    snprintf(number, sizeof number, "%d", rows);
    setenv("LINES", number, 1);
    snprintf(number, sizeof number, "%d", cols);
    setenv("COLUMNS", number, 1);
    options.term = term;
    options.out = rig->out;
    options.in = rig->in;
    cr_assert_eq(lw_screen_open(&options, &rig->screen, &err), 0, "%s", err.text);
    rig->surface =
        lw_surface_new(rows, cols, lw_screen_charset(rig->screen), lw_screen_depth(rig->screen));
    cr_assert_not_null(rig->surface);
}

static void close_rig(struct rig *rig)
{
    lw_screen_close(rig->screen);
    lw_surface_free(rig->surface);
    scene_free(rig->scene);
    fclose(rig->out);
    fclose(rig->in);
}

/* Bytes that the terminal got since the last call. */
static long bytes(struct rig *rig)
{
    long now, since;

    fflush(rig->out);
    now = (long)lseek(fileno(rig->out), 0, SEEK_END);
    since = now - rig->seen;
    rig->seen = now;
    return since;
}

static long frame(struct rig *rig)
{
    bytes(rig);
    scene_paint(rig->scene, rig->surface);
    lw_screen_show(rig->screen, rig->surface);
    return bytes(rig);
}

static void utf8(void)
{
    cr_assert_not_null(setlocale(LC_ALL, "C.UTF-8"));
    unsetenv("NO_COLOR");
}

/* Ten steps a second, one frame a second, for so many seconds. */
static void steady(struct rig *rig, int seconds, double *mean, long *largest)
{
    long sum = 0;

    *largest = 0;
    for (int i = 0; i < seconds; i++) {
        long n;

        scene_run(rig->scene, 10);
        n = frame(rig);
        sum += n;
        *largest = n > *largest ? n : *largest;
    }
    *mean = (double)sum / seconds;
}

Test(screen, budget_at_120x40, .init = utf8)
{
    struct rig rig;
    long first, largest;
    double mean;

    open_rig(&rig, "xterm-256color", 40, 120, &(struct lw_screen_options){0});
    cr_assert_eq(lw_screen_depth(rig.screen), LW_DEPTH_256);
    cr_assert_eq(lw_screen_charset(rig.screen), LW_CHARSET_BRAILLE);
    scene_run(rig.scene, 1000);
    first = frame(&rig);
    cr_assert_leq(first, 20000, "first paint is %ld bytes", first);
    cr_assert_gt(first, 2000);
    cr_assert_eq(frame(&rig), 0, "an unchanged frame costs nothing");
    steady(&rig, 300, &mean, &largest);
    printf("120x40, 256 colours: first %ld, mean %.0f, largest %ld bytes\n", first, mean, largest);
    cr_assert_leq(mean, 1000, "steady frames are %.0f bytes", mean);
    cr_assert_leq(largest, 16000, "the largest frame is %ld bytes", largest);
    close_rig(&rig);
}

Test(screen, every_terminal_has_its_depth_and_budget, .init = utf8)
{
    static const struct {
        const char *term;
        enum lw_depth depth;
    } terms[] = {
        {"xterm-256color", LW_DEPTH_256},
        {"tmux-256color", LW_DEPTH_256},
        {"linux", LW_DEPTH_8},
        {"xterm", LW_DEPTH_8},
        {"vt100", LW_DEPTH_MONO},

    };
    static const int sizes[][2] = {{24, 80}, {60, 200}};

    for (size_t t = 0; t < sizeof terms / sizeof terms[0]; t++)
        for (size_t i = 0; i < 2; i++) {
            struct rig rig;
            double mean;
            long first, largest;

            open_rig(&rig, terms[t].term, sizes[i][0], sizes[i][1], &(struct lw_screen_options){0});
            cr_assert_eq(lw_screen_depth(rig.screen), terms[t].depth, "%s", terms[t].term);
            scene_run(rig.scene, 2000);
            first = frame(&rig);
            cr_assert_eq(frame(&rig), 0, "%s", terms[t].term);
            steady(&rig, 60, &mean, &largest);
            printf("%dx%d %s: first %ld, mean %.0f, largest %ld bytes\n", sizes[i][1], sizes[i][0],
                   terms[t].term, first, mean, largest);
            cr_assert_leq(mean, 2000, "%s: %.0f", terms[t].term, mean);
            close_rig(&rig);
        }
}

Test(screen, forgetting_repaints_everything, .init = utf8)
{
    struct rig rig;
    long first, again;

    open_rig(&rig, "xterm-256color", 24, 80, &(struct lw_screen_options){0});
    scene_run(rig.scene, 500);
    first = frame(&rig);
    cr_assert_eq(frame(&rig), 0);
    lw_screen_forget(rig.screen);
    again = frame(&rig);
    cr_assert_gt(again, first / 2, "%ld after %ld", again, first);
    cr_assert_eq(frame(&rig), 0);
    lw_screen_set_light(rig.screen, true);
    cr_assert_gt(frame(&rig), first / 2, "another palette repaints");
    close_rig(&rig);
}

Test(screen, colour_wishes_and_no_color)
{
    static const struct {
        enum lw_color_mode mode;
        enum lw_depth depth;
    } wishes[] = {
        {LW_COLOR_NEVER, LW_DEPTH_MONO}, {LW_COLOR_8, LW_DEPTH_8},       {LW_COLOR_16, LW_DEPTH_16},
        {LW_COLOR_256, LW_DEPTH_256},    {LW_COLOR_AUTO, LW_DEPTH_MONO},
    };
    struct rig rig;

    setlocale(LC_ALL, "C.UTF-8");
    setenv("NO_COLOR", "1", 1);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        open_rig(&rig, "xterm-256color", 24, 80,
                 &(struct lw_screen_options){.color = wishes[i].mode});
        cr_assert_eq(lw_screen_depth(rig.screen), wishes[i].depth, "wish %zu", i);
        scene_run(rig.scene, 300);
        frame(&rig);
        close_rig(&rig);
    }
    setenv("NO_COLOR", "", 1);
    open_rig(&rig, "xterm-256color", 24, 80, &(struct lw_screen_options){0});
    cr_assert_eq(lw_screen_depth(rig.screen), LW_DEPTH_256, "an empty NO_COLOR says nothing");
    close_rig(&rig);
}

/* The bytes written so far. */
static char *written(struct rig *rig, size_t *size)
{
    long end;
    char *text;

    fflush(rig->out);
    end = (long)lseek(fileno(rig->out), 0, SEEK_END);
    text = malloc((size_t)end + 1);
    cr_assert_not_null(text);
    cr_assert_eq(pread(fileno(rig->out), text, (size_t)end, 0), end);
    text[end] = '\0';
    *size = (size_t)end;
    return text;
}

Test(screen, without_utf8_every_byte_is_ascii)
{
    struct rig rig;
    size_t size;
    char *text;

    setlocale(LC_ALL, "C");
    open_rig(&rig, "xterm-256color", 24, 80, &(struct lw_screen_options){0});
    cr_assert_eq(lw_screen_charset(rig.screen), LW_CHARSET_ASCII);
    scene_run(rig.scene, 700);
    frame(&rig);
    text = written(&rig, &size);
    for (size_t i = 0; i < size; i++)
        cr_assert_lt((unsigned char)text[i], 0x80);
    cr_assert_null(strstr(text, "\033(0"), "no line-drawing mode");
    free(text);
    close_rig(&rig);
}

Test(screen, hostile_text_cannot_steer_the_terminal, .init = utf8)
{
    struct lw_panel panel = {
        .title = "a\x1b]0;owned\x07\x1b[2J\xc2\x9b"
                 "31m\xe2\x80\xae\r\n\x9d",
        .value = "\x1b[6n",
        .message = "b\x1b]52;c;ZWNobw==\x07\b\x7f",
    };
    struct rig rig;
    size_t size;
    char *text;

    open_rig(&rig, "xterm-256color", 24, 80, &(struct lw_screen_options){0});
    lw_panel_draw(lw_area_all(rig.surface), &panel);
    lw_screen_show(rig.screen, rig.surface);
    text = written(&rig, &size);
    cr_assert_null(strstr(text, "\033]"), "no operating system command");
    cr_assert_null(strstr(text, "\033[6n"));
    cr_assert_null(strchr(text, '\a'));
    cr_assert_null(strstr(text, "\xe2\x80\xae"));
    cr_assert_null(strstr(text, "\xc2\x9b"));
    cr_assert_not_null(strstr(text, "owned"), "it is shown as text");
    free(text);
    close_rig(&rig);
}

Test(screen, wide_and_marked_characters_are_put_and_taken_away, .init = utf8)
{
    struct rig rig;
    struct lw_area a;
    size_t size;
    char *text;

    open_rig(&rig, "xterm-256color", 5, 20, &(struct lw_screen_options){0});
    a = lw_area_all(rig.surface);
    lw_put_text(a, 0, 0, "\xe4\xb8\xad\xe6\x96\x87 e\xcc\x81 end", LW_INK(LW_INK_TEXT));
    lw_screen_show(rig.screen, rig.surface);
    text = written(&rig, &size);
    cr_assert_not_null(strstr(text, "\xe4\xb8\xad\xe6\x96\x87"));
    cr_assert_not_null(strstr(text, "e\xcc\x81"));
    free(text);
    bytes(&rig);
    lw_put_text(a, 0, 1, "x", LW_INK(LW_INK_TEXT));
    lw_screen_show(rig.screen, rig.surface);
    cr_assert_gt(bytes(&rig), 0);
    lw_screen_show(rig.screen, rig.surface);
    cr_assert_eq(bytes(&rig), 0);
    close_rig(&rig);
}

Test(screen, a_surface_of_another_size_is_cut, .init = utf8)
{
    struct rig rig;

    open_rig(&rig, "xterm-256color", 10, 30, &(struct lw_screen_options){0});
    scene_run(rig.scene, 100);
    for (int rows = 1; rows < 30; rows += 7)
        for (int cols = 1; cols < 90; cols += 11) {
            cr_assert_eq(lw_surface_resize(rig.surface, rows, cols), 0);
            cr_assert_gt(frame(&rig), 0);
        }
    close_rig(&rig);
}

Test(screen, a_terminal_that_cannot_serve_is_one_clear_line)
{
    static const char *const terms[] = {"no-such-terminal", "dumb"};

    for (int i = 0; i < 2; i++) {
        struct lw_screen_options options = {
            .term = terms[i], .out = tmpfile(), .in = fopen("/dev/null", "r")};
        struct lw_screen *screen;
        struct lw_error err = {0};

        cr_assert_eq(lw_screen_open(&options, &screen, &err), LW_EMISSING);
        cr_assert_null(screen);
        cr_assert_not_null(strstr(err.text, terms[i]));
        cr_assert_null(strchr(err.text, '\n'));
        fclose(options.out);
        fclose(options.in);
    }
}

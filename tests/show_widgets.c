/* SPDX-License-Identifier: MIT */
/* Paints a dashboard of made-up curves, to look at widgets without a run:
 *   show_widgets ROWS COLS [braille|blocks|ascii] [256|16|8|mono] [plain|color|light]
 *                [steps] [focus] [zoom] [cursor]
 *   show_widgets live [FRAMES]      on this terminal; q quits, Enter zooms, Tab goes on */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "tests/widgets_scene.h"
#include "widgets/surface_curses.h"
#include "widgets/surface_text.h"

static int choice(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return 0;
}

static int show(int argc, char **argv, struct scene *scene)
{
    static const char *const sets[] = {"braille", "blocks", "ascii"};
    static const char *const depths[] = {"mono", "8", "16", "256"};
    static const char *const ways[] = {"plain", "color", "light"};
    int rows = argc > 1 ? atoi(argv[1]) : 40, cols = argc > 2 ? atoi(argv[2]) : 120;
    enum lw_charset charset = argc > 3 ? (enum lw_charset)choice(argv[3], sets, 3) : 0;
    enum lw_depth depth = argc > 4 ? (enum lw_depth)choice(argv[4], depths, 4) : LW_DEPTH_256;
    int way = argc > 5 ? choice(argv[5], ways, 3) : 0;
    struct lw_surface *s = lw_surface_new(rows, cols, charset, depth);
    char *text;

    if (!s)
        return 1;
    scene_run(scene, argc > 6 ? atoi(argv[6]) : 1200);
    scene->focus = argc > 7 ? atoi(argv[7]) : 0;
    scene->zoom = argc > 8;
    scene->cursor = argc > 9;
    scene_paint(scene, s);
    text = lw_surface_text(s, way ? lw_palette_get(depth, way == 2) : NULL, NULL);
    if (text)
        fputs(text, stdout);
    free(text);
    lw_surface_free(s);
    return 0;
}

static bool handle(int key, struct scene *scene, struct lw_screen *screen)
{
    if (key == '\t')
        scene->focus = (scene->focus + 1) % 10;
    else if (key == '\r')
        scene->zoom = !scene->zoom;
    else if (key == 'c')
        scene->cursor = !scene->cursor;
    else if (key == KEY_RESIZE || key == 'L' - '@')
        lw_screen_forget(screen);
    return key != 'q';
}

static int live(int frames, struct scene *scene)
{
    struct lw_screen_options options = {0};
    struct lw_screen *screen;
    struct lw_surface *s = NULL;
    struct lw_error err;
    bool going = true;

    if (lw_screen_open(&options, &screen, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    s = lw_surface_new(1, 1, lw_screen_charset(screen), lw_screen_depth(screen));
    for (int i = 0; s && going && i < frames; i++) {
        int rows, cols, key;

        lw_screen_size(screen, &rows, &cols);
        if (lw_surface_resize(s, rows, cols) < 0)
            break;
        scene_run(scene, 10);
        scene_paint(scene, s);
        lw_screen_show(screen, s);
        usleep(100000);
        while (going && (key = getch()) != ERR)
            going = handle(key, scene, screen);
    }
    lw_surface_free(s);
    lw_screen_close(screen);
    return 0;
}

int main(int argc, char **argv)
{
    struct scene *scene = scene_new();
    int rc;

    setlocale(LC_CTYPE, "");
    if (!scene)
        return 1;
    if (argc > 1 && strcmp(argv[1], "live") == 0)
        rc = live(argc > 2 ? atoi(argv[2]) : 1000000, scene);
    else
        rc = show(argc, argv, scene);
    scene_free(scene);
    return rc;
}

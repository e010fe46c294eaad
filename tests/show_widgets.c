/* SPDX-License-Identifier: MIT */
/* Paints a dashboard of made-up curves, to look at widgets without a run:
 *   show_widgets ROWS COLS [braille|blocks|ascii] [256|16|8|mono] [plain|color] [steps] [focus]
 * [zoom] [cursor] */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/widgets_scene.h"
#include "widgets/surface_text.h"

static int choice(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const sets[] = {"braille", "blocks", "ascii"};
    static const char *const depths[] = {"mono", "8", "16", "256"};
    int rows = argc > 1 ? atoi(argv[1]) : 40, cols = argc > 2 ? atoi(argv[2]) : 120;
    enum lw_charset charset = argc > 3 ? (enum lw_charset)choice(argv[3], sets, 3) : 0;
    enum lw_depth depth = argc > 4 ? (enum lw_depth)choice(argv[4], depths, 4) : LW_DEPTH_256;
    bool color = argc > 5 && strcmp(argv[5], "color") == 0;
    struct lw_surface *s = lw_surface_new(rows, cols, charset, depth);
    struct scene *scene = scene_new();
    char *text;

    if (!s || !scene)
        return 1;
    scene_run(scene, argc > 6 ? atoi(argv[6]) : 1200);
    scene->focus = argc > 7 ? atoi(argv[7]) : 0;
    scene->zoom = argc > 8;
    scene->cursor = argc > 9;
    scene_paint(scene, s);
    text = lw_surface_text(s, color ? lw_palette_get(depth, false) : NULL, NULL);
    if (text)
        fputs(text, stdout);
    free(text);
    scene_free(scene);
    lw_surface_free(s);
    return 0;
}

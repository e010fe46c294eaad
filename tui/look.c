/* SPDX-License-Identifier: MIT */
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/console.h"
#include "widgets/surface_text.h"

static int parse_color(const char *word, enum lw_color_mode *color, struct lw_error *err)
{
    static const struct {
        const char *word;
        enum lw_color_mode mode;
    } modes[] = {{"auto", LW_COLOR_AUTO}, {"always", LW_COLOR_256}, {"never", LW_COLOR_NEVER},
                 {"8", LW_COLOR_8},       {"16", LW_COLOR_16},      {"256", LW_COLOR_256}};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (!strcmp(word, modes[i].word)) {
            *color = modes[i].mode;
            return 0;
        }
    return lw_fail(err, LW_EUSAGE, "--color must be auto, always, never, 8, 16 or 256");
}

int lw_look_parse(struct lw_look *look, const struct lw_args *args, struct lw_error *err)
{
    const char *color = lw_args_get(args, "color"), *ascii = getenv("LEEWAY_ASCII");

    memset(look, 0, sizeof *look);
    look->ascii = lw_args_get(args, "ascii") || (ascii && *ascii && strcmp(ascii, "0") != 0);
    look->low_bandwidth = lw_args_get(args, "low-bandwidth") != NULL;
    look->color = LW_COLOR_AUTO;
    return color ? parse_color(color, &look->color, err) : 0;
}

/* Text has no colour unless it is asked for: it goes to files and pipes. */
static enum lw_depth text_depth(enum lw_color_mode color)
{
    switch (color) {
    case LW_COLOR_8:
        return LW_DEPTH_8;
    case LW_COLOR_16:
        return LW_DEPTH_16;
    case LW_COLOR_256:
        return LW_DEPTH_256;
    default:
        return LW_DEPTH_MONO;
    }
}

int lw_console_print(struct lw_view *v, const struct lw_look *look, int rows, int cols,
                     struct lw_error *err)
{
    bool ascii = look->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    enum lw_depth depth = text_depth(look->color);
    struct lw_surface *s =
        lw_surface_new(rows, cols, ascii ? LW_CHARSET_ASCII : LW_CHARSET_BRAILLE, depth);
    char *text = NULL;
    size_t size = 0;
    int rc = 0;

    if (s) {
        lw_view_draw(v, s);
        text =
            lw_surface_text(s, depth == LW_DEPTH_MONO ? NULL : lw_palette_get(depth, false), &size);
    }
    if (!text)
        rc = lw_fail(err, LW_EMEM, "out of memory for a frame of %dx%d", cols, rows);
    else if (fwrite(text, 1, size, stdout) != size || fflush(stdout))
        rc = lw_fail_errno(err, "cannot write the frame");
    free(text);
    lw_surface_free(s);
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "engine/data/images.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

/* What libpng reads from, and where it jumps to when it gives up. */
struct source {
    const uint8_t *bytes;
    size_t size, at;
    char why[128];
    jmp_buf give_up;
};

static void fail(png_structp png, png_const_charp why)
{
    struct source *s = png_get_error_ptr(png);

    lw_text_clean(why, strlen(why), s->why, sizeof s->why);
    longjmp(s->give_up, 1);
}

static void ignore(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void give(png_structp png, png_bytep to, png_size_t n)
{
    struct source *s = png_get_io_ptr(png);

    if (n > s->size - s->at)
        png_error(png, "it is cut short");
    memcpy(to, s->bytes + s->at, n);
    s->at += n;
}

/* One or three, whatever the kind. */
static int channels_of(png_structp png, png_infop info)
{
    int type = png_get_color_type(png, info);

    return type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA ? 1 : 3;
}

/* Any kind to 8 bits, without alpha. */
static void ask_for_bytes(png_structp png, png_infop info)
{
    png_set_expand(png); /* palettes, fewer bits than 8, transparent colours */
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

int lw_png_decode(const void *bytes, size_t size, const char *where, struct lw_image *out,
                  struct lw_error *err)
{
    struct source s = {.bytes = bytes, .size = size};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, fail, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_bytep *volatile rows = NULL;
    volatile int rc = 0;
    int channels;

    *out = (struct lw_image){0};
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        return lw_fail(err, LW_EMEM, "out of memory reading %s", where);
    }
    if (setjmp(s.give_up)) {
        rc = lw_fail(err, LW_EDATA, "%s is a damaged PNG: %s", where, s.why);
        goto out;
    }
    png_set_read_fn(png, &s, give);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours are lw_image_room's */
    png_set_chunk_malloc_max(png, 8 << 20);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_read_info(png, info);
    channels = channels_of(png, info);
    rc = lw_image_room(out, png_get_image_width(png, info), png_get_image_height(png, info),
                       channels, where, err);
    if (rc)
        goto out;
    ask_for_bytes(png, info);
    if (png_get_rowbytes(png, info) != (size_t)out->width * (size_t)channels)
        png_error(png, "its rows have another length than its header says");
    rows = malloc((size_t)out->height * sizeof *rows);
    if (!rows) {
        rc = lw_fail(err, LW_EMEM, "out of memory reading %s", where);
        goto out;
    }
    for (int y = 0; y < out->height; y++)
        rows[y] = out->pixels + (size_t)y * (size_t)out->width * (size_t)channels;
    png_read_image(png, rows);
    png_read_end(png, NULL);
out:
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    if (rc) {
        free(out->pixels);
        *out = (struct lw_image){0};
    }
    return rc;
}

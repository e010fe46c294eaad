/* SPDX-License-Identifier: MIT */
#include "widgets/cairo/png.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

struct sink {
    lw_picture_write *write;
    void *user;
    const char *problem;
};

static void on_data(png_structp png, png_bytep data, size_t size)
{
    struct sink *sink = png_get_io_ptr(png);

    if (!sink->write(sink->user, data, size)) {
        sink->problem = "the file cannot be written";
        png_error(png, "write");
    }
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void write_rows(png_structp png, cairo_surface_t *surface, uint8_t *row)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);
    const uint8_t *data = cairo_image_surface_get_data(surface);

    for (int y = 0; y < height; y++) {
        const uint32_t *in = (const uint32_t *)(const void *)(data + (size_t)y * (size_t)stride);
        uint8_t *out = row;

        for (int x = 0; x < width; x++, out += 3) {
            out[0] = (uint8_t)(in[x] >> 16);
            out[1] = (uint8_t)(in[x] >> 8);
            out[2] = (uint8_t)in[x];
        }
        png_write_row(png, row);
    }
}

const char *lw_png_write(cairo_surface_t *surface, double dpi, lw_picture_write *write, void *user)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    struct sink sink = {write, user, "PNG cannot be made: out of memory"};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *volatile row = malloc((size_t)width * 3);
    png_uint_32 per_metre = (png_uint_32)lround(dpi / 0.0254);

    if (!info || !row)
        goto out;
    if (setjmp(png_jmpbuf(png)))
        goto out;
    png_set_write_fn(png, &sink, on_data, on_flush);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    /* Most rows are the one above: what is left of them is a run of zeros. */
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, Z_RLE);
    png_set_compression_buffer_size(png, 1 << 18);
    png_write_info(png, info);
    write_rows(png, surface, row);
    png_write_end(png, NULL);
    sink.problem = NULL;
out:
    free(row);
    png_destroy_write_struct(&png, &info);
    return sink.problem;
}

/* SPDX-License-Identifier: MIT */
#include "engine/data/images.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#define SCANS_MAX 500 /* a progressive file of many empty scans takes hours */

struct handler {
    struct jpeg_error_mgr base;
    char why[JMSG_LENGTH_MAX];
    jmp_buf give_up;
};

static void fail(j_common_ptr jpeg)
{
    struct handler *h = (struct handler *)jpeg->err;

    h->base.format_message(jpeg, h->why);
    longjmp(h->give_up, 1);
}

/* Of what libjpeg only warns of, an early end is an error of ours: half the image is made up. */
static void hear(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        fail(jpeg);
}

static void count_scans(j_common_ptr jpeg)
{
    struct handler *h = (struct handler *)jpeg->err;

    if (((j_decompress_ptr)jpeg)->input_scan_number <= SCANS_MAX)
        return;
    snprintf(h->why, sizeof h->why, "it has more than %d scans", SCANS_MAX);
    longjmp(h->give_up, 1);
}

/* Four channels in place to three. Adobe's files hold 255 minus the ink, and there are no others.
 */
static void from_cmyk(uint8_t *row, int width)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++)
            row[3 * x + c] = (uint8_t)((row[4 * x + c] * row[4 * x + 3] + 127) / 255);
}

static void read_rows(struct jpeg_decompress_struct *jpeg, uint8_t *spare, struct lw_image *out)
{
    const size_t row = (size_t)out->width * (size_t)out->channels;
    const bool cmyk = jpeg->out_color_space == JCS_CMYK;

    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = out->pixels + jpeg->output_scanline * row;
        JSAMPROW into = cmyk ? spare : to;

        jpeg_read_scanlines(jpeg, &into, 1);
        if (cmyk) {
            from_cmyk(spare, out->width);
            memcpy(to, spare, row);
        }
    }
}

int lw_jpeg_decode(const void *bytes, size_t size, const char *where, struct lw_image *out,
                   struct lw_error *err)
{
    struct handler h = {.why = ""};
    struct jpeg_decompress_struct jpeg = {.err = jpeg_std_error(&h.base)};
    struct jpeg_progress_mgr progress = {.progress_monitor = count_scans};
    uint8_t *volatile spare = NULL;
    volatile int rc = 0;
    int channels;

    *out = (struct lw_image){0};
    h.base.error_exit = fail;
    h.base.emit_message = hear;
    if (setjmp(h.give_up)) {
        rc = lw_fail(err, LW_EDATA, "%s is a damaged JPEG: %s", where, h.why);
        goto out;
    }
    jpeg_create_decompress(&jpeg);
    jpeg.progress = &progress;
    jpeg.mem->max_memory_to_use = 1L << 30;
    jpeg_mem_src(&jpeg, bytes, size);
    jpeg_read_header(&jpeg, TRUE);
    channels = jpeg.num_components == 1 ? 1 : 3;
    jpeg.out_color_space = jpeg.num_components == 1   ? JCS_GRAYSCALE
                           : jpeg.num_components == 4 ? JCS_CMYK
                                                      : JCS_RGB;
    rc = lw_image_room(out, jpeg.image_width, jpeg.image_height, channels, where, err);
    if (rc)
        goto out;
    spare = malloc((size_t)out->width * 4);
    if (!spare) {
        rc = lw_fail(err, LW_EMEM, "out of memory reading %s", where);
        goto out;
    }
    jpeg_start_decompress(&jpeg);
    read_rows(&jpeg, spare, out);
    jpeg_finish_decompress(&jpeg);
out:
    jpeg_destroy_decompress(&jpeg);
    free(spare);
    if (rc) {
        free(out->pixels);
        *out = (struct lw_image){0};
    }
    return rc;
}

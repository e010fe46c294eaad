/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "engine/data/items.h"

static int add_image(const struct lw_items *d, int64_t i, uint8_t *row, uint64_t sums[6],
                     struct lw_error *err)
{
    const size_t plane = lw_items_row(d) / 3;
    int32_t label;
    int rc = lw_items_read(d, i, row, &label, err);

    for (int c = 0; !rc && c < 3; c++) {
        const uint8_t *pixel = row + (size_t)c * plane;
        uint64_t sum = 0, squares = 0;

        for (size_t k = 0; k < plane; k++) {
            sum += pixel[k];
            squares += (uint32_t)pixel[k] * pixel[k];
        }
        sums[c] += sum;
        sums[3 + c] += squares;
    }
    return rc;
}

int lw_images_add_up(const struct lw_items *d, int64_t first, int64_t step, int64_t end,
                     int threads, struct lw_image_sums *out, struct lw_error *err)
{
    const size_t plane = lw_items_row(d) / 3;
    uint64_t sums[6] = {0}, images = 0;
    int failed = 0;

    (void)threads; /* not looked at without OpenMP */
#pragma omp parallel num_threads(threads > 0 ? threads : 1) reduction(+ : sums, images)
    {
        uint8_t *row = malloc(3 * plane);
        struct lw_error why = {0};
        int rc = row ? 0 : lw_fail(&why, LW_EMEM, "out of memory for an image");

#pragma omp for schedule(dynamic, 16)
        for (int64_t i = first; i < end; i += step) {
            if (!rc && !(rc = add_image(d, i, row, sums, &why)))
                images++;
        }
        if (rc) {
#pragma omp critical(lw_images_add_up)
            {
                failed = rc;
                *err = why;
            }
        }
        free(row);
    }
    for (int c = 0; !failed && c < 3; c++) {
        out->sum[c] += sums[c];
        out->squares[c] += sums[3 + c];
    }
    out->pixels += failed ? 0 : images * plane;
    return failed;
}

/* n sum(x^2) - sum(x)^2 in whole numbers: no digits are lost where it is small. */
void lw_images_moments(const struct lw_image_sums *s, double mean[3], double deviation[3])
{
    const double n = (double)s->pixels;

    for (int c = 0; c < 3; c++) {
        unsigned __int128 spread =
            (unsigned __int128)s->pixels * s->squares[c] - (unsigned __int128)s->sum[c] * s->sum[c];

        mean[c] = (double)s->sum[c] / n / 255;
        deviation[c] = sqrt((double)spread) / n / 255;
    }
}

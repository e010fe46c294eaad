/* SPDX-License-Identifier: MIT */
#include "engine/data/images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool lw_image_is_png(const void *bytes, size_t size)
{
    return size >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8);
}

bool lw_image_is_jpeg(const void *bytes, size_t size)
{
    return size >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3);
}

int lw_image_decode(const void *bytes, size_t size, const char *where, struct lw_image *out,
                    struct lw_error *err)
{
    *out = (struct lw_image){0};
    if (lw_image_is_png(bytes, size))
        return lw_png_decode(bytes, size, where, out, err);
    if (lw_image_is_jpeg(bytes, size))
        return lw_jpeg_decode(bytes, size, where, out, err);
    return lw_fail(err, LW_EDATA, "%s is neither PNG nor JPEG", where);
}

int lw_image_fits(uint64_t width, uint64_t height, const char *where, struct lw_error *err)
{
    if (!width || !height)
        return lw_fail(err, LW_EDATA, "%s: an image of %llu x %llu pixels shows nothing", where,
                       (unsigned long long)width, (unsigned long long)height);
    if (width > LW_IMAGE_SIDE_MAX || height > LW_IMAGE_SIDE_MAX ||
        width * height > LW_IMAGE_PIXELS_MAX)
        return lw_fail(err, LW_EDATA,
                       "%s: an image of %llu x %llu pixels is more than leeway reads (%d a side, "
                       "%zu million in all)",
                       where, (unsigned long long)width, (unsigned long long)height,
                       LW_IMAGE_SIDE_MAX, LW_IMAGE_PIXELS_MAX >> 20);
    return 0;
}

int lw_image_room(struct lw_image *out, uint64_t width, uint64_t height, int channels,
                  const char *where, struct lw_error *err)
{
    int rc = lw_image_fits(width, height, where, err);

    if (rc)
        return rc;
    out->width = (int)width;
    out->height = (int)height;
    out->channels = channels;
    out->pixels = malloc((size_t)(width * height) * (size_t)channels);
    return out->pixels ? 0 : lw_fail(err, LW_EMEM, "out of memory reading %s", where);
}

int lw_image_pread(int fd, void *to, size_t n, int64_t at, const char *path, struct lw_error *err)
{
    size_t got = 0;

    while (got < n) {
        ssize_t step = pread(fd, (char *)to + got, n - got, at + (int64_t)got);

        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return lw_fail_errno(err, "cannot read %s", path);
        if (step == 0)
            return lw_fail(err, LW_EDATA, "%s ends before byte %lld: it is cut short", path,
                           (long long)(at + (int64_t)n));
        got += (size_t)step;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "tui/picture.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"

#define MODULE "libleeway-picture.so"

/* "24x18", or "1600x1200px". */
static bool parse_size(const char *text, struct lw_picture_files *f)
{
    char *end;
    double w = strtod(text, &end), h;

    if (end == text || *end != 'x')
        return false;
    text = end + 1;
    h = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "px") != 0))
        return false;
    f->width = *end ? w / f->dpi : w;
    f->height = *end ? h / f->dpi : h;
    return true;
}

int lw_picture_parse(struct lw_picture_files *files, const struct lw_args *args, double width,
                     double height, struct lw_error *err)
{
    static const char *const names[] = {
        [LW_PICTURE_PNG] = "png", [LW_PICTURE_SVG] = "svg", [LW_PICTURE_PDF] = "pdf"};
    const char *size = lw_args_get(args, "size"), *dpi = lw_args_get(args, "dpi");
    char *end;

    *files = (struct lw_picture_files){.width = width, .height = height, .dpi = 150};
    for (int i = 0; i < 3; i++) {
        files->file[i] = lw_args_get(args, names[i]);
        files->any = files->any || files->file[i];
    }
    if ((size || dpi) && !files->any)
        return lw_fail(err, LW_EUSAGE, "--%s is for --png, --svg or --pdf", size ? "size" : "dpi");
    if (dpi) {
        files->dpi = strtod(dpi, &end);
        if (end == dpi || *end || !(files->dpi >= 10 && files->dpi <= LW_PICTURE_DPI))
            return lw_fail(err, LW_EUSAGE, "--dpi must be a number from 10 to %g", LW_PICTURE_DPI);
    }
    if (size && !parse_size(size, files))
        return lw_fail(err, LW_EUSAGE,
                       "--size must be WIDTHxHEIGHT in inches, such as 24x18, or in dots, such as "
                       "1600x1200px");
    if (!(files->width >= 1 && files->width <= LW_PICTURE_INCHES && files->height >= 1 &&
          files->height <= LW_PICTURE_INCHES))
        return lw_fail(err, LW_EUSAGE, "--size must be from 1 to %g inches each way",
                       LW_PICTURE_INCHES);
    if (files->file[LW_PICTURE_PNG] &&
        (files->width * files->dpi > 32767 || files->height * files->dpi > 32767 ||
         files->width * files->height * files->dpi * files->dpi > LW_PICTURE_DOTS))
        return lw_fail(err, LW_EUSAGE,
                       "a PNG of %.0f x %.0f dots is too large: give a smaller --size or --dpi",
                       files->width * files->dpi, files->height * files->dpi);
    return 0;
}

/* Where this program is. */
static void own_folder(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    char *slash;

    out[n > 0 ? n : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash)
        *slash = '\0';
}

const struct lw_painter *lw_picture_painter(struct lw_error *err)
{
    char own[2048], built[2064], path[4096],
        why[512] = "it is not part of this build, which was "
                   "made without cairo (libcairo2-dev)";
    const char *places[] = {getenv("LEEWAY_MODULES"), own, built, LW_MODULE_DIR};
    const struct lw_painter *painter;
    void *module = NULL;

    own_folder(own, sizeof own);
    snprintf(built, sizeof built, "%s/.libs", own);
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !module; i++) {
        if (!places[i] || !*places[i])
            continue;
        snprintf(path, sizeof path, "%s/" MODULE, places[i]);
        if (access(path, R_OK) < 0)
            continue;
        module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!module)
            snprintf(why, sizeof why, "%s", dlerror());
    }
    if (!module) {
        lw_fail(err, LW_EMISSING, "no pictures: " MODULE ": %s", why);
        return NULL;
    }
    painter = dlsym(module, LW_PAINTER_SYMBOL);
    if (!painter || painter->version != LW_PAINTER_VERSION) {
        lw_fail(err, LW_EMISSING, "no pictures: " MODULE " is of another version of leeway");
        return NULL;
    }
    return painter;
}

struct bytes {
    char *data;
    size_t size, room;
};

static bool keep(void *user, const void *data, size_t size)
{
    struct bytes *b = user;

    if (b->room - b->size < size) {
        size_t room = b->room * 2 > b->size + size ? b->room * 2 : b->size + size;
        char *grown = realloc(b->data, room);

        if (!grown)
            return false;
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return true;
}

static int put(const char *file, const struct bytes *b, struct lw_error *err)
{
    if (strcmp(file, "-") != 0)
        return lw_replace_file(file, b->data, b->size, 0, err);
    if (fflush(stdout) || lw_write_all(STDOUT_FILENO, b->data, b->size))
        return lw_fail_errno(err, "cannot write to stdout");
    return 0;
}

int lw_picture_save(const struct lw_picture_files *files, struct lw_picture *picture,
                    struct lw_error *err)
{
    const struct lw_painter *painter = lw_picture_painter(err);
    struct bytes b = {0};
    int rc = painter ? 0 : err->code;

    picture->width = files->width;
    picture->height = files->height;
    picture->dpi = files->dpi;
    if (painter && !painter->has_font())
        fprintf(stderr, "leeway: no font was found, so text is drawn in plain strokes; "
                        "apt-get install fonts-dejavu-core\n");
    for (int i = 0; i < 3 && !rc; i++) {
        const char *problem;

        if (!files->file[i])
            continue;
        b.size = 0;
        problem = painter->paint(picture, (enum lw_picture_format)i, keep, &b);
        rc = problem ? lw_fail(err, LW_EIO, "cannot paint %s: %s", files->file[i], problem)
                     : put(files->file[i], &b, err);
    }
    free(b.data);
    return rc;
}

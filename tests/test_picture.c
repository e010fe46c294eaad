/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "tests/fake_drift.h"
#include "tests/support.h"
#include "tui/args.h"
#include "tui/dashboard.h"
#include "tui/picture.h"
#include "widgets/palette.h"

enum { TEXTS = 1000 };

struct placed {
    char text[96];
    double x, y, w, h;
};

static struct lw_error err;
static const struct lw_painter *painter;
static struct lw_dashboard *dashboard;
static struct lw_picture picture;
static struct placed placed[TEXTS];
static int texts;
static char *file; /* what was painted */
static size_t file_size;
static png_bytep pixels;
static png_image image;

static void init(void)
{
    setenv("LEEWAY_MODULES", test_built(".libs"), 1);
    painter = lw_picture_painter(&err);
    cr_assert_not_null(painter, "%s", err.text);
}

static void fini(void)
{
    lw_dashboard_close(dashboard);
    free(file);
    free(pixels);
}

TestSuite(picture, .init = init, .fini = fini);

static bool keep(void *user, const void *data, size_t size)
{
    (void)user;
    file = realloc(file, file_size + size);
    cr_assert_not_null(file);
    memcpy(file + file_size, data, size);
    file_size += size;
    return true;
}

static void on_text(void *user, const char *text, double x, double y, double w, double h)
{
    struct placed *p = &placed[texts++];

    (void)user;
    cr_assert_lt(texts, TEXTS);
    snprintf(p->text, sizeof p->text, "%s", text);
    p->x = x;
    p->y = y;
    p->w = w;
    p->h = h;
}

static void paint(enum lw_picture_format format, double width, double height, double dpi)
{
    const char *problem;

    picture.width = width;
    picture.height = height;
    picture.dpi = dpi;
    picture.text = on_text;
    texts = 0;
    file_size = 0;
    problem = painter->paint(&picture, format, keep, NULL);
    cr_assert_null(problem, "%s", problem);
}

/* What was painted as dots. */
static void decode(void)
{
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    cr_assert(png_image_begin_read_from_memory(&image, file, file_size), "%s", image.message);
    image.format = PNG_FORMAT_RGB;
    free(pixels);
    pixels = malloc(PNG_IMAGE_SIZE(image));
    cr_assert(png_image_finish_read(&image, NULL, pixels, 0, NULL), "%s", image.message);
}

/* How many dots of exactly this colour lie in a part of the picture, given in shares of it. */
static long count(uint32_t rgb, double x0, double y0, double x1, double y1)
{
    long n = 0;

    for (int y = (int)(y0 * image.height); y < (int)(y1 * image.height); y++)
        for (int x = (int)(x0 * image.width); x < (int)(x1 * image.width); x++) {
            const png_byte *p = pixels + 3 * ((size_t)y * image.width + (size_t)x);

            n += p[0] == rgb >> 16 && p[1] == (rgb >> 8 & 255) && p[2] == (rgb & 255);
        }
    return n;
}

static bool says(const char *text)
{
    for (int i = 0; i < texts; i++)
        if (strstr(placed[i].text, text))
            return true;
    return false;
}

/* No text leaves the page, none lies over another. */
static void texts_have_room(const char *what)
{
    double width = picture.width * 72, height = picture.height * 72;

    cr_assert_gt(texts, 5);
    for (int i = 0; i < texts; i++) {
        const struct placed *a = &placed[i];

        cr_assert(a->x >= -0.5 && a->y >= -0.5 && a->x + a->w <= width + 0.5 &&
                      a->y + a->h <= height + 0.5,
                  "%s, %gx%g: '%s' leaves the page", what, picture.width, picture.height, a->text);
        for (int k = 0; k < i; k++) {
            const struct placed *b = &placed[k];

            cr_assert(a->x >= b->x + b->w || b->x >= a->x + a->w || a->y >= b->y + b->h ||
                          b->y >= a->y + a->h,
                      "%s, %gx%g: '%s' and '%s' lie over one another", what, picture.width,
                      picture.height, a->text, b->text);
        }
    }
}

static const char header[] =
    "step,epoch,time,train/loss,train/perplexity,train/accuracy,val/loss,val/perplexity,"
    "val/accuracy,learning_rate,gradients/pre_clip_norm,gradients/post_clip_norm,epoch_duration\n";

/* A run's metrics: epochs of ten rows each, every odd-th loss not a number (0: none). */
static char *make_run(const char *name, int epochs, int odd)
{
    char *dir = strdup(test_path(test_folder(), name));
    FILE *f;

    cr_assert_eq(lw_make_folders(dir, &err), 0);
    f = fopen(test_path(dir, "metrics.csv"), "w");
    fputs(header, f);
    for (int i = 1; i <= 10 * epochs; i++) {
        double x = i / (10.0 * epochs), loss = 1 + 4 * exp(-5 * x);

        fprintf(f, "%d,%g,%g,", i, i / 10.0, i * 0.5);
        if (odd && i % odd == 0)
            fprintf(f, "nan,nan,,");
        else
            fprintf(f, "%g,%g,%g,", loss, exp(loss), x);
        if (i % 10 == 0)
            fprintf(f, "%g,%g,%g,", loss + 0.1, exp(loss + 0.1), 0.9 * x);
        else
            fprintf(f, ",,,");
        fprintf(f, "%g,%g,%g,%s\n", 1e-3 * (1 - x), 1 + x, 1.0, i % 10 ? "" : "5.0");
    }
    fclose(f);
    return dir;
}

static void add_drift(const char *dir, enum lw_modality modality)
{
    for (int i = 1; i <= 4; i++) {
        struct fake_check check = {.modality = modality,
                                   .step = 10 * i,
                                   .epoch = i,
                                   .time = 5 * i,
                                   .items = i == 1 ? 70 : 300,
                                   .shift = i > 2 ? 0.3 * i : 0,
                                   .change_step = i > 2 ? 20 : 0};

        cr_assert_eq(fake_drift_check(dir, &check, &err), 0, "%s", err.text);
    }
}

static void open_run(char *path)
{
    lw_dashboard_close(dashboard);
    dashboard = NULL;
    cr_assert_eq(lw_dashboard_open(&dashboard, &path, 1, &picture, &err), 0, "%s", err.text);
}

Test(picture, ten_panels_have_their_places_and_colours)
{
    char *dir = make_run("run", 4, 0);
    const double bottom = 0.68;

    add_drift(dir, LW_TEXT);
    open_run(dir);
    cr_assert_eq(picture.panels, 10);
    cr_assert_arr_eq(picture.across, ((int[]){4, 4, 2, 0}), 4 * sizeof(int));
    paint(LW_PICTURE_PNG, 12, 9, 100);
    decode();
    cr_assert_eq(image.width, 1200);
    cr_assert_eq(image.height, 900);
    cr_assert_eq(count(0xffffff, 0, 0, 0.01, 0.01), 12 * 9, "the corner is paper");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_BLUE), 0, 0.1, 0.25, 0.38), 20, "training loss");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_ORANGE), 0, 0.1, 0.25, 0.38), 10, "validation loss");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_GREEN), 0.25, 0.1, 0.5, 0.38), 20, "perplexity");
    cr_assert_eq(count(lw_ink_rgb(LW_INK_GREEN), 0, 0.1, 0.25, 0.38), 0);
    cr_assert_gt(count(lw_ink_rgb(LW_INK_RED), 0.75, 0.1, 1, 0.38), 20, "learning rate");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_TINT_OK), 0.75, 0.4, 1, bottom), 500, "zones");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_TINT_ALERT), 0.75, 0.4, 1, bottom), 500);
    cr_assert_gt(count(lw_ink_rgb(LW_INK_VIOLET), 0.75, 0.4, 1, bottom), 5, "the score");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_OK), 0, bottom, 0.5, 1), 500, "heat map");
    cr_assert_gt(count(lw_ink_rgb(LW_INK_ALERT), 0, bottom, 0.5, 1), 500);
    cr_assert_gt(count(lw_ink_rgb(LW_INK_BAR), 0.5, bottom, 1, 1), 500, "head of the table");
    free(dir);
}

Test(picture, texts_are_those_of_the_panels)
{
    static const char *const want[] = {"run",
                                       "Loss",
                                       "Perplexity",
                                       "Accuracy",
                                       "Learning rate",
                                       "Gradient norm",
                                       "Time per epoch",
                                       "Sequence Length Distribution Shift",
                                       "Drift Score Over Time",
                                       "Drift Status Heatmap",
                                       "Drift Metrics Summary",
                                       "Relative Frequency",
                                       "JS Distance",
                                       "Step",
                                       "Warn Threshold (0.1)",
                                       "Alert Threshold (0.2)",
                                       "Reference",
                                       "Current",
                                       "change",
                                       "Unsure",
                                       "overall",
                                       "token_overlap",
                                       "Metric",
                                       "best epoch 4 (step 40)",
                                       "learning rate 9.75e-4",
                                       "total time 20s"};
    char *dir = make_run("run", 4, 0);

    add_drift(dir, LW_TEXT);
    open_run(dir);
    paint(LW_PICTURE_SVG, 24, 18, 0);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        cr_assert(says(want[i]), "no text says '%s'", want[i]);
    free(dir);
}

Test(picture, nothing_overlaps_at_any_size, .timeout = 120)
{
    static const double sizes[][2] = {{24, 18}, {1600 / 150.0, 8}, {6, 4.5}, {30, 10}, {8, 20}};
    char *runs[] = {make_run("a-text", 4, 0),      make_run("b-vision", 4, 0),
                    make_run("c-no-drift", 20, 0), make_run("d-one-epoch", 1, 0),
                    make_run("e-many", 1000, 0),   make_run("f-nan", 20, 3)};

    add_drift(runs[0], LW_TEXT);
    add_drift(runs[1], LW_VISION);
    for (size_t r = 0; r < sizeof runs / sizeof runs[0]; r++) {
        open_run(runs[r]);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            paint(LW_PICTURE_PNG, sizes[i][0], sizes[i][1], 40);
            texts_have_room(strrchr(runs[r], '/') + 1);
        }
        free(runs[r]);
    }
}

Test(picture, a_run_without_drift_has_six_panels)
{
    char *dir = make_run("run", 2, 0);

    open_run(dir);
    cr_assert_eq(picture.panels, 6);
    cr_assert_arr_eq(picture.across, ((int[]){3, 3, 0}), 3 * sizeof(int));
    paint(LW_PICTURE_PNG, 9, 6, 50);
    cr_assert(!says("Drift"));
    cr_assert(says("2 epochs"));
    free(dir);
}

Test(picture, missing_columns_are_said)
{
    char *dir = strdup(test_path(test_folder(), "run"));

    cr_assert_eq(lw_make_folders(dir, &err), 0);
    test_write(test_path(dir, "metrics.csv"), "step,train/loss,train/accuracy\n1,2.5,\n2,nan,\n");
    open_run(dir);
    paint(LW_PICTURE_PNG, 9, 6, 50);
    cr_assert(says("N/A: no column train/perplexity"));
    cr_assert(says("N/A: train/accuracy has no values"));
    cr_assert(says("Loss"));
    free(dir);
}

Test(picture, files_of_other_trainers)
{
    char *path = strdup(test_path(test_folder(), "keras.csv"));

    test_write(path, "epoch,loss,val_loss,accuracy\n0,2,2.1,0.1\n1,1,1.5,0.4\n2,0.5,1.4,0.6");
    open_run(path);
    cr_assert_eq(picture.panels, 2);
    paint(LW_PICTURE_PNG, 9, 6, 50);
    cr_assert(says("Epoch") && says("val_loss") && says("accuracy"));
    texts_have_room("keras.csv");
    free(path);
}

Test(picture, two_profiles_alone)
{
    const char *const names[] = {"a/monday.json", "b/friday.json"};
    struct lw_profile a = {0}, b = {0};
    struct lw_drift_settings settings;
    struct lw_drift *drift;

    lw_drift_settings_init(&settings, false, 0.1, 0.2);
    cr_assert_eq(fake_profile(&a, LW_VISION, 300, 0, 1, &err), 0);
    cr_assert_eq(fake_profile(&b, LW_VISION, 300, 0.8, 2, &err), 0);
    cr_assert_eq(lw_drift_of(&drift, &a, &b, &settings, &err), 0);
    cr_assert_eq(lw_dashboard_of_drift(&dashboard, drift, names, &picture, &err), 0);
    cr_assert_eq(picture.panels, 4);
    paint(LW_PICTURE_PNG, 12, 9, 60);
    cr_assert(says("friday.json against monday.json"));
    cr_assert(says("300 and 300 images"));
    cr_assert(says("Brightness Distribution Shift"));
    texts_have_room("two profiles");
    decode();
    cr_assert_gt(count(lw_ink_rgb(LW_INK_ALERT), 0, 0.5, 0.5, 1), 500);
    lw_drift_close(drift);
    lw_profile_fini(&a);
    lw_profile_fini(&b);
}

Test(picture, svg_and_pdf_are_whole)
{
    char *dir = make_run("run", 2, 0);

    open_run(dir);
    paint(LW_PICTURE_SVG, 9, 6, 0);
    keep(NULL, "", 1);
    cr_assert(strstr(file, "<svg") && strstr(file, "648pt") && strstr(file, "432pt"));
    cr_assert(strstr(file, "</svg>"));
    paint(LW_PICTURE_PDF, 9, 6, 0);
    cr_assert_eq(memcmp(file, "%PDF-", 5), 0);
    cr_assert_not_null(memmem(file, file_size, "%%EOF", 5));
    cr_assert_not_null(memmem(file, file_size, "648 432", 7), "the page's size");
    free(dir);
}

static bool refuse(void *user, const void *data, size_t size)
{
    (void)user;
    (void)data;
    (void)size;
    return false;
}

Test(picture, a_file_that_takes_nothing_is_a_failure)
{
    char *dir = make_run("run", 1, 0);

    open_run(dir);
    picture.width = picture.height = 4;
    picture.dpi = 50;
    for (int format = LW_PICTURE_PNG; format <= LW_PICTURE_PDF; format++)
        cr_assert_not_null(painter->paint(&picture, (enum lw_picture_format)format, refuse, NULL),
                           "%d", format);
    free(dir);
}

/* --- options --- */

static const struct lw_option options[] = {LW_PICTURE_OPTIONS, {NULL, 0, NULL, NULL}};

static int parse(struct lw_picture_files *files, const char *size, const char *dpi)
{
    char *argv[] = {
        "--png", "x.png", "--size", (char *)(uintptr_t)size, "--dpi", (char *)(uintptr_t)dpi, NULL};
    struct lw_args args;
    int rc;

    cr_assert_eq(lw_args_parse(&args, options, 6, argv, &err), 0, "%s", err.text);
    rc = lw_picture_parse(files, &args, 24, 18, &err);
    lw_args_fini(&args);
    return rc;
}

Test(picture, sizes_are_inches_or_dots)
{
    static const char *const bad[][2] = {
        {"24", "150"},    {"24x", "150"},   {"x18", "150"},     {"0x18", "150"},
        {"-4x3", "150"},  {"nanx3", "150"}, {"24x18cm", "150"}, {"24x18", "0"},
        {"24x18", "ten"}, {"24x18", "9e9"}, {"300x300", "150"}, {"100x100", "600"}};
    struct lw_picture_files files;

    cr_assert_eq(parse(&files, "24x18", "150"), 0);
    cr_assert_eq(parse(&files, "1600x1200px", "200"), 0);
    cr_assert_float_eq(files.width, 8, 1e-9);
    cr_assert_float_eq(files.height, 6, 1e-9);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(parse(&files, bad[i][0], bad[i][1]), LW_EUSAGE, "%s %s", bad[i][0], bad[i][1]);
}

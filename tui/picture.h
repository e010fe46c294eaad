/* SPDX-License-Identifier: MIT
 *
 * Pictures of panels in files: the options that commands share, and the painter, a module that is
 * opened when one is asked for.
 */
#ifndef LW_TUI_PICTURE_H
#define LW_TUI_PICTURE_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "tui/args.h"
#include "widgets/picture.h"

#define LW_PICTURE_OPTIONS                                                                         \
    {"png", 0, "FILE", "the panels as a picture; -: stdout"},                                      \
        {"svg", 0, "FILE", "the same as SVG"}, {"pdf", 0, "FILE", "the same as PDF"},              \
        {"size", 0, "WxH", "of the picture, in inches (24x18); 1600x1200px: in dots"},             \
    {                                                                                              \
        "dpi", 0, "N", "dots an inch of a PNG (150)"                                               \
    }

struct lw_picture_files {
    const char *file[3]; /* by enum lw_picture_format; NULL: not asked for */
    bool any;
    double width, height, dpi;
};

/* What the options say; width and height are the defaults in inches. LW_EUSAGE for sizes that make
 * no picture. */
LW_NODISCARD int lw_picture_parse(struct lw_picture_files *files, const struct lw_args *args,
                                  double width, double height, struct lw_error *err);

/* Paint the picture, whose size is set here, into each file. LW_EMISSING where this build, or
 * machine, has no painter. That there is no font is said on stderr. */
LW_NODISCARD int lw_picture_save(const struct lw_picture_files *files, struct lw_picture *picture,
                                 struct lw_error *err);

/* The painter, NULL with the reason in err. */
const struct lw_painter *lw_picture_painter(struct lw_error *err);

#endif

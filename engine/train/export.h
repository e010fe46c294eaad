/* SPDX-License-Identifier: MIT
 *
 * What leaves a run, and how: a checkpoint is found and checked once, then written in any of the
 * formats of one table. Nothing here needs a device or loads the model: files are mapped or copied.
 */
#ifndef LW_TRAIN_EXPORT_H
#define LW_TRAIN_EXPORT_H

#include <stddef.h>

#include "engine/base/error.h"
#include "engine/config/config.h"
#include "engine/export/hf_folder.h"
#include "engine/model/model.h"
#include "engine/train/state.h"

/* A run and one of its checkpoints, for as long as they are being exported. */
struct lw_export {
    char *run;        /* folder */
    char *checkpoint; /* folder; NULL: the run has none */
    struct lw_config config;
    struct lw_train_state state; /* of the checkpoint */
    struct lw_model_spec spec;
    enum lw_export_ids ids;
    void (*say)(void *user, const char *line); /* what was written, and what should be known */
    void *user;
};

/* what: a run as lw_run_find takes it. step: "last" (or NULL), "best" (by validation loss) or a
 * step's number. A run without a checkpoint is no error yet: formats that need one say so.
 * Always lw_export_close() afterwards. */
LW_NODISCARD int lw_export_open(struct lw_export *e, const char *what, const char *step,
                                void (*say)(void *user, const char *line), void *user,
                                struct lw_error *err);
void lw_export_close(struct lw_export *e);

/* One row a format: "safetensors" to a folder, ... */
struct lw_export_format {
    const char *name;   /* the option without its dashes */
    const char *target; /* what to call what it writes: "DIR" or "FILE" */
    int (*write)(struct lw_export *e, const char *target, struct lw_error *err);
};

extern const struct lw_export_format lw_export_formats[]; /* ended by a row without a name */

/* What to call the model: "GPT-2", "GPT-2 with classes" or "ViT". */
const char *lw_export_model(const struct lw_export *e);

/* Tell e's listener. */
void lw_export_say(const struct lw_export *e, const char *fmt, ...) LW_PRINTF(2, 3);

#endif

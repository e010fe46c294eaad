/* SPDX-License-Identifier: MIT
 *
 * From a configuration to a model with its memory taken: training, sampling and benchmarks all
 * begin here.
 */
#ifndef LW_TRAIN_PLAN_H
#define LW_TRAIN_PLAN_H

#include <stdbool.h>

#include "engine/config/config.h"
#include "engine/model/model.h"

/* What the data asks of a model. */
struct lw_plan_data {
    int vocabulary;            /* where vocab_size leaves it open */
    int image_size;            /* 0: tokens */
    int classes;               /* 0: a language model */
    const char *const *labels; /* [classes], or NULL */
    int padding;               /* id that fills texts of classes */
};

/* Is init_from a folder with a config.json? The error says what it takes. */
LW_NODISCARD int lw_plan_check_folder(const char *folder, struct lw_error *err);

/* The model's numbers: init_from's where it is given, else the configuration's. A classifier has
 * the data's classes, whatever init_from has. */
LW_NODISCARD int lw_plan_spec(const struct lw_config *c, const struct lw_plan_data *data,
                              struct lw_model_spec *out, struct lw_error *err);

/* What a training run asks for. */
void lw_plan_shapes(const struct lw_config *c, bool evaluate, struct lw_model_plan *out);

/* Create and prepare a model. When memory does not suffice, LW_EMEM names the batch_size that
 * would fit. */
LW_NODISCARD int lw_plan_prepare(struct lw_model **out, const struct lw_model_spec *spec,
                                 const struct lw_model_plan *plan, const struct lw_backend *backend,
                                 struct lw_device *device, struct lw_error *err);

#endif

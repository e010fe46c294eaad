/* SPDX-License-Identifier: MIT
 *
 * In the place of what needs protobuf-c, in a build without it. */
#include "engine/export/onnx.h"
#include "engine/export/tensorboard.h"

static int missing(const char *what, struct lw_error *err)
{
    return lw_fail(err, LW_EMISSING,
                   "%s needs protobuf-c, which this leeway was built without: install "
                   "libprotobuf-c-dev and protobuf-c-compiler and build it again",
                   what);
}

int lw_onnx_export(const char *path, const char *checkpoint, const struct lw_model_spec *spec,
                   uint64_t step, bool *beside, struct lw_error *err)
{
    (void)path;
    (void)checkpoint;
    (void)spec;
    (void)step;
    (void)beside;
    return missing("ONNX", err);
}

int lw_tensorboard_write(const char *folder, const char *run, struct lw_tensorboard_counts *out,
                         struct lw_error *err)
{
    (void)folder;
    (void)run;
    *out = (struct lw_tensorboard_counts){0};
    return missing("TensorBoard", err);
}

/* SPDX-License-Identifier: MIT */
#include "engine/export/onnx_source.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/io.h"
#include "engine/export/onnx.h"

const char *lw_onnx_get(struct lw_onnx_source *s, const char *fmt, ...)
{
    const struct lw_tensor *t;
    char name[96];
    va_list args;

    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    if ((t = lw_safetensors_find(s->file, name)))
        return lw_onnx_weight(s->g, t);
    if (!s->missing[0])
        snprintf(s->missing, sizeof s->missing, "%s", name);
    return "";
}

struct lw_onnx_norm lw_onnx_get_norm(struct lw_onnx_source *s, const char *prefix, const char *name)
{
    return (struct lw_onnx_norm){lw_onnx_get(s, "%s.%s.weight", prefix, name),
                                 lw_onnx_get(s, "%s.%s.bias", prefix, name)};
}

struct lw_onnx_linear lw_onnx_get_linear(struct lw_onnx_source *s, const char *prefix,
                                         const char *name)
{
    return (struct lw_onnx_linear){lw_onnx_get(s, "%s.%s.weight", prefix, name),
                                   lw_onnx_get(s, "%s.%s.bias", prefix, name), s->rows};
}

int lw_onnx_export(const char *path, const char *checkpoint, const struct lw_model_spec *spec,
                   uint64_t step, bool *beside, struct lw_error *err)
{
    char *model = lw_path_join(checkpoint, "model.safetensors");
    struct lw_safetensors file = {0};
    struct lw_onnx_source s = {.file = &file, .rows = spec->image_size > 0};
    int rc = model ? lw_safetensors_open(&file, model, err)
                   : lw_fail(err, LW_EMEM, "out of memory reading %s", checkpoint);

    if (!rc && !(rc = lw_onnx_new(&s.g, spec->image_size ? "vit" : "gpt2", err))) {
        if (spec->image_size)
            lw_onnx_build_vit(&s, spec);
        else
            lw_onnx_build_gpt(&s, spec);
        lw_onnx_note(s.g, "step", "%" PRIu64, step);
        lw_onnx_note(s.g, "positions", "%d", spec->positions);
        rc = s.missing[0] ? lw_fail(err, LW_EDATA, "%s has no tensor %s", model, s.missing)
                          : lw_onnx_write(s.g, path, beside, err);
    }
    lw_onnx_free(s.g);
    lw_safetensors_close(&file);
    free(model);
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "engine/train/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/train/machine.h"

int lw_device_threads(const struct lw_config *c)
{
    struct lw_machine m;

    if (c->threads > 0)
        return c->threads;
    lw_machine_look(&m);
    return m.threads;
}

/* Where plans and searches are kept between runs: $XDG_CACHE_HOME/leeway or ~/.cache/leeway. Empty
 * where that can't be: nothing is kept then. */
static void find_cache(char *out, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    out[0] = '\0';
    if (cache && *cache == '/')
        snprintf(out, size, "%s/leeway", cache);
    else if (home && *home == '/')
        snprintf(out, size, "%s/.cache/leeway", home);
    if (out[0] && lw_make_folders(out, NULL))
        out[0] = '\0';
}

/* bf16 is for accelerators: the CPU computes in fp32 unless told otherwise. */
static enum lw_dtype precision_on(const char *backend, int precision)
{
    if (precision == LW_PRECISION_AUTO)
        return strcmp(backend, "cpu") ? LW_BF16 : LW_F32;
    return precision == LW_PRECISION_BF16 ? LW_BF16 : LW_F32;
}

static int open_named(const char *name, const struct lw_config *c, int index,
                      const struct lw_backend **backend, struct lw_device **device,
                      struct lw_error *err)
{
    char cache[1024];
    struct lw_device_options o = {
        .index = index,
        .threads = lw_device_threads(c),
        .precision = precision_on(name, c->precision),
        .compile_mode = (enum lw_compile_mode)c->compile_mode,
        .deterministic = c->deterministic,
    };

    *backend = lw_backend_find(name, err);
    if (!*backend)
        return err->code;
    find_cache(cache, sizeof cache);
    if (cache[0])
        o.cache_dir = cache;
    return (*backend)->open(device, &o, err);
}

int lw_device_open(const struct lw_config *c, const struct lw_backend **backend,
                   struct lw_device **device, char *note, size_t note_size, struct lw_error *err)
{
    const size_t n = strcspn(c->device, ":"); /* "cuda:3" is backend "cuda", index 3 */
    char name[32];
    int rc = LW_EMISSING;

    note[0] = '\0';
    if (strcmp(c->device, "auto") != 0) {
        snprintf(name, sizeof name, "%.*s", (int)n, c->device);
        return open_named(name, c, c->device[n] ? atoi(c->device + n + 1) : 0, backend, device,
                          err);
    }
    for (int i = 0; lw_backend_names[i]; i++) {
        rc = open_named(lw_backend_names[i], c, 0, backend, device, err);
        if (!rc)
            return 0;
        if (!note[0] && lw_config_sees_gpu())
            snprintf(note, note_size, "the GPU is not used: %.200s", err->text);
    }
    return rc;
}

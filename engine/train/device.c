/* SPDX-License-Identifier: MIT */
#include "engine/train/device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/gpu/choose.h"
#include "engine/train/machine.h"

#define MOST_GPUS 32

int lw_device_threads(const struct lw_config *c, int ranks)
{
    struct lw_machine m;

    if (c->threads > 0)
        return c->threads;
    lw_machine_look(&m);
    return m.threads > ranks ? m.threads / ranks : 1;
}

/* Launchers may show each rank its own GPU alone: then it is the first there is. -1: any. */
static int own_gpu(int rank, int ranks)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");

    if (ranks == 1)
        return -1;
    return visible && *visible && !strchr(visible, ',') ? 0 : rank;
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

LW_PRINTF(2, 3) static void note(struct lw_notes *notes, const char *format, ...)
{
    va_list args;

    if (notes->count == (int)(sizeof notes->line / sizeof *notes->line))
        return;
    va_start(args, format);
    vsnprintf(notes->line[notes->count++], sizeof *notes->line, format, args);
    va_end(args);
}

int lw_device_pick(const struct lw_device_info *list, int count, int wanted, struct lw_notes *notes)
{
    struct lw_gpu_load load[MOST_GPUS];
    struct lw_nvml *nvml = NULL;
    struct lw_error ignored;
    char text[280];
    int i = wanted;

    if (count > MOST_GPUS)
        count = MOST_GPUS;
    if (count < 1 || wanted >= count)
        return wanted < 0 ? 0 : wanted;
    if (lw_nvml_open(&nvml, &ignored))
        nvml = NULL;
    for (int k = 0; k < count; k++)
        lw_gpu_look(nvml, list[k].pci, &load[k]);
    lw_nvml_close(nvml);
    if (i < 0)
        i = lw_gpu_choose(load, count);
    if (!lw_gpu_busy(&load[i]))
        return i;
    lw_gpu_load_text(&load[i], text, sizeof text);
    if (wanted < 0 && count > 1)
        note(notes, "all %d GPUs are busy; cuda:%d, with the most free memory, is %s", count, i,
             text);
    else
        note(notes, "cuda:%d is %s", i, text);
    return i;
}

/* index -1: whichever is idle. */
static int open_named(const char *name, const struct lw_config *c, int index, int ranks,
                      const struct lw_backend **backend, struct lw_device **device,
                      struct lw_notes *notes, struct lw_error *err)
{
    struct lw_device_info list[MOST_GPUS];
    char cache[1024];
    struct lw_device_options o = {
        .threads = lw_device_threads(c, ranks),
        .precision = precision_on(name, c->precision),
        .compile_mode = (enum lw_compile_mode)c->compile_mode,
        .deterministic = c->deterministic,
    };

    *backend = lw_backend_find(name, err);
    if (!*backend)
        return err->code;
    if ((*backend)->list)
        o.index = lw_device_pick(list, (*backend)->list(list, MOST_GPUS), index, notes);
    find_cache(cache, sizeof cache);
    if (cache[0])
        o.cache_dir = cache;
    return (*backend)->open(device, &o, err);
}

int lw_device_open(const struct lw_config *c, int rank, int ranks,
                   const struct lw_backend **backend, struct lw_device **device,
                   struct lw_notes *notes, struct lw_error *err)
{
    const size_t n = strcspn(c->device, ":"); /* "cuda:3" is backend "cuda", index 3 */
    char name[32];
    int rc = LW_EMISSING;

    notes->count = 0;
    if (strcmp(c->device, "auto") != 0) {
        snprintf(name, sizeof name, "%.*s", (int)n, c->device);
        if (c->device[n] && ranks > 1)
            return lw_fail(err, LW_EUSAGE,
                           "device=%s is one GPU, and %d ranks train on this host: use device=cuda",
                           c->device, ranks);
        return open_named(name, c, c->device[n] ? atoi(c->device + n + 1) : own_gpu(rank, ranks),
                          ranks, backend, device, notes, err);
    }
    for (int i = 0; lw_backend_names[i]; i++) {
        rc = open_named(lw_backend_names[i], c, own_gpu(rank, ranks), ranks, backend, device, notes,
                        err);
        if (!rc)
            return 0;
        notes->count = 0; /* of a device that is not taken */
        if (lw_config_sees_gpu())
            note(notes, "the GPU is not used: %.200s", err->text);
    }
    return rc;
}

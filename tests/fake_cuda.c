/* SPDX-License-Identifier: MIT
 *
 * A stand-in for libleeway-cuda.so: two GPUs whose ops the CPU computes. For tests of what lies
 * around a backend: choosing, telemetry, errors. LEEWAY_FAKE_GPU says what it does otherwise:
 * "memory=BYTES" (free on each), "batch=N" (more does not find room beside the plan), "fail=STEP"
 * (an op fails in that step), "old" (it is of another version of leeway).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ops/ops.h"
#include "engine/ops/peaks.h"

#define NAME "NVIDIA H100 80GB HBM3"

extern struct lw_backend lw_backend_module;
extern size_t lw_backend_module_layout[];
struct lw_backend lw_backend_module;
size_t lw_backend_module_layout[] = LW_OPS_LAYOUT;

static int index_open;
static uint64_t step_now;

static unsigned long long knob(const char *name)
{
    const char *text = getenv("LEEWAY_FAKE_GPU"), *at = text ? strstr(text, name) : NULL;

    return at ? strtoull(at + strlen(name) + 1, NULL, 10) : 0;
}

static void pci_of(int index, char *out, size_t size)
{
    snprintf(out, size, "0000:%02x:00.0", 0x1a + 0x10 * index);
}

static int list(struct lw_device_info *out, int max)
{
    for (int i = 0; i < 2 && i < max; i++) {
        memset(&out[i], 0, sizeof out[i]);
        snprintf(out[i].name, sizeof out[i].name, "%s", NAME);
        pci_of(i, out[i].pci, sizeof out[i].pci);
    }
    return 2;
}

static int open_device(struct lw_device **dev, const struct lw_device_options *opt,
                       struct lw_error *err)
{
    struct lw_device_options o = *opt;

    if (o.index > 1)
        return lw_fail(err, LW_EUSAGE, "cuda:%d does not exist: there are 2", o.index);
    index_open = o.index;
    o.precision = LW_F32;
    return lw_backend_cpu.open(dev, &o, err);
}

static void info(struct lw_device *dev, struct lw_device_info *out)
{
    lw_backend_cpu.info(dev, out);
    snprintf(out->name, sizeof out->name, "%s", NAME);
    pci_of(index_open, out->pci, sizeof out->pci);
    out->backend = "cuda";
    out->peak_flops = lw_peak_flops(NAME, LW_BF16);
    if (knob("memory"))
        out->memory_total = out->memory_free = (size_t)knob("memory");
}

static void set_step(struct lw_device *dev, const struct lw_step *step)
{
    step_now = step->step;
    lw_backend_cpu.set_step(dev, step);
}

static int prepare(struct lw_device *dev, const struct lw_shapes *shapes, struct lw_error *err)
{
    if (knob("batch") && shapes->batch > (int)knob("batch"))
        return lw_fail(err, LW_EMEM, "out of memory on " NAME ": 1.00 GiB wanted, 0.10 free");
    return lw_backend_cpu.prepare(dev, shapes, err);
}

static int collect(struct lw_device *dev, bool wait, struct lw_result *out, struct lw_error *err)
{
    if (knob("fail") && step_now >= knob("fail"))
        return lw_fail(err, LW_EBACKEND,
                       "norm failed on " NAME " at step %llu: an illegal memory access was "
                       "encountered (cudaErrorIllegalAddress, 700)",
                       (unsigned long long)step_now);
    return lw_backend_cpu.collect(dev, wait, out, err);
}

__attribute__((constructor)) static void fill(void)
{
    const char *told = getenv("LEEWAY_FAKE_GPU");

    if (told && strcmp(told, "old") == 0)
        lw_backend_module_layout[1] -= sizeof(void *);
    lw_backend_module = lw_backend_cpu;
    lw_backend_module.name = "cuda";
    lw_backend_module.open = open_device;
    lw_backend_module.list = list;
    lw_backend_module.info = info;
    lw_backend_module.set_step = set_step;
    lw_backend_module.prepare = prepare;
    lw_backend_module.collect = collect;
}

/* SPDX-License-Identifier: MIT
 *
 * A stand-in for libnvidia-ml.so.1. Written from NVML's published interface, apart from the code
 * that it tests.
 */
#include "tests/fake_nvml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, LOST = 15 };

extern struct fake_nvml fake_nvml;
struct fake_nvml fake_nvml;

/* In a program whose test can't reach in: LEEWAY_FAKE_NVML plugs in one card at 0000:2a:00.0 and a
 * busy one at 0000:1a:00.0. */
__attribute__((constructor)) static void plug(void)
{
    static const struct fake_card idle = {.bus = 0x2a,
                                          .name = "NVIDIA H100 80GB HBM3",
                                          .used = 700000000,
                                          .total = 80000000000,
                                          .utilization = 3,
                                          .power_mw = 412000,
                                          .limit_mw = 700000,
                                          .temperature = 57,
                                          .clock = 1755,
                                          .reasons = 0x20};

    if (!getenv("LEEWAY_FAKE_NVML"))
        return;
    fake_nvml = (struct fake_nvml){
        .cards = 2, .card = {idle, idle}, .no_power = true, .process_name = "python3"};
    fake_nvml.card[1].bus = 0x1a;
    fake_nvml.card[1].pid[0] = 4242;
}

/* The linker must find them, and nothing else calls them. */
#define NVML(name, ...)                                                                            \
    int name(__VA_ARGS__);                                                                         \
    int name(__VA_ARGS__)

NVML(nvmlInit_v2, void)
{
    fake_nvml.inits += fake_nvml.init == OK;
    return fake_nvml.init;
}

NVML(nvmlShutdown, void)
{
    fake_nvml.shutdowns++;
    return OK;
}

const char *nvmlErrorString(int code);
const char *nvmlErrorString(int code)
{
    return code == 9 ? "Driver Not Loaded" : "Something Else";
}

NVML(nvmlSystemGetDriverVersion, char *out, unsigned size)
{
    snprintf(out, size, "580.65.06\033[2J");
    return OK;
}

NVML(nvmlDeviceGetCount_v2, unsigned *count)
{
    *count = (unsigned)fake_nvml.cards;
    return OK;
}

NVML(nvmlDeviceGetHandleByIndex_v2, unsigned i, void **card)
{
    if (i >= (unsigned)fake_nvml.cards)
        return INVALID;
    *card = &fake_nvml.card[i];
    return OK;
}

NVML(nvmlDeviceGetHandleByPciBusId_v2, const char *id, void **card)
{
    unsigned domain, bus, device;

    if (sscanf(id, "%x:%x:%x", &domain, &bus, &device) != 3)
        return INVALID;
    for (int i = 0; i < fake_nvml.cards; i++)
        if (!domain && !device && fake_nvml.card[i].bus == bus) {
            *card = &fake_nvml.card[i];
            return OK;
        }
    return NOT_FOUND;
}

NVML(nvmlDeviceGetName, void *card, char *out, unsigned size)
{
    snprintf(out, size, "%s", ((struct fake_card *)card)->name);
    return OK;
}

NVML(nvmlDeviceGetPciInfo_v3, void *card, void *out)
{
    struct {
        char legacy[16];
        unsigned domain, bus, device, id, subsystem;
        char text[32];
    } info = {.bus = ((struct fake_card *)card)->bus};

    memcpy(out, &info, sizeof info);
    return OK;
}

NVML(nvmlDeviceGetMemoryInfo_v2, void *card, void *out)
{
    const struct fake_card *c = card;
    struct {
        unsigned version;
        unsigned long long total, reserved, free, used;
    } *info = out;

    if (c->dumb || fake_nvml.old_memory || info->version != (sizeof *info | 2 << 24))
        return c->dumb ? LOST : 25;
    info->total = c->total;
    info->reserved = c->reserved;
    info->used = c->used;
    info->free = c->total - c->used - c->reserved;
    return OK;
}

NVML(nvmlDeviceGetMemoryInfo, void *card, unsigned long long out[3])
{
    const struct fake_card *c = card;

    if (c->dumb)
        return LOST;
    out[0] = c->total;
    out[1] = c->total - c->used - c->reserved;
    out[2] = c->used + c->reserved;
    return OK;
}

NVML(nvmlDeviceGetUtilizationRates, void *card, unsigned out[2])
{
    const struct fake_card *c = card;

    fake_nvml.samples++;
    if (c->dumb || fake_nvml.no_utilization)
        return UNSUPPORTED;
    out[0] = c->utilization;
    out[1] = 99;
    return OK;
}

static int tell(const struct fake_card *c, unsigned value, unsigned *out)
{
    if (c->dumb)
        return LOST;
    *out = value;
    return OK;
}

NVML(nvmlDeviceGetPowerUsage, const struct fake_card *c, unsigned *out)
{
    return fake_nvml.no_power ? UNSUPPORTED : tell(c, c->power_mw, out);
}

NVML(nvmlDeviceGetEnforcedPowerLimit, const struct fake_card *c, unsigned *out)
{
    return fake_nvml.no_power ? UNSUPPORTED : tell(c, c->limit_mw, out);
}

NVML(nvmlDeviceGetTemperature, const struct fake_card *c, unsigned sensor, unsigned *out)
{
    return sensor ? INVALID : tell(c, c->temperature, out);
}

NVML(nvmlDeviceGetClockInfo, const struct fake_card *c, unsigned which, unsigned *out)
{
    return which != 1 ? INVALID : tell(c, c->clock, out);
}

NVML(nvmlDeviceGetCurrentClocksThrottleReasons, const struct fake_card *c, unsigned long long *out)
{
    *out = c->reasons;
    return c->dumb ? LOST : OK;
}

NVML(nvmlDeviceGetComputeRunningProcesses_v3, const struct fake_card *c, unsigned *count, void *out)
{
    struct {
        unsigned pid;
        unsigned long long memory;
        unsigned gpu, compute;
    } *list = out;
    unsigned n = 0, room = *count;

    if (c->dumb || fake_nvml.no_processes)
        return UNSUPPORTED;
    while (n < FAKE_PROCESSES && c->pid[n])
        n++;
    *count = n;
    if (n > room)
        return TOO_SMALL;
    for (unsigned i = 0; i < n; i++) {
        list[i].pid = c->pid[i];
        list[i].memory = c->process_bytes[i];
        list[i].gpu = list[i].compute = ~0u;
    }
    return OK;
}

NVML(nvmlSystemGetProcessName, unsigned pid, char *out, unsigned size)
{
    (void)pid;
    if (fake_nvml.no_names)
        return NOT_FOUND;
    snprintf(out, size, "%s", fake_nvml.process_name);
    return OK;
}

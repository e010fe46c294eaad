/* SPDX-License-Identifier: MIT */
#include "engine/gpu/choose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BUSY_PERCENT 10.0

void lw_gpu_look(struct lw_nvml *nvml, const char *pci, struct lw_gpu_load *out)
{
    void *card = nvml && pci[0] ? lw_nvml_card(nvml, pci) : NULL;

    memset(out, 0, sizeof *out);
    out->processes = -1;
    if (!card)
        return;
    out->known = true;
    lw_nvml_sample(nvml, card, &out->sample);
    out->processes = lw_nvml_processes(nvml, card, out->process, LW_GPU_USERS);
}

bool lw_gpu_busy(const struct lw_gpu_load *load)
{
    const struct lw_gpu_sample *s = &load->sample;

    if (!load->known)
        return false;
    return load->processes > 0 || s->utilization >= BUSY_PERCENT ||
           100.0 * s->memory_mb >= BUSY_PERCENT * s->memory_total_mb;
}

static double free_mb(const struct lw_gpu_load *load)
{
    double mb = load->sample.memory_total_mb - load->sample.memory_mb;

    return load->known && isfinite(mb) ? mb : -1.0;
}

int lw_gpu_choose(const struct lw_gpu_load *load, int count)
{
    int best = 0;

    for (int i = 0; i < count; i++)
        if (!lw_gpu_busy(&load[i]))
            return i;
    for (int i = 1; i < count; i++)
        if (free_mb(&load[i]) > free_mb(&load[best]))
            best = i;
    return best;
}

void lw_gpu_load_text(const struct lw_gpu_load *load, char *out, size_t size)
{
    const struct lw_gpu_sample *s = &load->sample;
    int shown = load->processes < LW_GPU_USERS ? load->processes : LW_GPU_USERS, n;

    n = snprintf(out, size, load->processes > 0 ? "in use by" : "busy:");
    for (int i = 0; i < shown && (size_t)n < size; i++) {
        const struct lw_gpu_process *p = &load->process[i];

        n += snprintf(out + n, size - (size_t)n, "%s %s (pid %d", i ? "," : "", p->name, p->pid);
        if (isfinite(p->memory_mb) && (size_t)n < size)
            n += snprintf(out + n, size - (size_t)n, ", %.0f MB", p->memory_mb);
        if ((size_t)n < size)
            n += snprintf(out + n, size - (size_t)n, ")");
    }
    if (load->processes > shown && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, " and %d more", load->processes - shown);
    if (load->processes > 0 || (size_t)n >= size)
        return;
    if (isfinite(s->utilization))
        n += snprintf(out + n, size - (size_t)n, " %.0f %% of its time", s->utilization);
    if (isfinite(s->memory_mb) && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "%s %.0f of %.0f MB",
                 isfinite(s->utilization) ? "," : "", s->memory_mb, s->memory_total_mb);
}

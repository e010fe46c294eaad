/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Large pieces are mapped on 2 MiB boundaries, so that the kernel can back them with huge pages. */
enum { HUGE = 2 << 20, PAGE = 4096 };

struct lw_cpu_block {
    struct lw_cpu_block *next;
    char *start; /* what the caller has */
    void *map;   /* what mmap gave */
    size_t mapped;
};

void lw_cpu_memory(size_t *total, size_t *available)
{
    FILE *f = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long kib;

    *total = *available = 0;
    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "MemTotal: %lu kB", &kib) == 1)
            *total = (size_t)kib * 1024;
        else if (sscanf(line, "MemAvailable: %lu kB", &kib) == 1)
            *available = (size_t)kib * 1024;
    }
    fclose(f);
}

static int out_of_memory(size_t bytes, size_t available, struct lw_error *err)
{
    if (!available)
        return lw_fail(err, LW_EMEM, "out of memory: %zu MiB wanted (%zu bytes)", bytes >> 20,
                       bytes);
    return lw_fail(err, LW_EMEM, "out of memory: %zu MiB wanted (%zu bytes), %zu MiB available",
                   bytes >> 20, bytes, available >> 20);
}

/* First touch by the threads that will use it, and before the first step. */
static void touch(struct lw_device *dev, char *start, size_t bytes)
{
    size_t pages = (bytes + PAGE - 1) / PAGE;

#pragma omp parallel for num_threads(dev->threads) schedule(static) if (bytes > HUGE)
    for (size_t i = 0; i < pages; i++)
        *(volatile char *)(start + i * PAGE) = 0;
}

int lw_cpu_alloc(struct lw_device *dev, size_t bytes, void **out, struct lw_error *err)
{
    size_t total, available, slack = bytes >= HUGE ? HUGE : 0;
    struct lw_cpu_block *b;

    *out = NULL;
    if (!bytes)
        bytes = 1;
    lw_cpu_memory(&total, &available);
    if ((available && bytes > available) || bytes > SIZE_MAX - 2 * (size_t)HUGE)
        return out_of_memory(bytes, available, err);
    b = calloc(1, sizeof(*b));
    if (!b)
        return out_of_memory(bytes, available, err);
    b->mapped = (bytes + PAGE - 1) / PAGE * PAGE + slack;
    b->map = mmap(NULL, b->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->map == MAP_FAILED) {
        free(b);
        return out_of_memory(bytes, available, err);
    }
    b->start = b->map;
    if (slack) {
        b->start = (char *)(((uintptr_t)b->map + HUGE - 1) / HUGE * HUGE);
        madvise(b->map, b->mapped, MADV_HUGEPAGE);
    }
    b->next = dev->blocks;
    dev->blocks = b;
    touch(dev, b->start, bytes);
    *out = b->start;
    return 0;
}

void lw_cpu_release(struct lw_device *dev, void *p)
{
    for (struct lw_cpu_block **at = &dev->blocks; *at; at = &(*at)->next) {
        struct lw_cpu_block *b = *at;

        if (b->start != p)
            continue;
        *at = b->next;
        munmap(b->map, b->mapped);
        free(b);
        return;
    }
}

void lw_cpu_release_all(struct lw_device *dev)
{
    while (dev->blocks)
        lw_cpu_release(dev, dev->blocks->start);
}

/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/device.h"

enum { COUNT, SQUARE, CROSS, NOW };

static uint64_t *row_of(uint64_t *table, int32_t id, int32_t target, int classes)
{
    bool counts = target != LW_IGNORED && id >= 0 && id < classes;

    return counts ? table + (size_t)id * LW_TALLY_COLUMNS : NULL;
}

/* A class is met as often as it was counted: the first time takes the count, and leaves none. */
static void add_unit(uint64_t *table, int classes, const int32_t *ids, const int32_t *targets,
                     int length)
{
    uint64_t *all = table + (size_t)classes * LW_TALLY_COLUMNS, *row, n = 0;

    for (int i = 0; i < length; i++)
        if ((row = row_of(table, ids[i], targets[i], classes))) {
            row[NOW]++;
            n++;
        }
    for (int i = 0; n && i < length; i++)
        if ((row = row_of(table, ids[i], targets[i], classes))) {
            uint64_t x = row[NOW];

            row[COUNT] += x;
            row[SQUARE] += x * x;
            row[CROSS] += x * n;
            row[NOW] = 0;
        }
    all[COUNT] += n;
    all[SQUARE] += n > 0;
    all[CROSS] += n * n;
}

void lw_cpu_tally(struct lw_device *dev, int units, int length, int classes, uint64_t *table,
                  const int32_t *ids, const int32_t *targets)
{
    (void)dev;
    for (int u = 0; u < units; u++)
        add_unit(table, classes, ids + (size_t)u * (size_t)length,
                 targets + (size_t)u * (size_t)length, length);
}

void lw_cpu_tally_move(struct lw_device *dev, uint64_t *to, uint64_t *from, size_t count)
{
    (void)dev;
    for (size_t i = 0; i < count; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

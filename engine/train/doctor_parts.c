/* SPDX-License-Identifier: MIT */
#include "engine/train/doctor_parts.h"

#include <config.h>
#include <stdbool.h>
#include <stdio.h>

static const struct part {
    const char *name;
    bool built;
    const char *what_for, *packages;
} parts[] = {LW_PARTS};

#define PARTS (sizeof parts / sizeof parts[0])

json_t *lw_doctor_parts(void)
{
    json_t *report = json_object();

    for (size_t i = 0; i < PARTS; i++)
        json_object_set_new(report, parts[i].name, json_boolean(parts[i].built));
    return report;
}

void lw_doctor_print_parts(void)
{
    const char *before = "built with  ";

    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].built) {
            printf("%s%s", before, parts[i].name);
            before = ", ";
        }
    if (*before == ',')
        putchar('\n');
    for (size_t i = 0; i < PARTS; i++)
        if (!parts[i].built)
            printf("without     %s (%s): install %s and build leeway again\n", parts[i].name,
                   parts[i].what_for, parts[i].packages);
}

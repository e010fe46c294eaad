/* SPDX-License-Identifier: MIT */
#include "engine/model/name_list.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MORE_ROOM 24 /* for " and 1234567 more" */

void lw_name_list_add(struct lw_name_list *l, const char *name)
{
    l->count++;
    if (l->kept == LW_NAME_LIST_MAX)
        return;
    if (!l->name && !(l->name = calloc(LW_NAME_LIST_MAX, sizeof *l->name)))
        return;
    if ((l->name[l->kept] = strdup(name)))
        l->kept++;
}

void lw_name_list_free(struct lw_name_list *l)
{
    for (int i = 0; i < l->kept; i++)
        free(l->name[i]);
    free(l->name);
    *l = (struct lw_name_list){0};
}

/* A name in three parts: "transformer.h.", 3, ".ln_1.bias". */
struct parts {
    size_t before; /* bytes before the number */
    int number;    /* -1: there is none, and before is all of it */
    const char *after;
};

static struct parts split(const char *name)
{
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t digits = strspn(dot + 1, "0123456789");

        if (digits && digits < 8 && dot[1 + digits] == '.')
            return (struct parts){(size_t)(dot + 1 - name), atoi(dot + 1), dot + 1 + digits};
    }
    return (struct parts){strlen(name), -1, name + strlen(name)};
}

static bool alike(const char *a, const char *b)
{
    struct parts x = split(a), y = split(b);

    return x.number >= 0 && y.number >= 0 && x.before == y.before && !memcmp(a, b, x.before) &&
           !strcmp(x.after, y.after);
}

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* "0-3,5" of sorted numbers. */
static void tell_numbers(char *out, size_t size, const int *number, int count)
{
    size_t used = 0;

    for (int i = 0, last; i < count && used < size; i = last + 1) {
        for (last = i; last + 1 < count && number[last + 1] <= number[last] + 1;)
            last++;
        used +=
            (size_t)snprintf(out + used, size - used, number[last] > number[i] ? "%s%d-%d" : "%s%d",
                             i ? "," : "", number[i], number[last]);
    }
}

/* Name i with all later ones that are like it, which are marked; returns how many these are. */
static int tell_group(const struct lw_name_list *l, int i, bool *told, char *out, size_t size)
{
    struct parts p = split(l->name[i]);
    int *number = malloc((size_t)l->kept * sizeof *number), count = 0;
    char ranges[64] = "";

    for (int j = i; j < l->kept; j++) {
        if (j != i && (told[j] || !number || !alike(l->name[i], l->name[j])))
            continue;
        told[j] = true;
        if (number)
            number[count] = split(l->name[j]).number;
        count++;
    }
    if (p.number >= 0 && number) {
        qsort(number, (size_t)count, sizeof *number, ascending);
        tell_numbers(ranges, sizeof ranges, number, count);
        snprintf(out, size, "%.*s%s%s", (int)p.before, l->name[i], ranges, p.after);
    } else {
        snprintf(out, size, "%s", l->name[i]);
    }
    free(number);
    return count;
}

size_t lw_name_list_tell(const struct lw_name_list *l, const char *what, char *out, size_t size)
{
    bool *told = calloc((size_t)l->kept + 1, sizeof *told);
    int shown = 0;
    size_t used;

    if (!l->count) {
        free(told);
        return 0;
    }
    used = (size_t)snprintf(out, size, "\n%s (%d): ", what, l->count);
    for (int i = 0; told && i < l->kept; i++) {
        char group[320];
        int count;

        if (told[i])
            continue;
        count = tell_group(l, i, told, group, sizeof group);
        if (used + strlen(group) + MORE_ROOM >= size)
            break;
        used += (size_t)snprintf(out + used, size - used, "%s%s", shown ? ", " : "", group);
        shown += count;
    }
    if (shown < l->count && used < size)
        used += (size_t)snprintf(out + used, size - used, "%s%d more", shown ? " and " : "",
                                 l->count - shown);
    free(told);
    return used < size ? used : size - 1;
}

/* SPDX-License-Identifier: MIT */
#include "engine/guard/devices.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"

static void name_one(struct lw_devices *d, const char *text)
{
    size_t used = strlen(d->names);

    if (d->count < LW_DEVICES_NAMED)
        snprintf(d->names + used, sizeof(d->names) - used, "%s%s", d->count ? ", " : "", text);
    else if (d->count == LW_DEVICES_NAMED)
        snprintf(d->names + used, sizeof(d->names) - used, ", ...");
    d->count++;
}

/* "Model: 		 NVIDIA H100 80GB HBM3" of one card. */
static void model_of(const char *folder, char *out, size_t size)
{
    char path[2 * PATH_MAX], *text = NULL, *line;
    size_t n;

    snprintf(out, size, "?");
    snprintf(path, sizeof(path), "%s/information", folder);
    if (lw_read_file(path, 1 << 16, &text, &n, NULL) < 0)
        return;
    line = strstr(text, "Model:");
    if (line) {
        line += strlen("Model:");
        line += strspn(line, " \t");
        lw_text_clean(line, strcspn(line, "\n"), out, size);
    }
    free(text);
}

static int is_card(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* How many entries of CUDA_VISIBLE_DEVICES count: up to the first that is no card. */
static int visible_count(const char *list, int cards)
{
    int count = 0;

    while (*list) {
        char *end;
        long n = strtol(list, &end, 10);

        if (end == list ? strncmp(list, "GPU-", 4) && strncmp(list, "MIG-", 4)
                        : n < 0 || n >= cards)
            break;
        count++;
        list += strcspn(list, ",");
        list += *list == ',';
    }
    return count;
}

void lw_devices_cards(struct lw_devices *d, const char *proc, const char *visible)
{
    char folder[PATH_MAX], card[PATH_MAX + 256], model[64], text[96];
    struct dirent **entry;
    int cards, limit;

    *d = (struct lw_devices){.gpu = true};
    snprintf(folder, sizeof(folder), "%s/driver/nvidia/gpus", proc);
    cards = scandir(folder, &entry, is_card, alphasort); /* PCI addresses: CUDA's order by default
                                                            is close to it, and only names differ */
    limit = visible && cards > 0 ? visible_count(visible, cards) : cards;
    for (int i = 0; i < cards; i++) {
        if (i < limit) {
            snprintf(card, sizeof(card), "%s/%s", folder, entry[i]->d_name);
            model_of(card, model, sizeof(model));
            snprintf(text, sizeof(text), visible ? "cuda:%d" : "cuda:%d (%s)", i, model);
            name_one(d, text);
        }
        free(entry[i]);
    }
    if (cards >= 0)
        free(entry);
}

void lw_devices_processors(struct lw_devices *d)
{
    cpu_set_t set;
    char text[32];

    *d = (struct lw_devices){.gpu = false};
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        CPU_SET(0, &set);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) {
            snprintf(text, sizeof(text), "%s%d", d->count ? "" : "processors ", i);
            name_one(d, text);
        }
}

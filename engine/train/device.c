/* SPDX-License-Identifier: MIT */
#include "engine/train/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/train/machine.h"

int lw_device_threads(const struct lw_config *c)
{
    struct lw_machine m;

    if (c->threads > 0)
        return c->threads;
    lw_machine_look(&m);
    return m.threads;
}

/* "cuda:3" is backend "cuda" and index 3. */
static const struct lw_backend *find_backend(const char *device, int *index)
{
    size_t n = strcspn(device, ":");

    *index = device[n] ? atoi(device + n + 1) : 0;
    for (const struct lw_backend *const *b = lw_backends; *b; b++)
        if (strlen((*b)->name) == n && strncmp((*b)->name, device, n) == 0)
            return *b;
    return NULL;
}

int lw_device_open(const struct lw_config *c, const struct lw_backend **backend,
                   struct lw_device **device, char *note, size_t note_size, struct lw_error *err)
{
    struct lw_device_options o = {
        .threads = lw_device_threads(c),
        .precision = c->precision == LW_PRECISION_BF16 ? LW_BF16 : LW_F32,
        .compile_mode = (enum lw_compile_mode)c->compile_mode,
        .deterministic = c->deterministic,
    };
    int rc = LW_EMISSING;

    note[0] = '\0';
    if (strcmp(c->device, "auto") != 0) {
        *backend = find_backend(c->device, &o.index);
        if (!*backend)
            return lw_fail(err, LW_EMISSING,
                           "device: this leeway has no %s backend; use device=cpu", c->device);
        return (*backend)->open(device, &o, err);
    }
    for (const struct lw_backend *const *b = lw_backends; *b; b++) {
        rc = (*b)->open(device, &o, err);
        *backend = *b;
        if (!rc)
            return 0;
        if (!note[0] && err)
            snprintf(note, note_size, "device %s is not used: %.200s", (*b)->name, err->text);
    }
    return rc;
}

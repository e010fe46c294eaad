/* SPDX-License-Identifier: MIT */
#include "engine/ops/ops.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/module.h"

#define MODULE "libleeway-cuda.so"

static const struct lw_backend *find_cuda(struct lw_error *err)
{
    static const size_t layout[] = LW_OPS_LAYOUT;
    const struct lw_backend *backend;
    const size_t *theirs;
    char why[512];
    void *module = lw_module_open(MODULE, why, sizeof why);

    if (!module) {
        lw_fail(err, LW_EMISSING, "no CUDA: " MODULE ": %s", why);
        return NULL;
    }
    backend = dlsym(module, "lw_backend_module");
    theirs = dlsym(module, "lw_backend_module_layout");
    if (backend && theirs && theirs[0] == layout[0] && !memcmp(theirs, layout, sizeof layout))
        return backend;
    lw_fail(err, LW_EMISSING,
            "no CUDA: " MODULE " is of another version of leeway; build or install both again");
    return NULL;
}

const char *const lw_backend_names[] = {"cuda", "cpu", NULL};

const struct lw_backend *lw_backend_find(const char *name, struct lw_error *err)
{
    const char *only = getenv("LEEWAY_BACKEND");

    if (only && *only && strcmp(only, name) != 0) {
        lw_fail(err, LW_EMISSING, "LEEWAY_BACKEND=%s leaves out %s", only, name);
        return NULL;
    }
    if (strcmp(name, "cpu") == 0)
        return &lw_backend_cpu;
    if (strcmp(name, "cuda") == 0)
        return find_cuda(err);
    lw_fail(err, LW_EUSAGE, "there is no backend %s: cpu and cuda are known", name);
    return NULL;
}

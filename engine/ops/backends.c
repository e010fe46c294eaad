/* SPDX-License-Identifier: MIT */
#include "engine/ops/ops.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "libleeway-cuda.so"

/* The folder of the library this code is in; in a build that is .libs, below where modules are. */
static void own_folder(char *out, size_t size)
{
    Dl_info info;
    char *slash;

    out[0] = '\0';
    if (!dladdr((void *)(uintptr_t)own_folder, &info) || !info.dli_fname)
        return;
    snprintf(out, size, "%s", info.dli_fname);
    slash = strrchr(out, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(out, size, ".");
}

static void *open_module(char *tried, size_t size)
{
    const char *chosen = getenv("LEEWAY_MODULES");
    char own[2048], parent[2056], path[4096];
    const char *places[] = {chosen, own, parent, LW_MODULE_DIR};

    own_folder(own, sizeof own);
    snprintf(parent, sizeof parent, "%s/..", own);
    snprintf(tried, size, "it is not part of this build");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        void *module;

        if (!places[i] || !*places[i])
            continue;
        snprintf(path, sizeof path, "%s/" MODULE, places[i]);
        if (access(path, R_OK) < 0)
            continue;
        module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (module)
            return module;
        snprintf(tried, size, "%s", dlerror());
    }
    return NULL;
}

static const struct lw_backend *find_cuda(struct lw_error *err)
{
    const struct lw_backend *backend;
    char why[512];
    void *module = open_module(why, sizeof why);

    if (!module) {
        lw_fail(err, LW_EMISSING, "no CUDA: " MODULE ": %s", why);
        return NULL;
    }
    backend = dlsym(module, "lw_backend_module");
    if (!backend)
        lw_fail(err, LW_EMISSING, "no CUDA: " MODULE " is of another version of leeway");
    return backend;
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

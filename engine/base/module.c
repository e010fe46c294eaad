/* SPDX-License-Identifier: MIT */
#include "engine/base/module.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void *lw_module_open(const char *file, char *why, size_t size)
{
    const char *chosen = getenv("LEEWAY_MODULES");
    char own[2048], parent[2056], path[4096];
    const char *places[] = {chosen, own, parent, LW_MODULE_DIR};

    own_folder(own, sizeof own);
    snprintf(parent, sizeof parent, "%s/..", own);
    snprintf(why, size, "it is not part of this build");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        void *module;

        if (!places[i] || !*places[i])
            continue;
        snprintf(path, sizeof path, "%s/%s", places[i], file);
        if (access(path, R_OK) < 0)
            continue;
        module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (module)
            return module;
        snprintf(why, size, "%s", dlerror());
    }
    return NULL;
}

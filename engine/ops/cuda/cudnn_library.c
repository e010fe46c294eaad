/* SPDX-License-Identifier: MIT */
#include "engine/ops/cuda/cudnn_library.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where pip installs libraries: environments, users, systems. %s is $HOME or an environment. */
static const char *const pip_places[] = {
    "%s/lib/python3*/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "%s/.local/lib/python3*/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "%s/.venv/lib/python3*/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "/usr/local/lib/python3*/*-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "/usr/lib/python3*/*-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "/opt/*/lib/python3*/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
    "/opt/*/.venv/lib/python3*/site-packages/nvidia/cudnn/lib/libcudnn.so.9",
};

static bool load_symbols(struct lw_cudnn *lib)
{
    const struct {
        void *slot;
        const char *name;
    } wanted[] = {
        {&lib->create, "cudnnCreate"},
        {&lib->destroy, "cudnnDestroy"},
        {&lib->set_stream, "cudnnSetStream"},
        {&lib->last_error, "cudnnGetLastErrorString"},
        {&lib->make, "cudnnBackendCreateDescriptor"},
        {&lib->drop, "cudnnBackendDestroyDescriptor"},
        {&lib->finalize, "cudnnBackendFinalize"},
        {&lib->set, "cudnnBackendSetAttribute"},
        {&lib->get, "cudnnBackendGetAttribute"},
        {&lib->execute, "cudnnBackendExecute"},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        void *symbol = dlsym(lib->library, wanted[i].name);

        if (!symbol)
            return false;
        memcpy(wanted[i].slot, &symbol, sizeof symbol);
    }
    return true;
}

/* The version of the library at path, 0 where it cannot be opened. It stays open: cuDNN's parts
 * do not survive being unloaded and another version being loaded beside them. */
static size_t version_at(const char *path)
{
    struct stat st;
    char real[512];
    size_t n;
    int major, minor, patch;

    if (!realpath(path, real) || stat(real, &st))
        return 0;
    n = strlen(real);
    while (n && strncmp(real + n, ".so.", 4))
        n--;
    if (sscanf(real + n, ".so.%d.%d.%d", &major, &minor, &patch) == 3)
        return (size_t)(major * 10000 + minor * 100 + patch);
    return 1; /* pip ships it without a version in the name: known only once loaded */
}

/* pip's folder names the version beside the library: nvidia_cudnn_cu13-9.19.0.56.dist-info. */
static size_t pip_version(const char *path)
{
    char pattern[640];
    size_t version = 0;
    glob_t found;
    const char *end = strstr(path, "/nvidia/cudnn/");

    if (!end)
        return 0;
    snprintf(pattern, sizeof pattern, "%.*s/nvidia_cudnn_cu*-*.dist-info", (int)(end - path), path);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *dash = strrchr(strstr(found.gl_pathv[i], "nvidia_cudnn_cu"), '-');
            int major, minor, patch;

            /* "-9.19.0.56.dist-info": the last dash belongs to "dist-info" */
            while (dash && sscanf(dash, "-%d.%d.%d", &major, &minor, &patch) != 3)
                do
                    dash--;
                while (dash > found.gl_pathv[i] && *dash != '-');
            if (dash && (size_t)(major * 10000 + minor * 100 + patch) > version)
                version = (size_t)(major * 10000 + minor * 100 + patch);
        }
    }
    globfree(&found);
    return version;
}

static void consider(const char *path, char *best, size_t size, size_t *best_version)
{
    size_t version = pip_version(path);

    if (!version)
        version = version_at(path);
    if (version > *best_version) {
        *best_version = version;
        snprintf(best, size, "%s", path);
    }
}

static void consider_pattern(const char *pattern, char *best, size_t size, size_t *version)
{
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            consider(found.gl_pathv[i], best, size, version);
    globfree(&found);
}

/* The newest libcudnn.so.9 among the places, or its bare name for the loader to find. */
static void find(char *best, size_t size)
{
    static const char *const roots[] = {"VIRTUAL_ENV", "CONDA_PREFIX", "HOME"};
    static const char *const system[] = {
        "/usr/lib/*-linux-gnu/libcudnn.so.9", "/usr/local/cuda/lib64/libcudnn.so.9",
        "/usr/local/lib/libcudnn.so.9", "/usr/lib64/libcudnn.so.9"};
    size_t version = 0;
    char pattern[512];

    snprintf(best, size, "libcudnn.so.9");
    for (size_t i = 0; i < sizeof pip_places / sizeof pip_places[0]; i++) {
        if (pip_places[i][0] == '/') {
            consider_pattern(pip_places[i], best, size, &version);
            continue;
        }
        for (size_t r = 0; r < sizeof roots / sizeof roots[0]; r++) {
            const char *root = getenv(roots[r]);

            if (!root || !*root)
                continue;
            snprintf(pattern, sizeof pattern, "%s%s", root, pip_places[i] + 2);
            consider_pattern(pattern, best, size, &version);
        }
    }
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        consider_pattern(system[i], best, size, &version);
}

int lw_cudnn_load(struct lw_cudnn *lib, struct lw_error *err)
{
    const char *chosen = getenv("LEEWAY_CUDNN");
    size_t (*version)(void);
    struct stat st;

    memset(lib, 0, sizeof *lib);
    if (chosen && *chosen)
        snprintf(lib->path, sizeof lib->path, "%s%s", chosen,
                 stat(chosen, &st) == 0 && S_ISDIR(st.st_mode) ? "/libcudnn.so.9" : "");
    else
        find(lib->path, sizeof lib->path);
    lib->library = dlopen(lib->path, RTLD_NOW | RTLD_LOCAL);
    if (!lib->library)
        return lw_fail(err, LW_EMISSING,
                       "cuDNN 9 was not found (%s): pip install nvidia-cudnn-cu13, or set "
                       "LEEWAY_CUDNN to its folder",
                       dlerror());
    *(void **)&version = dlsym(lib->library, "cudnnGetVersion");
    if (!version || !load_symbols(lib)) {
        lw_cudnn_unload(lib);
        return lw_fail(err, LW_EMISSING, "%s is not cuDNN 9", lib->path);
    }
    lib->version = version();
    return 0;
}

void lw_cudnn_unload(struct lw_cudnn *lib)
{
    if (lib->library)
        dlclose(lib->library);
    lib->library = NULL;
}

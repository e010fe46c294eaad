/* SPDX-License-Identifier: MIT */
#include "engine/gpu/nvml.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/text.h"

/* NVML's side: codes, structures and selectors of its published interface. */
enum { SUCCESS = 0, TOO_SMALL = 7 };
enum { SENSOR_GPU = 0, CLOCK_SM = 1 };
#define NOT_AVAILABLE (~0ULL)
#define MOST          128 /* processes on one card that are looked at */

struct memory {
    unsigned long long total, free, used;
};

struct memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};
#define MEMORY_V2 (unsigned)(sizeof(struct memory_v2) | 2 << 24)

struct rates {
    unsigned gpu, memory;
};

struct pci {
    char legacy[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char id[32];
};

struct process {
    unsigned pid;
    unsigned long long memory;
    unsigned gpu_instance, compute_instance;
};

struct lw_nvml {
    void *library;
    char driver[80];
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *);
    int (*by_index)(unsigned, void **);
    int (*by_pci)(const char *, void **);
    int (*get_name)(void *, char *, unsigned);
    int (*get_pci)(void *, struct pci *);
    const char *(*error_string)(int);
    /* These may be missing, in an old driver: then they are not asked. */
    int (*get_driver)(char *, unsigned);
    int (*memory_v2)(void *, struct memory_v2 *);
    int (*memory)(void *, struct memory *);
    int (*rates)(void *, struct rates *);
    int (*power)(void *, unsigned *);
    int (*power_limit)(void *, unsigned *);
    int (*temperature)(void *, unsigned, unsigned *);
    int (*clock)(void *, unsigned, unsigned *);
    int (*reasons)(void *, unsigned long long *);
    int (*processes)(void *, unsigned *, struct process *);
    int (*process_name)(unsigned, char *, unsigned);
};

static bool load_symbols(struct lw_nvml *n)
{
    const struct {
        void *slot;
        const char *name, *older;
        bool needed;
    } wanted[] = {
        {&n->init, "nvmlInit_v2", NULL, true},
        {&n->shutdown, "nvmlShutdown", NULL, true},
        {&n->count, "nvmlDeviceGetCount_v2", NULL, true},
        {&n->by_index, "nvmlDeviceGetHandleByIndex_v2", NULL, true},
        {&n->by_pci, "nvmlDeviceGetHandleByPciBusId_v2", NULL, true},
        {&n->get_name, "nvmlDeviceGetName", NULL, true},
        {&n->get_pci, "nvmlDeviceGetPciInfo_v3", NULL, true},
        {&n->error_string, "nvmlErrorString", NULL, true},
        {&n->get_driver, "nvmlSystemGetDriverVersion", NULL, false},
        {&n->memory_v2, "nvmlDeviceGetMemoryInfo_v2", NULL, false},
        {&n->memory, "nvmlDeviceGetMemoryInfo", NULL, false},
        {&n->rates, "nvmlDeviceGetUtilizationRates", NULL, false},
        {&n->power, "nvmlDeviceGetPowerUsage", NULL, false},
        {&n->power_limit, "nvmlDeviceGetEnforcedPowerLimit", NULL, false},
        {&n->temperature, "nvmlDeviceGetTemperature", NULL, false},
        {&n->clock, "nvmlDeviceGetClockInfo", NULL, false},
        {&n->reasons, "nvmlDeviceGetCurrentClocksEventReasons",
         "nvmlDeviceGetCurrentClocksThrottleReasons", false},
        /* both have the same structure; what came before them had another */
        {&n->processes, "nvmlDeviceGetComputeRunningProcesses_v3",
         "nvmlDeviceGetComputeRunningProcesses_v2", false},
        {&n->process_name, "nvmlSystemGetProcessName", NULL, false},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        void *symbol = dlsym(n->library, wanted[i].name);

        if (!symbol && wanted[i].older)
            symbol = dlsym(n->library, wanted[i].older);
        if (!symbol && wanted[i].needed)
            return false;
        memcpy(wanted[i].slot, &symbol, sizeof symbol);
    }
    return true;
}

int lw_nvml_open(struct lw_nvml **out, struct lw_error *err)
{
    const char *chosen = getenv("LEEWAY_NVML");
    struct lw_nvml *n = calloc(1, sizeof *n);
    int status;

    *out = NULL;
    if (!n)
        return lw_fail(err, LW_EMEM, "out of memory");
    n->library = dlopen(chosen && *chosen ? chosen : "libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!n->library) {
        free(n);
        return lw_fail(err, LW_EMISSING, "no GPU telemetry: %.300s", dlerror());
    }
    if (!load_symbols(n)) {
        dlclose(n->library);
        free(n);
        return lw_fail(err, LW_EMISSING, "no GPU telemetry: the driver's NVML is too old");
    }
    status = n->init();
    if (status != SUCCESS) {
        lw_fail(err, LW_EMISSING, "no GPU telemetry: NVML does not start: %.200s",
                n->error_string(status));
        dlclose(n->library);
        free(n);
        return LW_EMISSING;
    }
    if (n->get_driver) {
        char version[80] = "";

        if (n->get_driver(version, sizeof version) == SUCCESS)
            lw_text_clean(version, strnlen(version, sizeof version), n->driver, sizeof n->driver);
    }
    *out = n;
    return 0;
}

void lw_nvml_close(struct lw_nvml *n)
{
    if (!n)
        return;
    n->shutdown();
    dlclose(n->library);
    free(n);
}

int lw_nvml_count(struct lw_nvml *n)
{
    unsigned count = 0;

    return n->count(&count) == SUCCESS ? (int)count : 0;
}

const char *lw_nvml_driver(struct lw_nvml *n)
{
    return n->driver;
}

bool lw_nvml_name(struct lw_nvml *n, int i, char *name, size_t name_size, char *pci,
                  size_t pci_size)
{
    char text[96] = "";
    struct pci where;
    void *card;

    if (n->by_index((unsigned)i, &card) != SUCCESS || n->get_pci(card, &where) != SUCCESS)
        return false;
    if (n->get_name(card, text, sizeof text) != SUCCESS)
        snprintf(text, sizeof text, "unknown card");
    lw_text_clean(text, strnlen(text, sizeof text), name, name_size);
    snprintf(pci, pci_size, "%04x:%02x:%02x.0", where.domain, where.bus, where.device);
    return true;
}

void *lw_nvml_card(struct lw_nvml *n, const char *pci)
{
    void *card = NULL;

    return n->by_pci(pci, &card) == SUCCESS ? card : NULL;
}

/* A number that the card tells as an unsigned integer, times unit. */
static double ask(int (*get)(void *, unsigned *), void *card, double unit)
{
    unsigned value = 0;

    return get && get(card, &value) == SUCCESS ? unit * value : NAN;
}

static double ask_of(int (*get)(void *, unsigned, unsigned *), void *card, unsigned which)
{
    unsigned value = 0;

    return get && get(card, which, &value) == SUCCESS ? (double)value : NAN;
}

static void ask_memory(struct lw_nvml *n, void *card, struct lw_gpu_sample *out)
{
    struct memory_v2 v2 = {.version = MEMORY_V2};
    struct memory v1;

    if (n->memory_v2 && n->memory_v2(card, &v2) == SUCCESS) {
        out->memory_mb = (double)v2.used * 1e-6;
        out->memory_total_mb = (double)v2.total * 1e-6;
    } else if (n->memory && n->memory(card, &v1) == SUCCESS) {
        out->memory_mb = (double)v1.used * 1e-6;
        out->memory_total_mb = (double)v1.total * 1e-6;
    }
}

void lw_nvml_sample(struct lw_nvml *n, void *card, struct lw_gpu_sample *out)
{
    unsigned long long reasons = 0;
    struct rates rates;

    *out = (struct lw_gpu_sample){.memory_mb = NAN, .memory_total_mb = NAN, .utilization = NAN};
    ask_memory(n, card, out);
    if (n->rates && n->rates(card, &rates) == SUCCESS)
        out->utilization = rates.gpu;
    out->power_w = ask(n->power, card, 1e-3);
    out->power_limit_w = ask(n->power_limit, card, 1e-3);
    out->temperature_c = ask_of(n->temperature, card, SENSOR_GPU);
    out->clock_mhz = ask_of(n->clock, card, CLOCK_SM);
    if (n->reasons && n->reasons(card, &reasons) == SUCCESS)
        out->throttle = reasons;
}

/* NVML gives a path or a name; the kernel's own is the fallback. */
static void name_process(struct lw_nvml *n, unsigned pid, char *out, size_t size)
{
    char text[256] = "", path[64];
    const char *base;
    FILE *f;

    if (!n->process_name || n->process_name(pid, text, sizeof text) != SUCCESS || !text[0]) {
        snprintf(path, sizeof path, "/proc/%u/comm", pid);
        f = fopen(path, "re");
        if (f) {
            text[fread(text, 1, sizeof text - 1, f)] = '\0';
            fclose(f);
        }
    }
    text[sizeof text - 1] = '\0';
    text[strcspn(text, " \n")] = '\0'; /* some drivers give the whole command line */
    base = strrchr(text, '/') ? strrchr(text, '/') + 1 : text;
    lw_text_clean(*base ? base : "?", *base ? strlen(base) : 1, out, size);
}

int lw_nvml_processes(struct lw_nvml *n, void *card, struct lw_gpu_process *out, int max)
{
    struct process all[MOST];
    unsigned count = MOST;
    int status, found = 0;

    if (!n->processes)
        return -1;
    memset(all, 0, sizeof all);
    status = n->processes(card, &count, all);
    if (status != SUCCESS && status != TOO_SMALL)
        return -1;
    for (unsigned i = 0; i < count && i < MOST; i++) {
        if ((pid_t)all[i].pid == getpid())
            continue;
        if (found < max) {
            out[found].pid = (int)all[i].pid;
            out[found].memory_mb =
                all[i].memory == NOT_AVAILABLE ? NAN : (double)all[i].memory * 1e-6;
            name_process(n, all[i].pid, out[found].name, sizeof out[found].name);
        }
        found++;
    }
    return status == TOO_SMALL && count > MOST ? (int)count : found;
}

/* SPDX-License-Identifier: MIT */
#include "engine/train/machine.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/text.h"

/* The first line of dir/name without its newline; false if there is none. */
static bool first_line(const char *dir, const char *name, char *out, size_t size)
{
    char path[512];
    FILE *f;
    bool ok;

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return false;
    f = fopen(path, "re");
    if (!f)
        return false;
    ok = fgets(out, (int)size, f) != NULL;
    fclose(f);
    if (ok)
        out[strcspn(out, "\n")] = '\0';
    return ok;
}

double lw_machine_quota(const char *cpu_max)
{
    double quota, period;

    if (sscanf(cpu_max, "%lf %lf", &quota, &period) != 2 || !(quota > 0) || !(period > 0))
        return 0;
    return quota / period;
}

/* Is word in this comma separated list, which ends at ':'? */
static bool lists(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (; *list && *list != ':'; list += *list == ',') {
        if (strncmp(list, word, n) == 0 && (list[n] == ',' || list[n] == ':'))
            return true;
        list += strcspn(list, ",:");
    }
    return false;
}

/* The folder of this process's control group (v2), or of a controller (v1); "" if none. */
static void group_folder(const char *controller, char *out, size_t size)
{
    char line[400], *path;
    FILE *f = fopen("/proc/self/cgroup", "re");

    out[0] = '\0';
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (!controller && strncmp(line, "0::", 3) == 0) {
            snprintf(out, size, "/sys/fs/cgroup%s", line + 3);
        } else if (controller && (path = strchr(line, ':')) && lists(path + 1, controller) &&
                   (path = strchr(path + 1, ':'))) {
            snprintf(out, size, "/sys/fs/cgroup/%s%s", controller, path + 1);
        }
    }
    if (f)
        fclose(f);
}

/* Call see() on the group's folder and on each above it: a limit anywhere holds. */
static void each_group(const char *controller, void (*see)(const char *dir, void *to), void *to)
{
    char dir[420], *slash;

    group_folder(controller, dir, sizeof dir);
    while (strlen(dir) >= strlen("/sys/fs/cgroup")) {
        see(dir, to);
        slash = strrchr(dir, '/');
        *slash = '\0';
    }
}

static void see_quota(const char *dir, void *to)
{
    double *quota = to, found = 0, us, period;
    char line[128];

    if (first_line(dir, "cpu.max", line, sizeof line))
        found = lw_machine_quota(line);
    else if (first_line(dir, "cpu.cfs_quota_us", line, sizeof line) && (us = atof(line)) > 0 &&
             first_line(dir, "cpu.cfs_period_us", line, sizeof line) && (period = atof(line)) > 0)
        found = us / period;
    if (found > 0 && (*quota == 0 || found < *quota))
        *quota = found;
}

static void see_memory(const char *dir, void *to)
{
    static const char *const names[][2] = {
        {"memory.max", "memory.current"},
        {"memory.limit_in_bytes", "memory.usage_in_bytes"},
    };
    struct lw_machine *m = to;
    char line[128];

    for (size_t i = 0; i < 2; i++) {
        uint64_t limit, used = 0;

        if (!first_line(dir, names[i][0], line, sizeof line) || line[0] == 'm')
            continue;
        limit = strtoull(line, NULL, 10);
        if (!limit || limit >= m->memory_total)
            continue;
        if (first_line(dir, names[i][1], line, sizeof line))
            used = strtoull(line, NULL, 10);
        m->memory_total = limit;
        if (m->memory_free > limit - (used < limit ? used : limit))
            m->memory_free = limit - (used < limit ? used : limit);
    }
}

static void look_memory(struct lw_machine *m)
{
    char line[256];
    FILE *f = fopen("/proc/meminfo", "re");

    while (f && fgets(line, sizeof line, f)) {
        unsigned long long kib;

        if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
            m->memory_total = kib * 1024;
        else if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            m->memory_free = kib * 1024;
    }
    if (f)
        fclose(f);
    each_group(NULL, see_memory, m);
    each_group("memory", see_memory, m);
}

static void look_cpu(struct lw_machine *m)
{
    char line[256], *value;
    FILE *f = fopen("/proc/cpuinfo", "re");

    while (f && !m->cpu[0] && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        value = strchr(line, ':');
        if (value && strncmp(line, "model name", 10) == 0) {
            value += 1 + strspn(value + 1, " ");
            lw_text_clean(value, strlen(value), m->cpu, sizeof m->cpu);
        }
    }
    if (f)
        fclose(f);
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        strcat(m->isa, " avx512f");
    if (__builtin_cpu_supports("avx2"))
        strcat(m->isa, " avx2");
    if (__builtin_cpu_supports("fma"))
        strcat(m->isa, " fma");
    if (m->isa[0])
        memmove(m->isa, m->isa + 1, strlen(m->isa));
#endif
}

void lw_machine_look(struct lw_machine *m)
{
    cpu_set_t set;

    memset(m, 0, sizeof *m);
    look_cpu(m);
    m->online = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (m->online < 1)
        m->online = 1;
    m->affinity = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : m->online;
    each_group(NULL, see_quota, &m->quota);
    each_group("cpu", see_quota, &m->quota);
    m->threads = m->affinity;
    if (m->quota > 0 && (int)ceil(m->quota) < m->threads)
        m->threads = (int)ceil(m->quota);
    if (m->threads < 1)
        m->threads = 1;
    look_memory(m);
}

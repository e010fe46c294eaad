/* SPDX-License-Identifier: MIT
 *
 * leeway-engine doctor: what training would find on this machine. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <cblas.h>
#include <csv.h>
#include <jansson.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "engine/model/attention.h"
#include "engine/train/device.h"
#include "engine/train/doctor_gpu.h"
#include "engine/train/doctor_guard.h"
#include "engine/train/doctor_parts.h"
#include "engine/train/machine.h"
#include "engine/usage.h"
#include "engine/verbs.h"

/* Openblas says how it was built by a number. */
static const char *blas_threading(void)
{
    switch (openblas_get_parallel()) {
    case 0:
        return "serial";
    case 1:
        return "pthread";
    case 2:
        return "OpenMP";
    default:
        return "unknown threading";
    }
}

static json_t *machine_report(const struct lw_machine *m)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:i, s:f, s:f}", "cpu", m->cpu, "isa", m->isa,
                     "processors", m->online, "allowed", m->affinity, "quota",
                     m->quota > 0 ? json_real(m->quota) : json_null(), "threads", m->threads,
                     "memory_gb", (double)m->memory_total * 1e-9, "memory_free_gb",
                     (double)m->memory_free * 1e-9);
}

static json_t *libraries_report(void)
{
    char pcre[64] = "";

    pcre2_config(PCRE2_CONFIG_VERSION, pcre);
    pcre[strcspn(pcre, " ")] = '\0';
    return json_pack("{s:{s:s, s:s, s:s}, s:s, s:s, s:s, s:s}", "openblas", "config",
                     openblas_get_config(), "core", openblas_get_corename(), "threading",
                     blas_threading(), "libyaml", yaml_get_version_string(), "jansson",
                     jansson_version_str(), "pcre2", pcre, "libcsv", CSV_MAJOR >= 3 ? "3" : "?");
}

/* What one attention kind has to say to GPT-2's shape. */
static json_t *attention_report(const struct lw_backend *backend, struct lw_device *device)
{
    struct lw_attention a = {
        .batch = 1, .length = 1024, .heads = 12, .head_dim = 64, .causal = true, .scale = 0.125f};
    json_t *list = json_object();

    for (int kind = LW_ATTENTION_MATH; kind <= LW_ATTENTION_CUDNN; kind++) {
        struct lw_error why = {0};

        a.kind = (enum lw_attention_kind)kind;
        json_object_set_new(list, lw_attention_name(kind),
                            backend->attention_ready(device, &a, &why) ? json_string(why.text)
                                                                       : json_string("ready"));
    }
    return list;
}

static json_t *device_report(const char *name, int threads)
{
    struct lw_device_options o = {.threads = threads,
                                  .precision = strcmp(name, "cpu") ? LW_BF16 : LW_F32};
    const struct lw_backend *backend;
    struct lw_attention_choice choice;
    struct lw_device_info info;
    struct lw_device *device;
    struct lw_error err = {0};
    json_t *report;

    backend = lw_backend_find(name, &err);
    if (!backend || backend->open(&device, &o, &err))
        return json_pack("{s:s, s:b, s:s}", "backend", name, "usable", 0, "why", err.text);
    backend->info(device, &info);
    report = json_pack("{s:s, s:b, s:s, s:o}", "backend", backend->name, "usable", 1, "name",
                       info.name, "attention", attention_report(backend, device));
    if (!lw_attention_choose(backend, device,
                             &(struct lw_attention){.batch = 1,
                                                    .length = 1024,
                                                    .heads = 12,
                                                    .head_dim = 64,
                                                    .causal = true,
                                                    .scale = 0.125f},
                             LW_ATTENTION_AUTO, 12, "h.", ".attn", &choice, &err))
        json_object_set_new(report, "auto", json_string(choice.event));
    backend->close(device);
    return report;
}

/* What a person should do something about, one line each. */
static json_t *advice(const struct lw_machine *m)
{
    json_t *list = json_array();
    char text[200];

    if (!strstr(m->isa, "avx2") && openblas_get_parallel() == 0)
        json_array_append_new(
            list, json_string("no AVX2, and OpenBLAS is the serial build, which one thread at a "
                              "time can use: install the OpenMP build (libopenblas0-openmp)"));
    else if (!strstr(m->isa, "avx2"))
        json_array_append_new(
            list, json_string("no AVX2: the portable kernels are several times slower"));
    if (m->threads < m->online) {
        snprintf(text, sizeof text, "%d of %d processors may be used (affinity or control group)",
                 m->threads, m->online);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *make_report(void)
{
    json_t *devices = json_array();
    struct lw_machine m;

    lw_machine_look(&m);
    for (int i = 0; lw_backend_names[i]; i++)
        json_array_append_new(devices, device_report(lw_backend_names[i], m.threads));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "machine", machine_report(&m), "libraries",
                     libraries_report(), "parts", lw_doctor_parts(), "devices", devices, "gpus",
                     lw_doctor_gpus(), "advice", advice(&m));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_devices(const json_t *devices)
{
    const json_t *device;
    size_t i;

    json_array_foreach(devices, i, device)
    {
        const json_t *attention = json_object_get(device, "attention"), *state;
        const char *name;

        printf("device      %s: %s\n", text_of(device, "backend"),
               json_is_true(json_object_get(device, "usable")) ? text_of(device, "name")
                                                               : text_of(device, "why"));
        json_object_foreach((json_t *)attention, name, state)
            printf("  attention %-6s %s\n", name, json_string_value(state));
        if (json_object_get(device, "auto"))
            printf("  auto      %s\n", text_of(device, "auto"));
    }
}

static void print_report(const json_t *report)
{
    const json_t *m = json_object_get(report, "machine");
    const json_t *l = json_object_get(report, "libraries");
    const json_t *blas = json_object_get(l, "openblas"), *line;
    const json_t *quota = json_object_get(m, "quota");
    size_t i;

    printf("processor   %s\n", text_of(m, "cpu"));
    printf("instructions %s\n", *text_of(m, "isa") ? text_of(m, "isa") : "portable only");
    printf("threads     %d (of %d processors, %d allowed",
           (int)json_integer_value(json_object_get(m, "threads")),
           (int)json_integer_value(json_object_get(m, "processors")),
           (int)json_integer_value(json_object_get(m, "allowed")));
    if (json_is_real(quota))
        printf(", control group %.2f", json_real_value(quota));
    printf(")\nmemory      %.1f GB, %.1f GB free\n",
           json_real_value(json_object_get(m, "memory_gb")),
           json_real_value(json_object_get(m, "memory_free_gb")));
    printf("BLAS        %s; core %s, %s\n", text_of(blas, "config"), text_of(blas, "core"),
           text_of(blas, "threading"));
    printf("libraries   libyaml %s, jansson %s, pcre2 %s, libcsv %s\n", text_of(l, "libyaml"),
           text_of(l, "jansson"), text_of(l, "pcre2"), text_of(l, "libcsv"));
    lw_doctor_print_parts();
    print_devices(json_object_get(report, "devices"));
    lw_doctor_print_gpus(json_object_get(report, "gpus"));
    lw_doctor_guard_print(json_object_get(report, "guard"));
    json_array_foreach(json_object_get(report, "advice"), i, line)
        printf("advice      %s\n", json_string_value(line));
}

int lw_verb_doctor(int argc, char **argv)
{
    static const struct option words[] = {{"json", no_argument, NULL, 'j'},
                                          {"strict", no_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static const char usage[] = "usage: doctor [--json] [--strict]\n";
    bool as_json = false, strict = false;
    json_t *report;
    int c, trouble;
    json_t *guard;

    optind = 1;
    while ((c = lw_usage_option(argc, argv, "", words)) != -1) {
        if (c == 'h' || c == '?') {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
        as_json = as_json || c == 'j';
        strict = strict || c == 's';
    }
    if (optind < argc) {
        fprintf(stderr, "leeway-engine: doctor takes no \"%s\"\n%s", argv[optind], usage);
        return 2;
    }
    guard = lw_doctor_guard(); /* first: opening devices changes signals and starts threads */
    report = make_report();
    json_object_set_new(report, "guard", guard);
    if (!report || !guard) {
        fputs("leeway-engine: out of memory\n", stderr);
        return 1;
    }
    if (as_json) {
        json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
    } else {
        print_report(report);
    }
    trouble = json_array_size(json_object_get(report, "advice")) > 0 ||
              json_integer_value(json_object_get(guard, "warnings")) > 0;
    json_decref(report);
    return strict && trouble ? 3 : 0;
}

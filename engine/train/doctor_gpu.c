/* SPDX-License-Identifier: MIT */
#include "engine/train/doctor_gpu.h"

#include <math.h>
#include <stdio.h>

#include "engine/gpu/choose.h"

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *card_report(struct lw_nvml *nvml, int i)
{
    char name[96], pci[32], users[280] = "";
    struct lw_gpu_load load;

    if (!lw_nvml_name(nvml, i, name, sizeof name, pci, sizeof pci))
        return json_pack("{s:s, s:s}", "name", "a card that does not answer", "pci", "?");
    lw_gpu_look(nvml, pci, &load);
    if (lw_gpu_busy(&load))
        lw_gpu_load_text(&load, users, sizeof users);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "name", name, "pci", pci,
                     "memory_mb", number(load.sample.memory_mb), "memory_total_mb",
                     number(load.sample.memory_total_mb), "utilization",
                     number(load.sample.utilization), "power_w", number(load.sample.power_w),
                     "temperature_c", number(load.sample.temperature_c), "clock_mhz",
                     number(load.sample.clock_mhz), "busy", users);
}

json_t *lw_doctor_gpus(void)
{
    struct lw_nvml *nvml;
    struct lw_error why;
    json_t *report, *cards;

    if (lw_nvml_open(&nvml, &why))
        return json_pack("{s:s}", "why", why.text);
    cards = json_array();
    for (int i = 0; i < lw_nvml_count(nvml); i++)
        json_array_append_new(cards, card_report(nvml, i));
    report = json_pack("{s:s, s:o}", "driver", lw_nvml_driver(nvml), "cards", cards);
    lw_nvml_close(nvml);
    return report;
}

static void print_number(const json_t *card, const char *key, const char *unit)
{
    const json_t *v = json_object_get(card, key);

    if (json_is_real(v))
        printf(", %.0f %s", json_real_value(v), unit);
}

void lw_doctor_print_gpus(const json_t *gpus)
{
    const json_t *why = json_object_get(gpus, "why"), *card;
    size_t i;

    if (why) {
        printf("telemetry   %s\n", json_string_value(why));
        return;
    }
    printf("telemetry   NVML, driver %s\n", json_string_value(json_object_get(gpus, "driver")));
    json_array_foreach(json_object_get(gpus, "cards"), i, card)
    {
        const char *busy = json_string_value(json_object_get(card, "busy"));

        printf("  card %s  %s", json_string_value(json_object_get(card, "pci")),
               json_string_value(json_object_get(card, "name")));
        print_number(card, "memory_total_mb", "MB");
        print_number(card, "utilization", "%");
        print_number(card, "power_w", "W");
        print_number(card, "temperature_c", "C");
        print_number(card, "clock_mhz", "MHz");
        printf("%s%s\n", busy && *busy ? "; " : "", busy ? busy : "");
    }
}

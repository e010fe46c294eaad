/* SPDX-License-Identifier: MIT
 *
 * NVML's cards as leeway sees them, against a stand-in library with cards made up here.
 */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/gpu/choose.h"
#include "engine/gpu/throttle.h"
#include "engine/gpu/watch.h"
#include "engine/ops/peaks.h"
#include "engine/train/device.h"
#include "tests/fake_nvml.h"
#include "tests/support.h"

#define GB 1000000000ULL

static struct fake_nvml *fake;
static struct lw_error err;

/* Two idle cards, one that others use, one whose address CUDA would list first. */
static void plug(void)
{
    static const struct fake_card card = {.name = "NVIDIA H100 80GB HBM3",
                                          .used = GB / 2,
                                          .total = 80 * GB,
                                          .reserved = GB,
                                          .utilization = 0,
                                          .power_mw = 71500,
                                          .limit_mw = 700000,
                                          .temperature = 34,
                                          .clock = 1980};
    const char *where = test_built("tests/.libs/libfake-nvml.so");
    void *library = dlopen(where, RTLD_NOW);

    cr_assert(library, "%s", dlerror());
    fake = dlsym(library, "fake_nvml");
    cr_assert(fake);
    setenv("LEEWAY_NVML", where, 1);
    *fake = (struct fake_nvml){.cards = 4, .process_name = "/usr/bin/python3 train.py"};
    for (int i = 0; i < 4; i++) {
        fake->card[i] = card;
        fake->card[i].bus = 0x1a + 0x10 * (unsigned)(3 - i);
    }
}

TestSuite(gpu, .init = plug, .timeout = 60);

static struct lw_nvml *open_it(void)
{
    struct lw_nvml *n;

    cr_assert_eq(lw_nvml_open(&n, &err), 0, "%s", err.text);
    return n;
}

Test(gpu, cards_have_names_and_addresses)
{
    struct lw_nvml *n = open_it();
    char name[64], pci[32];

    cr_assert_eq(lw_nvml_count(n), 4);
    cr_assert(lw_nvml_name(n, 3, name, sizeof name, pci, sizeof pci));
    cr_assert_str_eq(name, "NVIDIA H100 80GB HBM3");
    cr_assert_str_eq(pci, "0000:1a:00.0");
    cr_assert_not(lw_nvml_name(n, 4, name, sizeof name, pci, sizeof pci));
    cr_assert_str_eq(lw_nvml_driver(n), "580.65.06?[2J");
    cr_assert(lw_nvml_card(n, "0000:1a:00.0"));
    cr_assert_null(lw_nvml_card(n, "0000:ff:00.0"));
    lw_nvml_close(n);
    cr_assert_eq(fake->inits, 1);
    cr_assert_eq(fake->shutdowns, 1);
}

Test(gpu, a_sample_is_in_plain_units)
{
    struct lw_nvml *n = open_it();
    struct lw_gpu_sample s;

    fake->card[3].utilization = 97;
    fake->card[3].reasons = LW_THROTTLE_POWER_CAP | 1;
    lw_nvml_sample(n, lw_nvml_card(n, "0000:1a:00.0"), &s);
    cr_assert_float_eq(s.memory_mb, 500, 1e-9);
    cr_assert_float_eq(s.memory_total_mb, 80000, 1e-9);
    cr_assert_float_eq(s.utilization, 97, 0);
    cr_assert_float_eq(s.power_w, 71.5, 1e-9);
    cr_assert_float_eq(s.power_limit_w, 700, 1e-9);
    cr_assert_float_eq(s.temperature_c, 34, 0);
    cr_assert_float_eq(s.clock_mhz, 1980, 0);
    cr_assert_eq(s.throttle, LW_THROTTLE_POWER_CAP | 1);
    fake->old_memory = true; /* an older driver counts the reserved memory as used */
    lw_nvml_sample(n, lw_nvml_card(n, "0000:1a:00.0"), &s);
    cr_assert_float_eq(s.memory_mb, 1500, 1e-9);
    lw_nvml_close(n);
}

Test(gpu, what_a_card_does_not_tell_is_not_known)
{
    struct lw_nvml *n = open_it();
    struct lw_gpu_sample s;

    fake->no_power = fake->no_utilization = true;
    lw_nvml_sample(n, lw_nvml_card(n, "0000:2a:00.0"), &s);
    cr_assert(isnan(s.power_w) && isnan(s.power_limit_w) && isnan(s.utilization));
    cr_assert_float_eq(s.temperature_c, 34, 0);
    fake->card[3].dumb = true;
    lw_nvml_sample(n, lw_nvml_card(n, "0000:1a:00.0"), &s);
    cr_assert(isnan(s.memory_mb) && isnan(s.memory_total_mb) && isnan(s.utilization) &&
              isnan(s.power_w) && isnan(s.temperature_c) && isnan(s.clock_mhz));
    cr_assert_eq(s.throttle, 0);
    cr_assert_eq(lw_nvml_processes(n, lw_nvml_card(n, "0000:1a:00.0"), NULL, 0), -1);
    lw_nvml_close(n);
}

Test(gpu, no_library_and_no_driver_are_one_line_each)
{
    struct lw_nvml *n;

    setenv("LEEWAY_NVML", "/nowhere/libnvidia-ml.so.1", 1);
    cr_assert_eq(lw_nvml_open(&n, &err), LW_EMISSING);
    cr_assert_null(n);
    cr_assert(strstr(err.text, "no GPU telemetry: /nowhere/libnvidia-ml.so.1"));
    cr_assert_null(strchr(err.text, '\n'));
    plug();
    fake->init = 9;
    cr_assert_eq(lw_nvml_open(&n, &err), LW_EMISSING);
    cr_assert_str_eq(err.text, "no GPU telemetry: NVML does not start: Driver Not Loaded");
    setenv("LEEWAY_NVML", test_built(".libs/libleeway.so"), 1);
    cr_assert_eq(lw_nvml_open(&n, &err), LW_EMISSING);
    cr_assert_str_eq(err.text, "no GPU telemetry: the driver's NVML is too old");
}

Test(gpu, other_processes_are_named_and_cleaned)
{
    struct lw_nvml *n = open_it();
    struct lw_gpu_process p[3];
    void *card = lw_nvml_card(n, "0000:1a:00.0");

    fake->card[3].pid[0] = (unsigned)getpid();
    fake->card[3].pid[1] = 4242;
    fake->card[3].process_bytes[1] = 31 * GB;
    fake->card[3].pid[2] = 4243;
    fake->card[3].process_bytes[2] = ~0ULL; /* NVML's "not available" */
    cr_assert_eq(lw_nvml_processes(n, card, p, 3), 2);
    cr_assert_eq(p[0].pid, 4242);
    cr_assert_str_eq(p[0].name, "python3");
    cr_assert_float_eq(p[0].memory_mb, 31000, 1e-6);
    cr_assert(isnan(p[1].memory_mb));
    fake->process_name = "/opt/\033[31mevil\n";
    lw_nvml_processes(n, card, p, 3);
    cr_assert_str_eq(p[0].name, "?[31mevil");
    fake->no_names = true;
    fake->card[3].pid[1] = (unsigned)getppid(); /* the kernel knows it */
    lw_nvml_processes(n, card, p, 3);
    cr_assert(p[0].name[0] && p[0].name[0] != '?', "%s", p[0].name);
    fake->card[3].pid[1] = 999999999;
    lw_nvml_processes(n, card, p, 3);
    cr_assert_str_eq(p[0].name, "?");
    lw_nvml_close(n);
}

/* CUDA's numbering: as in the fake, backwards, so that index and address disagree. */
static const struct lw_device_info listed[4] = {{.pci = "0000:1a:00.0"},
                                                {.pci = "0000:2a:00.0"},
                                                {.pci = "0000:3a:00.0"},
                                                {.pci = "0000:4a:00.0"}};

static void occupy(int bus, unsigned pid, unsigned long long bytes)
{
    for (int i = 0; i < fake->cards; i++)
        if (fake->card[i].bus == (unsigned)bus) {
            fake->card[i].pid[0] = pid;
            fake->card[i].process_bytes[0] = bytes;
            fake->card[i].used = bytes;
        }
}

Test(gpu, auto_takes_the_first_idle_card)
{
    struct lw_notes notes = {0};

    cr_assert_eq(lw_device_pick(listed, 4, -1, &notes), 0);
    occupy(0x1a, 4242, 20 * GB);
    cr_assert_eq(lw_device_pick(listed, 4, -1, &notes), 1);
    fake->card[2].utilization = 60; /* 2a: nobody is seen, as in a container */
    cr_assert_eq(lw_device_pick(listed, 4, -1, &notes), 2);
    fake->card[1].used = 9 * GB; /* 3a */
    cr_assert_eq(lw_device_pick(listed, 4, -1, &notes), 3);
    cr_assert_eq(notes.count, 0);
    cr_assert_eq(lw_device_pick(listed, 2, -1, &notes), 1, "of those that CUDA shows");
}

Test(gpu, all_busy_is_a_warning_and_the_most_free_memory)
{
    struct lw_notes notes = {0};

    occupy(0x1a, 1001, 20 * GB);
    occupy(0x2a, 1002, 70 * GB);
    occupy(0x3a, 1003, 10 * GB);
    occupy(0x4a, 1004, 40 * GB);
    cr_assert_eq(lw_device_pick(listed, 4, -1, &notes), 2);
    cr_assert_eq(notes.count, 1);
    cr_assert_str_eq(notes.line[0],
                     "all 4 GPUs are busy; cuda:2, with the most free memory, is in use by "
                     "python3 (pid 1003, 10000 MB)");
}

Test(gpu, a_card_that_was_asked_for_is_taken_and_its_users_are_told)
{
    struct lw_notes notes = {0};

    for (unsigned i = 0; i < 5; i++)
        fake->card[2].pid[i] = 2001 + i, fake->card[2].process_bytes[i] = (i + 1) * GB;
    cr_assert_eq(lw_device_pick(listed, 4, 1, &notes), 1);
    cr_assert_eq(notes.count, 1);
    cr_assert_str_eq(notes.line[0], "cuda:1 is in use by python3 (pid 2001, 1000 MB), python3 (pid "
                                    "2002, 2000 MB), python3 (pid 2003, 3000 MB) and 2 more");
    cr_assert_eq(lw_device_pick(listed, 4, 0, &notes), 0);
    cr_assert_eq(notes.count, 1, "an idle card is nothing to tell");
    fake->card[3].utilization = 55;
    cr_assert_eq(lw_device_pick(listed, 4, 0, &notes), 0);
    cr_assert_str_eq(notes.line[1], "cuda:0 is busy: 55 % of its time, 500 of 80000 MB");
}

Test(gpu, without_nvml_the_first_card_is_taken)
{
    struct lw_notes notes = {0};

    setenv("LEEWAY_NVML", "/nowhere/libnvidia-ml.so.1", 1);
    cr_assert_eq(lw_device_pick(listed, 4, -1, &notes), 0);
    cr_assert_eq(lw_device_pick(listed, 4, 3, &notes), 3);
    cr_assert_eq(lw_device_pick(listed, 0, -1, &notes), 0);
    cr_assert_eq(lw_device_pick(listed, 4, 9, &notes), 9,
                 "the backend says that it does not exist");
    cr_assert_eq(notes.count, 0);
}

Test(gpu, a_throttle_reason_begins_once_and_ends_after_a_while)
{
    struct lw_throttle t = {0};
    char text[160];
    bool warn = true;

    cr_assert_not(lw_throttle_step(&t, 1 | 2 | 0x10, 0, text, sizeof text, &warn));
    cr_assert(lw_throttle_step(&t, LW_THROTTLE_POWER_CAP, 10, text, sizeof text, &warn));
    cr_assert_str_eq(text, "the GPU's clocks are held down by its power limit");
    cr_assert_not(warn, "usual under load");
    for (int s = 11; s < 200; s++) /* it flickers */
        cr_assert_not(
            lw_throttle_step(&t, s % 20 ? 0 : LW_THROTTLE_POWER_CAP, s, text, sizeof text, &warn));
    cr_assert(lw_throttle_step(&t, LW_THROTTLE_HEAT, 200, text, sizeof text, &warn));
    cr_assert_str_eq(text, "the GPU's clocks are held down by heat");
    cr_assert(warn);
    cr_assert_not(lw_throttle_step(&t, LW_THROTTLE_HEAT, 200, text, sizeof text, &warn));
    cr_assert(lw_throttle_step(&t, LW_THROTTLE_HEAT, 210, text, sizeof text, &warn));
    cr_assert_str_eq(text,
                     "the GPU's clocks are no longer held down by its power limit (for 3 min)");
    cr_assert_not(warn);
    cr_assert_not(lw_throttle_step(&t, LW_THROTTLE_HEAT, 210, text, sizeof text, &warn));
}

struct told {
    int lines;
    char last[160];
};

static void tell(void *context, bool warn, const char *text)
{
    struct told *t = context;

    (void)warn;
    snprintf(t->last, sizeof t->last, "%s", text);
    __atomic_add_fetch(&t->lines, 1, __ATOMIC_SEQ_CST);
}

Test(gpu, the_watch_samples_in_a_thread_and_tells)
{
    struct told told = {0};
    struct lw_gpu_watch *w;
    struct lw_gpu_sample s;
    double deadline = lw_clock_now() + 30;

    fake->card[3].temperature = 61;
    cr_assert_eq(lw_gpu_watch_start(&w, "0000:1a:00.0", 0.01, tell, &told, &err), 0, "%s",
                 err.text);
    while (!lw_gpu_watch_read(w, &s) && lw_clock_now() < deadline)
        usleep(1000);
    cr_assert_float_eq(s.temperature_c, 61, 0);
    fake->card[3].temperature = 83;
    fake->card[3].reasons = LW_THROTTLE_HEAT;
    while ((!lw_gpu_watch_read(w, &s) || s.temperature_c < 83 ||
            !__atomic_load_n(&told.lines, __ATOMIC_SEQ_CST)) &&
           lw_clock_now() < deadline)
        usleep(1000);
    lw_gpu_watch_stop(w);
    cr_assert_float_eq(s.temperature_c, 83, 0);
    cr_assert_eq(told.lines, 1);
    cr_assert_str_eq(told.last, "the GPU's clocks are held down by heat");
    cr_assert_eq(fake->inits, fake->shutdowns);
}

Test(gpu, nothing_to_watch_is_said)
{
    struct lw_gpu_watch *w;
    struct lw_gpu_sample s;

    cr_assert_eq(lw_gpu_watch_start(&w, "0000:ff:00.0", 1, tell, NULL, &err), LW_EMISSING);
    cr_assert_str_eq(err.text, "no GPU telemetry: NVML knows no card at 0000:ff:00.0");
    cr_assert_null(w);
    cr_assert_not(lw_gpu_watch_read(NULL, &s));
    lw_gpu_watch_stop(NULL);
    cr_assert_eq(fake->inits, fake->shutdowns);
}

Test(gpu, peaks_are_of_the_very_card)
{
    cr_assert_float_eq(lw_peak_flops("NVIDIA H100 80GB HBM3", LW_BF16), 989.4e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA H100 80GB HBM3", LW_F32), 66.9e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA H100 PCIe", LW_BF16), 756e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA H200", LW_BF16), 989.4e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA A100-SXM4-80GB", LW_F16), 311.9e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA A10", LW_BF16), 125e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA A10G", LW_BF16), 70e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA GeForce RTX 4090", LW_BF16), 165.2e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA RTX A6000", LW_BF16), 154.8e12, 1);
    cr_assert_float_eq(lw_peak_flops("NVIDIA GeForce RTX 3090 Ti", LW_BF16), 80e12, 1);
    /* names that only look like a card of the table */
    cr_assert_eq(lw_peak_flops("NVIDIA GeForce RTX 4090 Laptop GPU", LW_BF16), 0);
    cr_assert_eq(lw_peak_flops("NVIDIA GeForce RTX 4080 SUPER", LW_BF16), 0);
    cr_assert_eq(lw_peak_flops("NVIDIA RTX A1000", LW_BF16), 0);
    cr_assert_eq(lw_peak_flops("NVIDIA RTX A4000", LW_BF16), 0);
    cr_assert_eq(lw_peak_flops("NVIDIA H100 80GB HBM3 MIG 1g.10gb", LW_BF16), 0);
    cr_assert_eq(lw_peak_flops("NVIDIA H100 80GB HBM3", LW_I32), 0);
    cr_assert_eq(lw_peak_flops("AMD EPYC 7763, 2 threads, AVX2", LW_F32), 0);
}

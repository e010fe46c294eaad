/* SPDX-License-Identifier: MIT */
#include "engine/gpu/throttle.h"

#include <stdio.h>

#include "engine/gpu/nvml.h"

#define OVER_S 30.0 /* a reason that was away for this long is over */

static const struct {
    uint64_t bit;
    const char *what;
    bool warn;
} kinds[LW_THROTTLE_KINDS] = {
    /* usual under full load, and no fault */
    {LW_THROTTLE_POWER_CAP, "its power limit", false},
    {LW_THROTTLE_HARDWARE, "its hardware (heat, or the power supply)", true},
    {LW_THROTTLE_HEAT, "heat", true},
    {LW_THROTTLE_HARDWARE_HEAT, "heat, and its hardware halves them", true},
    {LW_THROTTLE_POWER_BRAKE, "the power supply, which asks for less", true},
};

static void show_time(double seconds, char out[24])
{
    if (seconds < 120)
        snprintf(out, 24, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(out, 24, "%.0f min", seconds / 60);
    else
        snprintf(out, 24, "%.1f h", seconds / 3600);
}

bool lw_throttle_step(struct lw_throttle *t, uint64_t bits, double now, char *text, size_t size,
                      bool *warn)
{
    for (int i = 0; i < LW_THROTTLE_KINDS; i++) {
        bool on = bits & kinds[i].bit;
        char lasted[24];

        if (on)
            t->reason[i].seen = now;
        if (on && !t->reason[i].on) {
            t->reason[i].on = true;
            t->reason[i].began = now;
            *warn = kinds[i].warn;
            snprintf(text, size, "the GPU's clocks are held down by %s", kinds[i].what);
            return true;
        }
        if (!on && t->reason[i].on && now - t->reason[i].seen >= OVER_S) {
            t->reason[i].on = false;
            *warn = false;
            show_time(t->reason[i].seen - t->reason[i].began, lasted);
            snprintf(text, size, "the GPU's clocks are no longer held down by %s (for %s)",
                     kinds[i].what, lasted);
            return true;
        }
    }
    return false;
}

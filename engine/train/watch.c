/* SPDX-License-Identifier: MIT */
#include "engine/train/watch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MEMORY     0.98 /* a step's share is 2 %: about 50 steps are remembered */
#define QUIET      50   /* steps before the first event and between two */
#define DEVIATIONS 6.0
#define STALL      4.0 /* times the usual duration */
#define STALL_MIN  1.0 /* seconds */

void lw_watch_init(struct lw_watch *w)
{
    memset(w, 0, sizeof *w);
}

static void take(struct lw_watch_series *s, double x)
{
    s->mean = MEMORY * s->mean + (1.0 - MEMORY) * x;
    s->square = MEMORY * s->square + (1.0 - MEMORY) * x * x;
    s->weight = MEMORY * s->weight + (1.0 - MEMORY);
    s->count++;
}

/* How many deviations x lies above what came before; 0 while too little did. */
static double excess(const struct lw_watch_series *s, uint64_t step, double x)
{
    double mean, variance;

    if (s->count < QUIET || (s->told && step - s->told < QUIET))
        return 0;
    mean = s->mean / s->weight;
    variance = s->square / s->weight - mean * mean;
    return variance > 0 ? (x - mean) / sqrt(variance) : 0;
}

static bool spike(struct lw_watch_series *s, uint64_t step, double x, const char *what, char *text,
                  size_t size)
{
    double z = excess(s, step, x), usual = s->weight > 0 ? s->mean / s->weight : 0;

    take(s, x);
    if (z < DEVIATIONS)
        return false;
    s->told = step;
    snprintf(text, size, "%s spike at step %" PRIu64 ": %.4g, %.0f deviations above its usual %.4g",
             what, step, x, z, usual);
    return true;
}

static bool stall(struct lw_watch_series *s, uint64_t step, double x, char *text, size_t size)
{
    double usual = s->weight > 0 ? s->mean / s->weight : 0;
    bool slow = s->count >= QUIET && x > STALL * usual && x > STALL_MIN &&
                (!s->told || step - s->told >= QUIET);

    take(s, x);
    if (!slow)
        return false;
    s->told = step;
    snprintf(text, size, "slow step %" PRIu64 ": %.1f s, usually %.2f s", step, x, usual);
    return true;
}

bool lw_watch_step(struct lw_watch *w, uint64_t step, double loss, double norm, double seconds,
                   char *text, size_t size)
{
    char other[200];
    bool told = false;

    if (isfinite(loss))
        told = spike(&w->loss, step, loss, "loss", text, size);
    if (isfinite(norm) && spike(&w->norm, step, norm, "gradient norm", told ? other : text,
                                told ? sizeof other : size))
        told = true;
    return stall(&w->seconds, step, seconds, told ? other : text, told ? sizeof other : size) ||
           told;
}

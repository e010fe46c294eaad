/* SPDX-License-Identifier: MIT
 *
 * leeway bench drift: how often verdicts are right; bench_drift_speed.c has how fast they are. */
#include <math.h>
#include <string.h>

#include "engine/drift/simulate.h"
#include "engine/train/bench.h"

#define BUDGET    500  /* checks between two false alarms */
#define PRECISION 0.02 /* standard error of a mean, at which it has runs enough, */
#define RUNS      10   /* times the trials at most */

static int put(json_t *out, const char *key, double x)
{
    return json_object_set_new(out, key, json_real(x));
}

static void bench_errors(json_t *out, int trials)
{
    static const uint64_t size[] = {16, 50, 100, 1000, 100000};
    static const int bins[] = {2, 5, 10, 100, 1000};
    json_t *list = json_array();
    double worst = 0;

    for (int k = 0; k < 5; k++)
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 5; j++) {
                struct lw_simulated s = lw_simulate_null(size[i], size[j], bins[k], trials);

                worst = fmax(worst, s.warn);
                json_array_append_new(
                    list, json_pack("{s:i, s:I, s:I, s:f, s:f, s:f}", "bins", bins[k], "reference",
                                    (json_int_t)size[i], "current", (json_int_t)size[j], "warn",
                                    s.warn, "alert", s.alert, "unsure", s.unsure));
            }
    json_object_set_new(out, "without_drift", list);
    put(out, "worst_false_alarm_rate", worst);
}

static void bench_power(json_t *out, int trials)
{
    static const uint64_t size[][2] = {{1000, 50},    {1000, 200},    {1000, 1000},
                                       {100000, 200}, {100000, 1000}, {100000, 10000}};
    static const double distance[] = {0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3};
    json_t *list = json_array();

    for (int i = 0; i < 6; i++)
        for (int d = 0; d < 7; d++) {
            struct lw_simulated s = lw_simulate_power(size[i][0], size[i][1], distance[d], trials);

            json_array_append_new(list,
                                  json_pack("{s:I, s:I, s:f, s:f, s:f, s:f}", "reference",
                                            (json_int_t)size[i][0], "current",
                                            (json_int_t)size[i][1], "distance", distance[d], "warn",
                                            s.warn, "alert", s.alert, "unsure", s.unsure));
        }
    json_object_set_new(out, "power", list);
}

/* One setting more, in a row of its own. */
static int add_alarm(json_t *list, const struct lw_alarm_setting *s, int runs, struct lw_error *err)
{
    static const char *const data[] = {
        [LW_ALARM_LENGTHS] = "lengths", [LW_ALARM_IMAGES] = "images", [LW_ALARM_TOKENS] = "tokens"};
    struct lw_alarm_result r;
    int rc = lw_simulate_alarm(s, PRECISION, runs, &r, err);

    if (rc)
        return rc;
    json_array_append_new(list,
                          json_pack("{s:s, s:i, s:I, s:I, s:f, s:f, s:f, s:f, s:i}", "data",
                                    data[s->data], "bins", s->bins, "window", (json_int_t)s->window,
                                    "reference", (json_int_t)(s->ratio * s->window), "distance",
                                    s->distance, "budget", s->budget, "checks_to_alarm", r.mean,
                                    "standard_error", r.error, "runs", r.runs));
    return 0;
}

/* Without drift: how many checks pass until a false alarm. */
static int bench_alarm(json_t *out, int runs, struct lw_error *err)
{
    static const uint64_t window[] = {50, 1000, 100000}, ratio[] = {10, 100};
    static const int bins[] = {2, 10, 50, 1000};
    json_t *list = json_array();
    int rc = 0;

    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; !rc && j < 2; j++)
                rc = add_alarm(list,
                               &(struct lw_alarm_setting){LW_ALARM_LENGTHS, bins[k], window[i],
                                                          ratio[j], 0, BUDGET},
                               runs, err);
    for (int i = 0; i < 2; i++)
        for (int j = 0; !rc && j < 2; j++)
            rc = add_alarm(
                list,
                &(struct lw_alarm_setting){LW_ALARM_IMAGES, 16, window[i], ratio[j], 0, BUDGET},
                runs, err);
    for (int j = 0; !rc && j < 2; j++)
        rc = add_alarm(list,
                       &(struct lw_alarm_setting){LW_ALARM_TOKENS, 200, 64, ratio[j], 0, BUDGET},
                       runs, err);
    json_object_set_new(out, "alarm", list);
    return rc;
}

/* With drift from the first check on: how many checks it takes. */
static int bench_delay(json_t *out, int runs, struct lw_error *err)
{
    static const uint64_t window[] = {50, 200, 1000, 10000}, ratio[] = {10, 100};
    static const double distance[] = {0.02, 0.05, 0.1};
    json_t *list = json_array();
    int rc = 0;

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 2; j++)
            for (int d = 0; !rc && d < 3; d++)
                rc = add_alarm(list,
                               &(struct lw_alarm_setting){LW_ALARM_LENGTHS, 10, window[i], ratio[j],
                                                          distance[d], BUDGET},
                               runs, err);
    json_object_set_new(out, "delay", list);
    return rc;
}

int lw_bench_drift(struct lw_bench_args *a, json_t *out, struct lw_error *err)
{
    const char *what = lw_bench_take(a, "what", "speed");
    int trials, rc = lw_bench_take_number(a, "trials", 2000, 1, 10000000, &trials, err);

    if (!rc)
        rc = lw_bench_all_taken(a, err);
    if (rc)
        return rc;
    if (!strcmp(what, "speed"))
        return lw_bench_drift_speed(out, err);
    if (!strcmp(what, "errors"))
        bench_errors(out, trials);
    else if (!strcmp(what, "power"))
        bench_power(out, trials);
    else if (!strcmp(what, "alarm"))
        return bench_alarm(out, RUNS * trials, err);
    else if (!strcmp(what, "delay"))
        return bench_delay(out, RUNS * trials, err);
    else
        return lw_fail(err, LW_EUSAGE, "what=%s is none of speed, errors, power, alarm, delay",
                       what);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "engine/drift/verdict.h"

#include <math.h>

#include "engine/drift/bins.h"
#include "engine/drift/divergence.h"
#include "engine/drift/special.h"

#define DETECTED     0.01 /* level of the test behind "detectable" */
#define MANY         256 /* bins from which the divergence itself is the test: it is as good there */
#define WIDE         64  /* bins from which their logarithms are taken many at a time */
#define Z_SHARE      2.33
#define HALF         0.5
#define NEEDED_LIMIT 1e15

static const struct {
    const char *name, *words;
} states[] = {
    [LW_STATE_NONE] = {"", ""},
    [LW_DRIFT_OK] = {"ok", "ok"},
    [LW_DRIFT_NO_DATA] = {"no_data", "no data"},
    [LW_DRIFT_UNSURE] = {"unsure", "unsure"},
    [LW_DRIFT_UNKNOWN] = {"unknown", "unknown"},
    [LW_DRIFT_WARN] = {"warn", "warn"},
    [LW_DRIFT_ALERT] = {"alert", "alert"},
};

const char *lw_drift_state_name(enum lw_state s)
{
    return states[s].name;
}

const char *lw_drift_state_words(enum lw_state s)
{
    return states[s].words;
}

enum lw_state lw_drift_worse(enum lw_state a, enum lw_state b)
{
    if (a == LW_DRIFT_NO_DATA && b != LW_STATE_NONE)
        return b;
    if (b == LW_DRIFT_NO_DATA && a != LW_STATE_NONE)
        return a;
    return a > b ? a : b;
}

enum lw_state lw_classify(double value, double warn, double alert)
{
    return isnan(value)    ? LW_DRIFT_UNKNOWN
           : value < warn  ? LW_DRIFT_OK
           : value < alert ? LW_DRIFT_WARN
                           : LW_DRIFT_ALERT;
}

enum lw_state lw_classify_high(double value, double warn, double alert)
{
    return isnan(value)    ? LW_DRIFT_UNKNOWN
           : value > warn  ? LW_DRIFT_OK
           : value > alert ? LW_DRIFT_WARN
                           : LW_DRIFT_ALERT;
}

/* The variance of a debiased square, as it falls with m items: fixed + once / m + twice / m^2. */
struct spread {
    double fixed, once, twice;
};

/* The smallest m whose bounds, z deviations wide, clear the gap to the threshold. */
static int64_t items_needed(const struct spread *s, double gap, double threshold, double z,
                            uint64_t m)
{
    double k = gap * gap / z / z - s->fixed, x;

    if (gap < 0.01 * threshold)
        return LW_NEED_THRESHOLD;
    if (k <= 0)
        return LW_NEED_REFERENCE;
    x = s->twice > 0 ? (sqrt(s->once * s->once + 4 * s->twice * k) - s->once) / (2 * s->twice)
                     : k / s->once;
    if (!(x > 0) || 1 / x > NEEDED_LIMIT)
        return LW_NEED_REFERENCE;
    return 1 / x <= (double)m ? 1 : (int64_t)(ceil(1 / x) - (double)m);
}

/* Bounds of a debiased square against the squares of the thresholds. */
static void judge_square(struct lw_verdict *v, double square, double bias, const struct spread *s,
                         uint64_t m, double warn, double alert, double z)
{
    double items = (double)m;
    double width = z * sqrt(s->fixed + s->once / items + s->twice / items / items);
    double low = square - bias - width, high = square - bias + width;

    v->low = sqrt(fmax(low, 0));
    v->high = sqrt(fmax(high, 0));
    v->debiased = sqrt(fmax(square - bias, 0));
    v->floor = sqrt(bias);
    if (isnan(square) || isnan(width)) {
        v->state = LW_DRIFT_UNKNOWN;
    } else if (low > alert * alert) {
        v->state = LW_DRIFT_ALERT;
    } else if (low > warn * warn) {
        v->state = LW_DRIFT_WARN;
    } else if (high < warn * warn) {
        v->state = LW_DRIFT_OK;
    } else {
        v->state = LW_DRIFT_UNSURE;
        v->needed = items_needed(s, fabs(square - bias - warn * warn), warn * warn, z, m);
    }
}

/* ln(1 + d) for a variance, where six digits do. */
static double log_ratio(double d)
{
    return fabs(d) < 0.05 ? d * (1 - d * (0.5 - d * (1.0 / 3 - d * (0.25 - d * 0.2)))) : log1p(d);
}

/* How much the log ratios that make up JS vary, on each side. Half a count is added to each bin: a
 * bin that is empty by chance would else seem to vary not at all, and a handful of items in a few
 * bins would be sure of what they cannot know. */
static void js_variance(const uint64_t *a, const uint64_t *b, size_t k, uint64_t n, uint64_t m,
                        double *of_a, double *of_b)
{
    double sum[2] = {0}, squares[2] = {0}, all[4];
    double per_n = 1 / ((double)n + HALF * (double)k), per_m = 1 / ((double)m + HALF * (double)k);

    if (k >= WIDE && (n | m) < LW_DIVERGENCE_LIMIT && lw_divergence_ready()) {
        lw_divergence_moments(a, b, k, n, m, HALF, all);
        *of_a = fmax(all[2] - all[0] * all[0], 0);
        *of_b = fmax(all[3] - all[1] * all[1], 0);
        return;
    }
    for (size_t i = 0; i < k; i++) {
        double p = ((double)a[i] + HALF) * per_n, q = ((double)b[i] + HALF) * per_m;
        double d = (p - q) / (p + q), x = log_ratio(d), y = log_ratio(-d);

        sum[0] += p * x;
        sum[1] += q * y;
        squares[0] += p * x * x;
        squares[1] += q * y * y;
    }
    *of_a = fmax(squares[0] - sum[0] * sum[0], 0);
    *of_b = fmax(squares[1] - sum[1] * sum[1], 0);
}

/* Both sides lie in one bin whole. What 99 % of such samples leave outside is at most
 * -ln(0.01) / n, and that much mass elsewhere makes at most that much times ln 2 of divergence. */
static struct lw_verdict judge_point(uint64_t n, uint64_t m, double warn)
{
    struct lw_verdict v = {.chance = {NAN, NAN}, .bins = 1, .state = LW_DRIFT_UNSURE};
    double outside = -log(0.01) * M_LN2, high = outside * (1 / (double)n + 1 / (double)m);
    double room = warn * warn - outside / (double)n;

    v.high = sqrt(high);
    if (high < warn * warn)
        v.state = LW_DRIFT_OK;
    else
        v.needed =
            room <= 0 ? LW_NEED_REFERENCE : (int64_t)fmax(1, ceil(outside / room - (double)m) + 1);
    return v;
}

size_t lw_bins_filled(const uint64_t *a, const uint64_t *b, size_t k)
{
    size_t n = 0;

    for (size_t i = 0; i < k; i++)
        n += (a[i] | b[i]) != 0;
    return n;
}

struct lw_verdict lw_judge_js(const uint64_t *a, const uint64_t *b, size_t k,
                              const struct lw_js_rule *rule)
{
    struct lw_verdict v = {.chance = {NAN, NAN}, .bins = k};
    uint64_t n = lw_bins_sum(a, k), m = lw_bins_sum(b, k);
    double df = (double)k - 1, f = rule->effect, c, square, of_a, of_b, tail;
    struct spread s;

    if (!n || !m) {
        v.state = LW_DRIFT_NO_DATA;
        return v;
    }
    if (rule->filled < 2)
        return judge_point(n, m, rule->warn);
    if (k < 2 || isnan(f)) {
        v.state = LW_DRIFT_UNSURE;
        return v;
    }
    c = (1 / (double)n + 1 / (double)m) / 8;
    square = rule->divergence ? *rule->divergence : lw_js_divergence(a, b, k);
    js_variance(a, b, k, n, m, &of_a, &of_b);
    s.fixed = 2 * df * f * f / 64 / (double)n / (double)n + f * of_a / 4 / (double)n;
    s.once = 4 * df * f * f / 64 / (double)n + f * of_b / 4;
    s.twice = 2 * df * f * f / 64;
    judge_square(&v, square, df * c * f, &s, m, rule->warn, rule->alert, rule->z);
    tail = lw_chi2_tail(k > MANY ? square / (c * f) : lw_homogeneity(a, b, k).williams / f, df);
    v.detectable = tail < DETECTED;
    return v;
}

/* x' A y */
static double form(const double x[3], const double a[3][3], const double y[3])
{
    double sum = 0;

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            sum += x[i] * a[i][j] * y[j];
    return sum;
}

/* trace(A B) of symmetric matrices */
static double trace(const double a[3][3], const double b[3][3])
{
    double sum = 0;

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            sum += a[i][j] * b[i][j];
    return sum;
}

struct lw_verdict lw_judge_means(const double mean[2][3], const double covariance[2][3][3],
                                 uint64_t n, uint64_t m, double warn, double alert)
{
    struct lw_verdict v = {.chance = {NAN, NAN}, .bins = 1};
    double d[3], square = 0, bias = 0, items = (double)n;
    struct spread s;

    if (!n || !m) {
        v.state = LW_DRIFT_NO_DATA;
        return v;
    }
    if (n < 2 || m < 2) {
        v.state = LW_DRIFT_UNSURE;
        return v;
    }
    for (int i = 0; i < 3; i++) {
        d[i] = mean[0][i] - mean[1][i];
        square += d[i] * d[i];
        bias += covariance[0][i][i] / items + covariance[1][i][i] / (double)m;
    }
    s.fixed = 4 * form(d, covariance[0], d) / items +
              2 * trace(covariance[0], covariance[0]) / items / items;
    s.once = 4 * form(d, covariance[1], d) + 4 * trace(covariance[0], covariance[1]) / items;
    s.twice = 2 * trace(covariance[1], covariance[1]);
    judge_square(&v, square, bias, &s, m, warn, alert, LW_Z_ONE);
    return v;
}

struct lw_verdict lw_judge_share(double share, double mean, double deviation, uint64_t m,
                                 double warn, double alert)
{
    struct lw_verdict v = {.chance = {NAN, NAN}, .bins = 1};
    double width = Z_SHARE * deviation, gap, more;

    v.debiased = fmin(share + 1 - mean, 1);
    v.low = fmax(v.debiased - width, 0);
    v.high = fmin(v.debiased + width, 1);
    v.floor = mean;
    if (isnan(v.debiased) || isnan(width)) {
        v.state = LW_DRIFT_UNKNOWN;
    } else if (share + 1 - mean + width < alert) {
        v.state = LW_DRIFT_ALERT;
    } else if (share + 1 - mean + width < warn) {
        v.state = LW_DRIFT_WARN;
    } else if (v.low > warn) {
        v.state = LW_DRIFT_OK;
    } else {
        v.state = LW_DRIFT_UNSURE;
        gap = fabs(v.debiased - warn);
        more = (double)m * (width * width / gap / gap - 1); /* deviation falls with sqrt(m) */
        v.needed = gap < 0.005 ? LW_NEED_THRESHOLD : (int64_t)fmax(1, fmin(more, NEEDED_LIMIT));
    }
    return v;
}

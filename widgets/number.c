/* SPDX-License-Identifier: MIT */
#include "widgets/axis.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

#define MINUTE 60.0
#define HOUR   3600.0
#define DAY    86400.0

static int LW_PRINTF(2, 3) put(char *out, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(out, LW_NUMBER_SIZE, fmt, ap);
    va_end(ap);
    return n < 0 ? 0 : n >= LW_NUMBER_SIZE ? LW_NUMBER_SIZE - 1 : n;
}

/* 6.00e-4: C's exponents have a sign and two digits at least, which is clutter here. The longer
 * the exponent, the fewer digits before it. */
static int put_power(char *out, double v, int decimals)
{
    int exponent = (int)floor(log10(fabs(v))), half = exponent / 2, most;
    /* In two steps, for the power of the smallest numbers overflows. */
    double mantissa = v / pow(10, half) / pow(10, exponent - half);

    most = abs(exponent) >= 99 ? 0 : abs(exponent) >= 9 ? 1 : 2;
    decimals = decimals < most ? decimals : most;
    if (fabs(mantissa) + 0.5 * pow(10, -decimals) >= 10) {
        mantissa /= 10;
        exponent++;
    }
    return put(out, "%.*fe%d", decimals, mantissa, exponent);
}

/* What to divide by and the letter that says so; 0 for numbers too large for letters. */
static double scale_of(double v, char *letter)
{
    double scale = 1e3;

    for (int i = 0; i < 4; i++, scale *= 1e3) {
        *letter = "kMGT"[i];
        if (fabs(v) < scale * 999.5)
            return scale;
    }
    return 0;
}

static int put_compact(char *out, double v)
{
    double size = fabs(v), scale;
    char letter;

    if (v == 0)
        return put(out, "0");
    if (size < 0.00995)
        return put_power(out, v, 2);
    if (size < 9.9995)
        return put(out, "%.*f", size < 0.09995 ? 4 : 3, v);
    if (size < 999.95)
        return put(out, "%.*f", size < 99.995 ? 2 : 1, v);
    scale = scale_of(v, &letter);
    if (scale == 0)
        return put_power(out, v, 2);
    size /= scale;
    return put(out, "%.*f%c", size < 9.995 ? 2 : size < 99.95 ? 1 : 0, v / scale, letter);
}

static int put_grouped(char *out, double v)
{
    char digits[16];
    int n = snprintf(digits, sizeof digits, "%.0f", fabs(v)), used = 0;

    if (v <= -0.5)
        out[used++] = '-';
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return used;
}

/* brief: without a second unit that is zero. */
static int put_two_units(char *out, double s, double large, const char *unit, double small,
                         const char *rest, bool brief)
{
    double whole = floor(s / large), part = floor((s - whole * large) / small);

    if (brief && part == 0)
        return put(out, "%.0f%s", whole, unit);
    return put(out, "%.0f%s%02.0f%s", whole, unit, part, rest);
}

static int put_duration(char *out, double s, bool brief)
{
    if (s < 0) {
        out[0] = '-';
        return 1 + put_duration(out + 1, fmin(-s, 999 * DAY), brief);
    }
    if (s == 0)
        return put(out, "0s");
    if (s < 0.9995)
        return put(out, "%.*fms", s < 0.00995 ? 1 : 0, s * 1e3);
    if (s < 9.95 && !(brief && s == floor(s)))
        return put(out, "%.1fs", s);
    if (s < 59.5)
        return put(out, "%.0fs", s);
    s = floor(s + 0.5);
    if (s < HOUR)
        return put_two_units(out, s, MINUTE, "m", 1, "s", brief);
    if (s < DAY)
        return put_two_units(out, s, HOUR, "h", MINUTE, "m", brief);
    if (s < 100 * DAY)
        return put_two_units(out, s, DAY, "d", HOUR, "h", brief);
    return s < 1e5 * DAY ? put(out, "%.0fd", s / DAY) : put_power(out, s, 1);
}

/* NaN and the infinities; 0 for ordinary numbers. */
static int put_special(char *out, double v)
{
    if (isnan(v))
        return put(out, "--");
    if (isinf(v))
        return put(out, v < 0 ? "-inf" : "inf");
    return 0;
}

int lw_number_format(double v, enum lw_number kind, char out[LW_NUMBER_SIZE])
{
    int n = put_special(out, v);

    if (n > 0)
        return n;
    switch (kind) {
    case LW_NUMBER_INTEGER:
        if (fabs(v) < 1e7 - 0.5)
            return put_grouped(out, v);
        break;
    case LW_NUMBER_PERCENT:
        if (fabs(v) < 9.9995)
            return put(out, "%.1f%%", v * 100);
        if (isinf(v * 100))
            return put_special(out, v * 100);
        n = put_compact(out, v * 100);
        return n + put(out + n, "%%");
    case LW_NUMBER_DURATION:
        return put_duration(out, v, false);
    case LW_NUMBER_FIXED3:
        if (fabs(v) < 999.9995)
            return put(out, "%.3f", v);
        break;
    case LW_NUMBER_COMPACT:
        break;
    }
    return put_compact(out, v);
}

/* Decimals that tell multiples of step apart, no more than fit. */
static int decimals_of(double step)
{
    int n = 0;

    while (n < 5 && fabs(step - floor(step + 0.5)) > 1e-6 * fabs(step)) {
        step *= 10;
        n++;
    }
    return n;
}

static int put_tick(char *out, double v, double step)
{
    double size = fabs(v), scale;
    char letter;

    if (size >= 1e5 || (size >= 1e3 && step >= 10)) {
        int decimals;

        scale = scale_of(v, &letter);
        if (scale == 0)
            return put_power(out, v, 1);
        /* 1k next to 1.5k: with a letter behind them, decimals need not line up. */
        decimals = decimals_of(v / scale);
        return put(out, "%.*f%c", decimals > 3 ? 3 : decimals, v / scale, letter);
    }
    if (size < 0.01 && step < 0.00099) {
        int apart = (int)floor(log10(size) + 1e-9) - (int)floor(log10(step) + 1e-9);

        return put_power(out, v, apart < 0 ? 0 : apart > 3 ? 3 : apart);
    }
    return put(out, "%.*f", decimals_of(step), v);
}

int lw_number_tick(double v, double step, enum lw_number kind, char out[LW_NUMBER_SIZE])
{
    int n = put_special(out, v);

    if (n > 0)
        return n;
    if (!(step > 0)) {
        step = v == 0 ? 1 : pow(10, floor(log10(fabs(v)) + 1e-9));
        if (!(step > 0))
            return lw_number_format(v, kind, out);
    }
    if (fabs(v) <= step * 1e-6) /* equal: both are zero below the smallest numbers */
        return put(out, "0");
    switch (kind) {
    case LW_NUMBER_PERCENT:
        if (isinf(v * 100))
            return put_special(out, v * 100);
        n = put_tick(out, v * 100, step * 100);
        return n + put(out + n, "%%");
    case LW_NUMBER_DURATION:
        return put_duration(out, v, true);
    default:
        return put_tick(out, v, step);
    }
}

double lw_number_about(double v)
{
    double unit = fabs(v) < 100 ? 1 : pow(10, floor(log10(fabs(v))) - 1);

    return isfinite(v) ? round(v / unit) * unit : v;
}

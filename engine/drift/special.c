/* SPDX-License-Identifier: MIT */
#include "engine/drift/special.h"

#include <float.h>
#include <math.h>

#define ROUNDS 100000

double lw_chi2_tail(double x, double df)
{
    double a = df / 2, y = x / 2, scale;

    if (!(df > 0) || isnan(x))
        return NAN;
    if (x <= 0)
        return 1;
    scale = exp(a * log(y) - y - lgamma(a));
    if (y < a + 1) {
        double term = 1 / a, sum = term;

        for (int i = 1; i < ROUNDS && term > sum * DBL_EPSILON / 4; i++)
            sum += term *= y / (a + i);
        return fmax(0, 1 - scale * sum);
    } else {
        double b = y + 1 - a, c = 1 / DBL_MIN, d = 1 / b, h = d;

        for (int i = 1; i < ROUNDS; i++) { /* Lentz's way through the continued fraction */
            double an = -i * (i - a), step;

            b += 2;
            d = an * d + b;
            d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
            c = b + an / c;
            c = fabs(c) < DBL_MIN ? DBL_MIN : c;
            h *= step = d * c;
            if (fabs(step - 1) < DBL_EPSILON)
                break;
        }
        return scale * h;
    }
}

double lw_normal_tail_inverse(double tail)
{
    double p = tail < 0.5 ? tail : 1 - tail, t, z;

    if (!(tail > 0 && tail < 1))
        return tail <= 0 ? INFINITY : tail >= 1 ? -INFINITY : NAN;
    t = sqrt(-2 * log(p)); /* Abramowitz and Stegun 26.2.23: to 4.5e-4 */
    z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < 3; i++) {
        double e = 0.5 * erfc(z / sqrt(2)) - p;
        double u = e * sqrt(2 * M_PI) * exp(z * z / 2);

        z += u / (1 - z * u / 2);
    }
    return tail < 0.5 ? z : -z;
}

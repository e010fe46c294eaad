/* SPDX-License-Identifier: MIT */
#include "engine/run/cell.h"

#include <csv.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/text.h"

size_t lw_cell_number(double value, char *out)
{
    int n;

    if (isnan(value))
        n = snprintf(out, 32, "nan");
    else if (isinf(value))
        n = snprintf(out, 32, "%sinf", value < 0 ? "-" : "");
    else if (value == floor(value) && fabs(value) < 9007199254740992.0)
        n = snprintf(out, 32, "%.0f", value == 0 ? 0.0 : value);
    else
        for (int digits = 6;; digits++) {
            n = snprintf(out, 32, "%.*g", digits, value);
            if (digits == 9 || strtof(out, NULL) == (float)value)
                break;
        }
    return (size_t)n;
}

size_t lw_cell_text(const char *text, size_t n, char *out, size_t size)
{
    char *clean = malloc(n + 2);
    size_t len;

    if (!clean)
        return csv_write(out, size, "", 0);
    len = lw_text_clean(text, n, clean + 1, n + 1);
    *clean = '\'';
    if (len && strchr("=+-@", clean[1]))
        n = csv_write(out, size, clean, len + 1);
    else
        n = csv_write(out, size, clean + 1, len);
    free(clean);
    return n < size ? n : size;
}

static enum lw_csv_cell word(const char *s, size_t n, double *value)
{
    static const struct {
        const char *name;
        enum lw_csv_cell cell;
        double value;
    } words[] = {
        {"na", LW_CSV_EMPTY, NAN},
        {"n/a", LW_CSV_EMPTY, NAN},
        {"null", LW_CSV_EMPTY, NAN},
        {"none", LW_CSV_EMPTY, NAN},
        {"nan", LW_CSV_BAD, NAN},
        {"-nan", LW_CSV_BAD, NAN},
        {"inf", LW_CSV_BAD, INFINITY},
        {"+inf", LW_CSV_BAD, INFINITY},
        {"-inf", LW_CSV_BAD, -INFINITY},
        {"infinity", LW_CSV_BAD, INFINITY},
        {"-infinity", LW_CSV_BAD, -INFINITY},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (n == strlen(words[i].name) && !strncasecmp(s, words[i].name, n)) {
            *value = words[i].value;
            return words[i].cell;
        }
    *value = NAN;
    return LW_CSV_TEXT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum lw_csv_cell lw_cell_value(const char *text, size_t n, double *value)
{
    char number[128], *end;

    while (n && is_blank(*text)) {
        text++;
        n--;
    }
    while (n && is_blank(text[n - 1]))
        n--;
    *value = NAN;
    if (!n)
        return LW_CSV_EMPTY;
    for (size_t i = 0; i < n; i++)
        if (!memchr("0123456789+-.eE", text[i], 15))
            return word(text, n, value);
    if (n >= sizeof(number))
        return LW_CSV_TEXT;
    memcpy(number, text, n);
    number[n] = '\0';
    *value = strtod(number, &end);
    if (*end || end == number) {
        *value = NAN;
        return LW_CSV_TEXT;
    }
    return isfinite(*value) ? LW_CSV_NUMBER : LW_CSV_BAD;
}

/* SPDX-License-Identifier: MIT */
#include "engine/usage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

int lw_usage_number(const char *option, const char *text, double low, double high, bool whole,
                    double *out, struct lw_error *err)
{
    char *end;
    double x = strtod(text, &end);

    if (end == text || *end || !(x >= low && x <= high) || (whole && x != floor(x)))
        return lw_fail(err, LW_EUSAGE, "%s: \"%s\" is not a %snumber from %g to %g", option, text,
                       whole ? "whole " : "", low, high);
    *out = x;
    return 0;
}

int lw_usage_option(int argc, char **argv, const char *letters, const struct option *words)
{
    int c = getopt_long(argc, argv, letters, words, NULL);
    const char *name = NULL;

    /* only a value in a word of its own begins where the word before optind does */
    if (c == -1 || c == '?' || !optarg || optarg != argv[optind - 1] ||
        strncmp(optarg, "--", 2) != 0)
        return c;
    for (const struct option *w = words; w->name && !name; w++)
        if (w->val == c && w->has_arg)
            name = w->name;
    fprintf(stderr,
            "leeway-engine: --%s needs a value, not the option %s; --%s=%s if that is the value\n",
            name, optarg, name, optarg);
    return '?';
}

int lw_usage_end(int rc, const struct lw_error *err)
{
    const char *line = err->text;
    char clean[sizeof err->text];

    while (rc && *line) {
        size_t n = strcspn(line, "\n");

        lw_text_clean(line, n, clean, sizeof clean);
        fprintf(stderr, "leeway-engine: %s\n", clean);
        line += n + (line[n] == '\n');
    }
    return !rc ? 0 : rc == LW_EUSAGE ? 2 : 1;
}

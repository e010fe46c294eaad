/* SPDX-License-Identifier: MIT */
#include "tui/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/nearest.h"

/* Append a line to err. */
static void complain(struct lw_error *err, const char *fmt, ...) LW_PRINTF(2, 3);

static void complain(struct lw_error *err, const char *fmt, ...)
{
    size_t used = err->code ? strlen(err->text) : 0;
    va_list ap;

    err->code = LW_EUSAGE;
    if (used && used + 2 < sizeof err->text)
        err->text[used++] = '\n';
    va_start(ap, fmt);
    vsnprintf(err->text + used, sizeof err->text - used, fmt, ap);
    va_end(ap);
}

static void unknown(const struct lw_option *table, const char *given, struct lw_error *err)
{
    const char *names[LW_ARGS_OPTIONS], *near;
    char shown[96];
    int n = 0;

    for (; table[n].name; n++)
        names[n] = table[n].name;
    lw_text_clean(given, strlen(given), shown, sizeof shown);
    near = given[0] && given[1] ? lw_nearest(given, names, n) : NULL;
    if (near)
        complain(err, "unknown option --%s: did you mean --%s?", shown, near);
    else
        complain(err, "unknown option -%s%s: see --help", given[0] && given[1] ? "-" : "", shown);
}

static int find_name(const struct lw_option *table, const char *name, size_t n)
{
    for (int i = 0; table[i].name; i++)
        if (strlen(table[i].name) == n && !memcmp(table[i].name, name, n))
            return i;
    return -1;
}

static int find_letter(const struct lw_option *table, char c)
{
    for (int i = 0; table[i].name; i++)
        if (table[i].letter && table[i].letter == c)
            return i;
    return -1;
}

/* Where a value belongs stands another option: nobody's file is called so without a word. */
static void no_value(const struct lw_option *o, const char *given, struct lw_error *err)
{
    bool file = !strcmp(o->value, "FILE"), folder = !strcmp(o->value, "DIR");
    char shown[96];

    lw_text_clean(given, strlen(given), shown, sizeof shown);
    if (file || folder)
        complain(err, "--%s needs a %s name, not the option %s; a %s of that name is ./%s", o->name,
                 file ? "file" : "folder", shown, file ? "file" : "folder", shown);
    else
        complain(err, "--%s needs a value (%s), not the option %s", o->name, o->value, shown);
}

/* One option at argv[0]; returns how many words it took. */
static int take_option(struct lw_args *a, int argc, char **argv, struct lw_error *err)
{
    const char *text = argv[0], *eq = NULL, *name;
    int row;

    if (text[1] == '-') {
        name = text + 2;
        eq = strchr(name, '=');
        row = find_name(a->option, name, eq ? (size_t)(eq - name) : strlen(name));
    } else {
        name = text + 1;
        row = name[1] ? -1 : find_letter(a->option, name[0]);
    }
    if (row < 0) {
        char part[64];

        snprintf(part, sizeof part, "%.*s", eq ? (int)(eq - name) : (int)strlen(name), name);
        unknown(a->option, part, err);
        return 1;
    }
    if (!a->option[row].value) {
        if (eq)
            complain(err, "--%s takes no value", a->option[row].name);
        a->value[row] = "";
        return 1;
    }
    if (eq) {
        a->value[row] = eq + 1;
        return 1;
    }
    if (argc < 2) {
        complain(err, "--%s needs a value: --%s %s", a->option[row].name, a->option[row].name,
                 a->option[row].value);
        return 1;
    }
    if (!strncmp(argv[1], "--", 2))
        no_value(&a->option[row], argv[1], err);
    a->value[row] = argv[1];
    return 2;
}

int lw_args_parse(struct lw_args *a, const struct lw_option *table, int argc, char **argv,
                  struct lw_error *err)
{
    int i = 0, literal = 0;

    memset(a, 0, sizeof *a);
    err->code = 0;
    a->option = table;
    a->word = calloc((size_t)argc + 1, sizeof *a->word);
    if (!a->word)
        return lw_fail(err, LW_EMEM, "out of memory");
    while (i < argc) {
        if (!literal && !strcmp(argv[i], "--")) {
            literal = 1;
            i++;
        } else if (!literal && argv[i][0] == '-' && argv[i][1]) {
            i += take_option(a, argc - i, argv + i, err);
        } else {
            a->word[a->words++] = argv[i++];
        }
    }
    return err->code;
}

void lw_args_fini(struct lw_args *a)
{
    free(a->word);
    a->word = NULL;
}

const char *lw_args_get(const struct lw_args *a, const char *name)
{
    int row = find_name(a->option, name, strlen(name));

    return row < 0 ? NULL : a->value[row];
}

int lw_parse_int(const char *text, const char *what, long low, long high, long *out,
                 struct lw_error *err)
{
    char *end, shown[64];

    errno = 0;
    *out = strtol(text, &end, 10);
    if (!errno && end != text && !*end && *out >= low && *out <= high)
        return 0;
    lw_text_clean(text, strlen(text), shown, sizeof shown);
    return lw_fail(err, LW_EUSAGE, "%s must be a whole number from %ld to %ld, not '%s'", what, low,
                   high, shown);
}

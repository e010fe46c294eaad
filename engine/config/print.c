/* SPDX-License-Identifier: MIT
 *
 * Fields to text: the saved file, single values, help.
 */
#include "engine/config/field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/io.h"
#include "engine/base/text.h"

static const void *member(const struct lw_config *c, const struct lw_field *f)
{
    return (const char *)c + f->at;
}

/* The shortest decimal that reads back as the same double. */
static void print_double(double v, FILE *out)
{
    char text[40];

    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    fputs(text, out);
}

/* Would a plain scalar read back as this very string and nothing else? */
static bool is_plain(const char *s)
{
    static const char *const words[] = {"null", "none", "true", "false", "yes",
                                        "no",   "on",   "off",  "auto",  "all"};
    size_t n = strlen(s);

    if (!n ||
        strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-@") != n)
        return false;
    if (strchr("0123456789.+-@", *s))
        return *s == '.' && (s[1] == '/' || s[1] == '.');
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcasecmp(s, words[i]))
            return false;
    return true;
}

static void print_string(const char *s, FILE *out)
{
    if (is_plain(s)) {
        fputs(s, out);
        return;
    }
    fputc('"', out);
    while (*s) {
        uint32_t code = 0;
        size_t n = lw_utf8_decode(s, strlen(s), &code);

        if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (int)code);
        else if (code == '\n')
            fputs("\\n", out);
        else if (code == '\t')
            fputs("\\t", out);
        else if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
                 code == 0xfeff || code == 0xfffe || code == 0xffff)
            fprintf(out, "\\u%04X", (unsigned)code);
        else
            fwrite(s, 1, n, out);
        s += n ? n : 1;
    }
    fputc('"', out);
}

static void print_words(const struct lw_strings *list, FILE *out)
{
    fputc('[', out);
    for (int i = 0; i < list->count; i++)
        fprintf(out, "%s%s", i ? ", " : "", list->item[i]);
    fputc(']', out);
}

static void print_numbers(const struct lw_numbers *list, FILE *out)
{
    if (list->count == LW_NUMBERS_OF_DATA) {
        fputs("data", out);
        return;
    }
    if (!list->count) {
        fputs("null", out);
        return;
    }
    for (int i = 0; i < list->count; i++) {
        fputs(i ? ", " : "[", out);
        print_double(list->item[i], out);
    }
    fputc(']', out);
}

static void print_thresholds(const struct lw_thresholds *list, FILE *out)
{
    if (!list->count) {
        fputs("null", out);
        return;
    }
    fputc('{', out);
    for (int i = 0; i < list->count; i++) {
        if (i)
            fputs(", ", out);
        print_string(list->item[i].score, out);
        fputs(": [", out);
        print_double(list->item[i].warn, out);
        fputs(", ", out);
        print_double(list->item[i].alert, out);
        fputc(']', out);
    }
    fputc('}', out);
}

static void print_word(const struct lw_field *f, int value, FILE *out)
{
    for (const struct lw_word *w = f->words; w->name; w++)
        if (w->value == value) {
            fputs(w->name, out);
            return;
        }
    fputc('?', out);
}

void lw_every_text(struct lw_every every, char *out, size_t size)
{
    static const struct {
        int seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

    if (every.unit == LW_EVERY_EPOCH)
        snprintf(out, size, "epoch");
    else if (every.unit == LW_EVERY_STEPS)
        snprintf(out, size, "%lld", (long long)every.value);
    else
        snprintf(out, size, "off");
    if (every.unit != LW_EVERY_SECONDS)
        return;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (every.value % units[i].seconds == 0) {
            snprintf(out, size, "%lld%c", (long long)(every.value / units[i].seconds),
                     units[i].letter);
            return;
        }
}

static void print_integer(const struct lw_field *f, int64_t v, FILE *out)
{
    if (v == 0 && f->zero)
        fputs(f->zero, out);
    else
        fprintf(out, "%lld", (long long)v);
}

void lw_field_print(const struct lw_config *c, const struct lw_field *f, FILE *out)
{
    const void *at = member(c, f);
    char text[32];

    switch (f->type) {
    case LW_FIELD_STRING:
    case LW_FIELD_PATH:
        if (*(char *const *)at)
            print_string(*(char *const *)at, out);
        else
            fputs(f->zero ? f->zero : "\"\"", out);
        break;
    case LW_FIELD_INT:
        print_integer(f, *(const int *)at, out);
        break;
    case LW_FIELD_SIZE:
        print_integer(f, *(const int64_t *)at, out);
        break;
    case LW_FIELD_FLOAT:
        if (*(const double *)at == 0 && f->zero)
            fputs(f->zero, out);
        else
            print_double(*(const double *)at, out);
        break;
    case LW_FIELD_BOOL:
        fputs(*(const bool *)at ? "true" : "false", out);
        break;
    case LW_FIELD_CHOICE:
        print_word(f, *(const int *)at, out);
        break;
    case LW_FIELD_EVERY:
        lw_every_text(*(const struct lw_every *)at, text, sizeof(text));
        fputs(text, out);
        break;
    case LW_FIELD_WORDS:
        print_words(at, out);
        break;
    case LW_FIELD_NUMBERS:
        print_numbers(at, out);
        break;
    case LW_FIELD_THRESHOLDS:
        print_thresholds(at, out);
        break;
    }
}

static char *field_text(const struct lw_config *c, const struct lw_field *f)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    lw_field_print(c, f, out);
    return fclose(out) == 0 ? text : NULL;
}

/* Both as text: what prints the same is the same. */
bool lw_field_same(const struct lw_config *a, const struct lw_config *b, const struct lw_field *f)
{
    char *x = field_text(a, f), *y = field_text(b, f);
    bool same = x && y && !strcmp(x, y);

    free(x);
    free(y);
    return same;
}

char *lw_config_text(const struct lw_config *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool failed;

    if (!out)
        return NULL;
    if (c->preamble)
        fputs(c->preamble, out);
    for (int i = 0; i < lw_field_count; i++) {
        const char *why = c->why[i];

        if (lw_fields[i].group && (i || c->preamble))
            fputc('\n', out);
        fprintf(out, "%s: ", lw_fields[i].name);
        lw_field_print(c, &lw_fields[i], out);
        if (!why && c->origin[i] == LW_ORIGIN_PRESET)
            why = "preset";
        if (why)
            fprintf(out, "  # %s", why);
        fputc('\n', out);
    }
    failed = ferror(out);
    if (fclose(out) || failed) {
        free(text);
        return NULL;
    }
    return text;
}

int lw_config_save(const struct lw_config *c, const char *path, struct lw_error *err)
{
    char *text = lw_config_text(c);
    int rc;

    if (!text)
        return lw_fail(err, LW_EMEM, "out of memory writing %s", path);
    rc = lw_replace_file(path, text, strlen(text), 1, err);
    free(text);
    return rc;
}

int lw_config_get(const struct lw_config *c, const char *field, char *out, size_t size)
{
    int i = lw_field_index(field);
    FILE *f;

    if (i < 0 || !size)
        return -1;
    memset(out, 0, size);
    f = fmemopen(out, size, "w");
    if (!f)
        return -1;
    lw_field_print(c, &lw_fields[i], f);
    fclose(f);
    out[size - 1] = '\0';
    return 0;
}

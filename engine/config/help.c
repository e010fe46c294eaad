/* SPDX-License-Identifier: MIT
 *
 * The table of fields as help.
 */
#include "engine/config/field.h"

#include <stdlib.h>
#include <string.h>

/* What a field may be, in a few words: its choices that are there, or its kind of value. */
static void print_kind(const struct lw_field *f, FILE *out)
{
    static const char *const kinds[] = {
        [LW_FIELD_STRING] = "text",      [LW_FIELD_PATH] = "path",
        [LW_FIELD_INT] = "whole number", [LW_FIELD_SIZE] = "whole number",
        [LW_FIELD_FLOAT] = "number",     [LW_FIELD_BOOL] = "true or false",
        [LW_FIELD_CHOICE] = "word",      [LW_FIELD_EVERY] = "interval",
        [LW_FIELD_WORDS] = "list",       [LW_FIELD_NUMBERS] = "list of numbers",
        [LW_FIELD_THRESHOLDS] = "map",
    };
    int n = 0;

    if (f->type != LW_FIELD_CHOICE) {
        fputs(kinds[f->type], out);
        return;
    }
    for (const struct lw_word *w = f->words; w->name; w++)
        if (!w->later)
            fprintf(out, "%s%s", n++ ? ", " : "", w->name);
}

static void print_default(const struct lw_field *f, FILE *out)
{
    if (f->shown)
        fputs(f->shown, out);
    else if (f->zero && (!f->fallback || !strcmp(f->fallback, "0")))
        fputs(f->zero, out);
    else
        fputs(f->fallback && *f->fallback ? f->fallback : "none", out);
}

/* Words of text from column on, broken before width. */
static void print_wrapped(const char *text, int indent, int width, FILE *out)
{
    int column = indent;

    while (*text) {
        int n = (int)strcspn(text, " ");

        if (column > indent && column + 1 + n > width) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, (size_t)n, out);
        column += n;
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* "help (kind; default X)" in memory the caller frees. */
static char *describe(const struct lw_field *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fprintf(out, "%s (", f->help);
    print_kind(f, out);
    fputs("; default ", out);
    print_default(f, out);
    fputs(f->later ? "; not in this version)" : ")", out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

void lw_config_help(FILE *out, int width)
{
    enum { INDENT = 30 };

    for (int i = 0; i < lw_field_count; i++) {
        const struct lw_field *f = &lw_fields[i];
        char *text;

        if (!width) {
            fprintf(out, "%s\t", f->name);
            print_kind(f, out);
            fputc('\t', out);
            print_default(f, out);
            fprintf(out, "\t%s\n", f->help);
            continue;
        }
        text = describe(f);
        if (f->group)
            fprintf(out, "%s%s:\n", i ? "\n" : "", f->group);
        fprintf(out, "  %-*s", INDENT - 2, f->name);
        if (text)
            print_wrapped(text, INDENT, width > INDENT + 30 ? width : INDENT + 30, out);
        free(text);
    }
}

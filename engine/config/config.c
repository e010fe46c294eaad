/* SPDX-License-Identifier: MIT */
#include "engine/config/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/field.h"

enum {
    PROBLEM_LIMIT = 100,
    COMMENT_LIMIT = 200,       /* bytes behind a field */
    PREAMBLE_LIMIT = 16 << 10, /* bytes of comments at the head */
};

int lw_config_init(struct lw_config *c, struct lw_error *err)
{
    memset(c, 0, sizeof(*c));
    for (int i = 0; i < lw_field_count; i++) {
        const struct lw_field *f = &lw_fields[i];
        int rc = 0;

        if (!f->fallback)
            continue;
        if (*f->fallback == '[')
            rc = lw_config_change(c, f->name, f->fallback, NULL, err);
        else
            rc = lw_field_set_text(c, f, f->fallback, strlen(f->fallback), true, err);
        if (rc < 0) {
            lw_config_fini(c);
            return rc;
        }
        c->origin[i] = LW_ORIGIN_DEFAULT;
    }
    return 0;
}

static void free_strings(struct lw_strings *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->item[i]);
    free(list->item);
    *list = (struct lw_strings){NULL, 0};
}

void lw_config_fini(struct lw_config *c)
{
    for (int i = 0; i < lw_field_count; i++) {
        lw_field_free(c, &lw_fields[i]);
        free(c->why[i]);
    }
    free(c->file);
    free(c->preamble);
    free_strings(&c->remarks);
    free_strings(&c->problems);
    memset(c, 0, sizeof(*c));
}

/* Append a line, cleaned; 0, or -1 when the list is full or memory ran out. */
static int add_line(struct lw_strings *list, const char *fmt, va_list args)
{
    char raw[2048], clean[2048], **grown, *copy;

    if (list->count >= PROBLEM_LIMIT)
        return -1;
    vsnprintf(raw, sizeof(raw), fmt, args);
    lw_text_clean(raw, strlen(raw), clean, sizeof(clean));
    copy = strdup(clean);
    grown = copy ? realloc(list->item, ((size_t)list->count + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(copy);
        return -1;
    }
    list->item = grown;
    list->item[list->count++] = copy;
    return 0;
}

void lw_config_problem(struct lw_config *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (add_line(&c->problems, fmt, args) < 0)
        c->problems_left_out++;
    va_end(args);
}

void lw_config_remark(struct lw_config *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_line(&c->remarks, fmt, args);
    va_end(args);
}

const struct lw_strings *lw_config_problems(const struct lw_config *c)
{
    return &c->problems;
}

const struct lw_strings *lw_config_remarks(const struct lw_config *c)
{
    return &c->remarks;
}

void lw_config_where(const struct lw_config *c, int field, char *out, size_t size)
{
    if (c->origin[field] == LW_ORIGIN_FILE && c->line[field])
        snprintf(out, size, "%s:%d: %s", c->file ? c->file : "configuration", c->line[field],
                 lw_fields[field].name);
    else
        snprintf(out, size, "%s", lw_fields[field].name);
}

void lw_config_mark(struct lw_config *c, int field, enum lw_origin origin, int line,
                    const char *why)
{
    char clean[COMMENT_LIMIT];

    free(c->why[field]);
    c->why[field] = NULL;
    c->origin[field] = (unsigned char)origin;
    c->line[field] = line;
    if (why && *why) {
        lw_text_clean(why, strlen(why), clean, sizeof(clean));
        c->why[field] = strdup(clean);
    }
}

enum lw_origin lw_config_origin(const struct lw_config *c, const char *field)
{
    int i = lw_field_index(field);

    return i < 0 ? LW_ORIGIN_DEFAULT : (enum lw_origin)c->origin[i];
}

int lw_config_note(struct lw_config *c, struct lw_error *err, const char *fmt, ...)
{
    size_t old = c->preamble ? strlen(c->preamble) : 0, n;
    char raw[2048], clean[2048], *grown;
    va_list args;

    va_start(args, fmt);
    vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    n = lw_text_clean(raw, strlen(raw), clean, sizeof(clean));
    if (old + n + 4 > PREAMBLE_LIMIT)
        return 0;
    grown = realloc(c->preamble, old + n + 4);
    if (!grown)
        return lw_fail(err, LW_EMEM, "out of memory");
    c->preamble = grown;
    snprintf(grown + old, n + 4, "# %s\n", clean);
    return 0;
}

const char *lw_config_field_name(int index)
{
    return index >= 0 && index < lw_field_count ? lw_fields[index].name : NULL;
}

const char *lw_config_field_help(int index)
{
    return index >= 0 && index < lw_field_count ? lw_fields[index].help : NULL;
}

const char *lw_config_field_choice(int index, int choice)
{
    static const char *const flags[] = {"true", "false"}, *const every[] = {"epoch", "off"},
                             *const devices[] = {"auto", "cpu"};
    const struct lw_field *f;

    if (index < 0 || index >= lw_field_count || choice < 0)
        return NULL;
    f = &lw_fields[index];
    if (!strcmp(f->name, "device"))
        return choice < 2 ? devices[choice] : NULL;
    if (f->type == LW_FIELD_BOOL)
        return choice < 2 ? flags[choice] : NULL;
    if (f->type == LW_FIELD_EVERY)
        return choice < 2 ? every[choice] : NULL;
    if (!f->words)
        return choice == 0 ? f->zero : NULL;
    for (const struct lw_word *w = f->words; w->name; w++)
        if (!w->later && choice-- == 0)
            return w->name;
    return NULL;
}

static const char *word_of(const char *field, int value)
{
    const struct lw_field *f = &lw_fields[lw_field_index(field)];

    for (const struct lw_word *w = f->words; w->name; w++)
        if (w->value == value)
            return w->name;
    return "?";
}

const char *lw_task_name(int task)
{
    return word_of("task", task);
}

const char *lw_config_attention_name(int attention)
{
    return word_of("attention", attention);
}

const char *lw_precision_name(int precision)
{
    return word_of("precision", precision);
}

/* SPDX-License-Identifier: MIT
 *
 * One field from text.
 */
#include "engine/config/field.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/text.h"
#include "engine/config/nearest.h"

enum { VALUE_LIMIT = 1 << 16 }; /* bytes of a string */

static void *member(struct lw_config *c, const struct lw_field *f)
{
    return (char *)c + f->at;
}

/* "what was expected, not "text"", the text cleaned and cut. */
static int expected(struct lw_error *err, const struct lw_field *f, const char *what,
                    const char *text)
{
    char shown[64];

    lw_text_clean(text, strlen(text), shown, sizeof(shown));
    if (f->zero)
        return lw_fail(err, LW_EUSAGE, "must be %s or %s, not \"%s\"", what, f->zero, shown);
    return lw_fail(err, LW_EUSAGE, "must be %s, not \"%s\"", what, shown);
}

static int out_of_range(struct lw_error *err, const struct lw_field *f, double v)
{
    const char *above = f->flags & LW_FIELD_ABOVE_MIN ? "above" : "at least";
    const char *below = f->flags & LW_FIELD_BELOW_MAX ? "below" : "at most";

    if (f->zero)
        return lw_fail(err, LW_EUSAGE, "must be %s %.10g and %s %.10g, or %s, not %.10g", above,
                       f->min, below, f->max, f->zero, v);
    return lw_fail(err, LW_EUSAGE, "must be %s %.10g and %s %.10g, not %.10g", above, f->min, below,
                   f->max, v);
}

static bool in_range(const struct lw_field *f, double v)
{
    if (f->flags & LW_FIELD_ABOVE_MIN ? v <= f->min : v < f->min)
        return false;
    return f->flags & LW_FIELD_BELOW_MAX ? v < f->max : v <= f->max;
}

/* A decimal number that fills the whole text; hexadecimal, inf and nan are none. */
static bool is_number(const char *text, double *v)
{
    char *end;

    if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    errno = 0;
    *v = strtod(text, &end);
    return *end == '\0' && isfinite(*v);
}

static int set_number(struct lw_config *c, const struct lw_field *f, const char *text,
                      struct lw_error *err)
{
    bool whole = f->type != LW_FIELD_FLOAT;
    double v;

    if (!is_number(text, &v) || (whole && v != floor(v)))
        return expected(err, f, whole ? "a whole number" : "a number", text);
    if (!in_range(f, v) && !(f->zero && v == 0 && !(f->flags & LW_FIELD_BY_WORD)))
        return out_of_range(err, f, v);
    if (f->type == LW_FIELD_INT)
        *(int *)member(c, f) = (int)v;
    else if (f->type == LW_FIELD_SIZE)
        *(int64_t *)member(c, f) = (int64_t)v;
    else
        *(double *)member(c, f) = v;
    return 0;
}

static void set_zero(struct lw_config *c, const struct lw_field *f)
{
    if (f->type == LW_FIELD_INT)
        *(int *)member(c, f) = 0;
    else if (f->type == LW_FIELD_SIZE)
        *(int64_t *)member(c, f) = 0;
    else
        *(double *)member(c, f) = 0;
}

static bool is_yes(const char *text)
{
    return !strcasecmp(text, "true") || !strcasecmp(text, "yes") || !strcasecmp(text, "on");
}

static bool is_no(const char *text)
{
    return !strcasecmp(text, "false") || !strcasecmp(text, "no") || !strcasecmp(text, "off");
}

static int set_bool(struct lw_config *c, const struct lw_field *f, const char *text,
                    struct lw_error *err)
{
    if (!is_yes(text) && !is_no(text))
        return expected(err, f, "true or false", text);
    *(bool *)member(c, f) = is_yes(text);
    return 0;
}

static const struct lw_word *find_word(const struct lw_field *f, const char *text,
                                       struct lw_error *err)
{
    const char *names[16], *near;
    char list[256] = "", shown[64];
    size_t used = 0;
    int n = 0;

    for (const struct lw_word *w = f->words; w->name; w++) {
        if (!strcmp(w->name, text)) {
            if (!w->later)
                return w;
            lw_fail(err, LW_EUSAGE, "%s is not available in this version, %s", w->name, w->later);
            return NULL;
        }
        if (w->later)
            continue;
        names[n++] = w->name;
        used +=
            (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", n > 1 ? ", " : "", w->name);
    }
    lw_text_clean(text, strlen(text), shown, sizeof(shown));
    near = lw_nearest(text, names, n);
    if (near)
        lw_fail(err, LW_EUSAGE, "unknown word \"%s\", did you mean %s? (known: %s)", shown, near,
                list);
    else
        lw_fail(err, LW_EUSAGE, "unknown word \"%s\" (known: %s)", shown, list);
    return NULL;
}

static int set_every(struct lw_config *c, const struct lw_field *f, const char *text,
                     struct lw_error *err)
{
    static const struct {
        const char *name;
        int seconds;
    } units[] = {{"s", 1},        {"sec", 1},      {"seconds", 1}, {"m", 60},
                 {"min", 60},     {"minutes", 60}, {"minute", 60}, {"h", 3600},
                 {"hours", 3600}, {"hour", 3600},  {"d", 86400},   {"days", 86400},
                 {"day", 86400},  {"steps", 0},    {"step", 0},    {"", 0}};
    struct lw_every *every = member(c, f);
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    int64_t n;

    if (!strcmp(text, "off") || !strcmp(text, "none") || !strcmp(text, "0")) {
        *every = (struct lw_every){LW_EVERY_OFF, 0};
        return 0;
    }
    if (!strcmp(text, "epoch")) {
        *every = (struct lw_every){LW_EVERY_EPOCH, 1};
        return 0;
    }
    unit += strspn(unit, " ");
    for (size_t i = 0; digits && digits < 16 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name))
            continue;
        if (__builtin_mul_overflow(strtoll(text, NULL, 10), units[i].seconds ? units[i].seconds : 1,
                                   &n) ||
            !in_range(f, (double)n))
            break;
        *every = (struct lw_every){units[i].seconds ? LW_EVERY_SECONDS : LW_EVERY_STEPS, n};
        return 0;
    }
    return expected(err, f, "epoch, a number of steps such as 250, a time such as 10m, or off",
                    text);
}

/* \n, \t and \\ as a shell passes them on. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (*s == '\\' && (s[1] == 'n' || s[1] == 't' || s[1] == '\\')) {
            s++;
            *to++ = *s == 'n' ? '\n' : *s == 't' ? '\t' : '\\';
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

static int set_string(struct lw_config *c, const struct lw_field *f, const char *text, size_t size,
                      bool plain, struct lw_error *err)
{
    char **at = member(c, f), *copy = NULL;

    if (size > VALUE_LIMIT)
        return lw_fail(err, LW_EUSAGE, "must not be longer than %d bytes", VALUE_LIMIT);
    if (memchr(text, 0, size))
        return lw_fail(err, LW_EUSAGE, "must not contain a zero byte");
    for (size_t at_byte = 0, n; at_byte < size; at_byte += n) {
        uint32_t code;

        n = lw_utf8_decode(text + at_byte, size - at_byte, &code);
        if (!n)
            return lw_fail(err, LW_EUSAGE, "must be UTF-8 (byte %zu is not)", at_byte + 1);
    }
    if (size || !f->zero) {
        if (!size && f->fallback && *f->fallback)
            return lw_fail(err, LW_EUSAGE, "must not be empty");
        copy = strndup(text, size);
        if (!copy)
            return lw_fail(err, LW_EMEM, "out of memory");
        if (plain && f->flags & LW_FIELD_ESCAPES)
            unescape(copy);
    }
    free(*at);
    *at = copy;
    return 0;
}

static bool means_none(const char *text)
{
    return !*text || !strcmp(text, "null") || !strcmp(text, "~") || !strcmp(text, "none");
}

int lw_field_set_text(struct lw_config *c, const struct lw_field *f, const char *text, size_t size,
                      bool plain, struct lw_error *err)
{
    bool zero = plain && f->zero && (means_none(text) || !strcmp(text, f->zero));
    const struct lw_word *word;

    switch (f->type) {
    case LW_FIELD_STRING:
    case LW_FIELD_PATH:
        if (zero)
            return set_string(c, f, "", 0, false, err);
        return set_string(c, f, text, plain && !strcmp(text, "null") ? 0 : size, plain, err);
    case LW_FIELD_INT:
    case LW_FIELD_SIZE:
    case LW_FIELD_FLOAT:
        if (!zero)
            return set_number(c, f, text, err);
        set_zero(c, f);
        return 0;
    case LW_FIELD_BOOL:
        return set_bool(c, f, text, err);
    case LW_FIELD_CHOICE:
        if (f->flags & LW_FIELD_YES_NO)
            text = is_yes(text) ? "true" : is_no(text) ? "false" : text;
        word = find_word(f, text, err);
        if (!word)
            return LW_EUSAGE;
        *(int *)member(c, f) = word->value;
        return 0;
    case LW_FIELD_EVERY:
        return set_every(c, f, text, err);
    default:
        word = f->type == LW_FIELD_NUMBERS && f->words && !strcmp(text, f->words->name) ? f->words
                                                                                        : NULL;
        if (!means_none(text) && !word)
            return lw_fail(err, LW_EUSAGE, "must be %s, such as %s",
                           f->words && f->type == LW_FIELD_NUMBERS ? "data or a list"
                                                                   : "a list or a map",
                           f->type == LW_FIELD_WORDS     ? "[safetensors]"
                           : f->type == LW_FIELD_NUMBERS ? "[0.5, 0.5, 0.5]"
                                                         : "{seq_length_js: [0.05, 0.1]}");
        lw_field_free(c, f);
        if (word)
            ((struct lw_numbers *)member(c, f))->count = word->value;
        return 0;
    }
}

/* Text of a scalar node; an error for anything else. */
static const char *scalar(yaml_node_t *node, struct lw_error *err)
{
    if (node && node->type == YAML_SCALAR_NODE)
        return (const char *)node->data.scalar.value;
    lw_fail(err, LW_EUSAGE, "must be a single value here, not a list or a map");
    return NULL;
}

static int set_words(struct lw_config *c, const struct lw_field *f, yaml_document_t *doc,
                     yaml_node_t *node, struct lw_error *err)
{
    int n = (int)(node->data.sequence.items.top - node->data.sequence.items.start), rc;
    struct lw_strings list = {calloc((size_t)n + 1, sizeof(char *)), 0};

    for (int i = 0; list.item && i < n; i++) {
        const char *text =
            scalar(yaml_document_get_node(doc, node->data.sequence.items.start[i]), err);

        if (!text || !find_word(f, text, err)) {
            rc = LW_EUSAGE;
            goto fail;
        }
        list.item[i] = strdup(text);
        if (!list.item[i])
            break;
        list.count++;
    }
    if (list.count == n && list.item) {
        lw_field_free(c, f);
        *(struct lw_strings *)member(c, f) = list;
        return 0;
    }
    rc = lw_fail(err, LW_EMEM, "out of memory");
fail:
    for (int i = 0; list.item && i < list.count; i++)
        free(list.item[i]);
    free(list.item);
    return rc;
}

/* Numbers of a sequence node, each within f's range; count of them, or negative. */
static int numbers(const struct lw_field *f, yaml_document_t *doc, yaml_node_t *node, double *out,
                   int max, struct lw_error *err)
{
    int n;

    if (!node || node->type != YAML_SEQUENCE_NODE)
        return lw_fail(err, LW_EUSAGE, "must be a list of numbers");
    n = (int)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (n > max)
        return lw_fail(err, LW_EUSAGE, "must have at most %d numbers, not %d", max, n);
    for (int i = 0; i < n; i++) {
        const char *text =
            scalar(yaml_document_get_node(doc, node->data.sequence.items.start[i]), err);

        if (!text)
            return LW_EUSAGE;
        if (!is_number(text, &out[i]))
            return expected(err, f, "a list of numbers", text);
        if (!in_range(f, out[i]))
            return out_of_range(err, f, out[i]);
    }
    return n;
}

static int set_numbers(struct lw_config *c, const struct lw_field *f, yaml_document_t *doc,
                       yaml_node_t *node, struct lw_error *err)
{
    double v[4], *copy;
    int n = numbers(f, doc, node, v, 4, err);

    if (n < 0)
        return n;
    copy = malloc(sizeof(v));
    if (!copy)
        return lw_fail(err, LW_EMEM, "out of memory");
    memcpy(copy, v, sizeof(v));
    lw_field_free(c, f);
    *(struct lw_numbers *)member(c, f) = (struct lw_numbers){copy, n};
    return 0;
}

static void free_thresholds(struct lw_thresholds *t)
{
    for (int i = 0; i < t->count; i++)
        free(t->item[i].score);
    free(t->item);
    *t = (struct lw_thresholds){NULL, 0};
}

static int set_thresholds(struct lw_config *c, const struct lw_field *f, yaml_document_t *doc,
                          yaml_node_t *node, struct lw_error *err)
{
    yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
    int n = (int)(node->data.mapping.pairs.top - pairs), rc;
    struct lw_thresholds list = {calloc((size_t)n + 1, sizeof(struct lw_threshold)), 0};

    if (!list.item)
        return lw_fail(err, LW_EMEM, "out of memory");
    for (int i = 0; i < n; i++) {
        const char *score = scalar(yaml_document_get_node(doc, pairs[i].key), err);
        double v[2];

        rc = LW_EUSAGE;
        if (!score)
            goto fail;
        rc = numbers(f, doc, yaml_document_get_node(doc, pairs[i].value), v, 2, err);
        if (rc >= 0 && (rc != 2 || v[0] > v[1]))
            rc = lw_fail(err, LW_EUSAGE, "must give two rising numbers: [warn, alert]");
        if (rc < 0)
            goto fail;
        list.item[i] = (struct lw_threshold){strdup(score), v[0], v[1]};
        if (!list.item[i].score) {
            rc = lw_fail(err, LW_EMEM, "out of memory");
            goto fail;
        }
        list.count++;
    }
    lw_field_free(c, f);
    *(struct lw_thresholds *)member(c, f) = list;
    return 0;
fail:
    free_thresholds(&list);
    return rc;
}

int lw_field_set_node(struct lw_config *c, const struct lw_field *f, yaml_document_t *doc,
                      yaml_node_t *node, struct lw_error *err)
{
    if (node->type == YAML_SCALAR_NODE)
        return lw_field_set_text(c, f, (const char *)node->data.scalar.value,
                                 node->data.scalar.length,
                                 node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, err);
    if (f->type == LW_FIELD_THRESHOLDS && node->type == YAML_MAPPING_NODE)
        return set_thresholds(c, f, doc, node, err);
    if (f->type == LW_FIELD_WORDS && node->type == YAML_SEQUENCE_NODE)
        return set_words(c, f, doc, node, err);
    if (f->type == LW_FIELD_NUMBERS)
        return set_numbers(c, f, doc, node, err);
    return lw_fail(err, LW_EUSAGE, "must be a single value, not a %s",
                   node->type == YAML_SEQUENCE_NODE ? "list" : "map");
}

void lw_field_free(struct lw_config *c, const struct lw_field *f)
{
    struct lw_strings *strings = member(c, f);
    struct lw_numbers *list = member(c, f);
    char **string = member(c, f);

    switch (f->type) {
    case LW_FIELD_STRING:
    case LW_FIELD_PATH:
        free(*string);
        *string = NULL;
        break;
    case LW_FIELD_WORDS:
        for (int i = 0; i < strings->count; i++)
            free(strings->item[i]);
        free(strings->item);
        *strings = (struct lw_strings){NULL, 0};
        break;
    case LW_FIELD_NUMBERS:
        free(list->item);
        *list = (struct lw_numbers){NULL, 0};
        break;
    case LW_FIELD_THRESHOLDS:
        free_thresholds(member(c, f));
        break;
    default:
        break;
    }
}

/* SPDX-License-Identifier: MIT */
#include "engine/export/safetensors_scan.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

struct scan {
    struct lw_safetensors *s;
    struct lw_error *err;
    const char *start, *at, *end;
    char *text; /* where the next decoded string goes */
    size_t tensor_room, note_room;
};

/* Types of the format that have no enum lw_dtype, and their bytes. */
static const struct {
    const char *name;
    size_t size;
} foreign[] = {
    {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}, {"U16", 2}, {"U32", 4}, {"U64", 8}, {"C64", 8},
};

const char *lw_tensor_show(const char *name, char out[96])
{
    size_t length = strlen(name);

    lw_text_clean(name, length > 90 ? 90 : length, out, 96);
    return out;
}

static int bad(struct scan *x, const char *what)
{
    return lw_fail(x->err, LW_EDATA, "%s: damaged header: %s (at byte %zu of it)", x->s->path, what,
                   (size_t)(x->at - x->start));
}

static int bad_tensor(struct scan *x, const char *name, const char *what)
{
    char shown[96];

    return lw_fail(x->err, LW_EDATA, "%s: tensor %s: %s", x->s->path, lw_tensor_show(name, shown),
                   what);
}

static int no_memory(struct scan *x)
{
    return lw_fail(x->err, LW_EMEM, "out of memory reading the header of %s", x->s->path);
}

static void skip_blanks(struct scan *x)
{
    while (x->at < x->end && (*x->at == ' ' || *x->at == '\t' || *x->at == '\n' || *x->at == '\r'))
        x->at++;
}

/* Take this character, with blanks before it, if it is next. */
static bool accept(struct scan *x, char c)
{
    skip_blanks(x);
    if (x->at == x->end || *x->at != c)
        return false;
    x->at++;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool hex4(struct scan *x, uint32_t *out)
{
    *out = 0;
    if (x->end - x->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*x->at++);

        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* After "\u": a code point, from two escapes where they are surrogates. */
static bool unicode_escape(struct scan *x, uint32_t *code)
{
    uint32_t low;

    if (!hex4(x, code))
        return false;
    if (*code < 0xd800 || *code > 0xdfff)
        return *code != 0; /* a NUL would end the name early */
    if (*code > 0xdbff || x->end - x->at < 2 || x->at[0] != '\\' || x->at[1] != 'u')
        return false;
    x->at += 2;
    if (!hex4(x, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool escape(struct scan *x)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known;
    uint32_t code;

    if (x->at == x->end)
        return false;
    if (*x->at == 'u') {
        x->at++;
        if (!unicode_escape(x, &code))
            return false;
        x->text += lw_utf8_encode(code, x->text);
        return true;
    }
    known = memchr(from, *x->at++, sizeof from - 1);
    if (!known)
        return false;
    *x->text++ = to[known - from];
    return true;
}

/* A string, decoded into the text; it never gets longer than it was with its quotes. */
static int string(struct scan *x, const char **out)
{
    *out = x->text;
    if (!accept(x, '"'))
        return bad(x, "a string was expected");
    while (x->at < x->end && *x->at != '"') {
        uint32_t code;
        size_t used;

        if (*x->at == '\\') {
            x->at++;
            if (!escape(x))
                return bad(x, "bad escape in a string");
            continue;
        }
        used = lw_utf8_decode(x->at, (size_t)(x->end - x->at), &code);
        if (!used || code < 0x20)
            return bad(x, "a string is not UTF-8");
        memmove(x->text, x->at, used);
        x->text += used;
        x->at += used;
    }
    if (x->at == x->end)
        return bad(x, "a string has no end");
    x->at++;
    *x->text++ = '\0';
    return 0;
}

/* A whole number that is not negative and fits 63 bits. */
static int whole(struct scan *x, uint64_t *out)
{
    const char *first;
    uint64_t n = 0;

    skip_blanks(x);
    first = x->at;
    for (; x->at < x->end && *x->at >= '0' && *x->at <= '9'; x->at++) {
        if (n > (INT64_MAX - 9) / 10)
            return bad(x, "a number is too large");
        n = n * 10 + (uint64_t)(*x->at - '0');
    }
    if (x->at == first || (*first == '0' && x->at > first + 1))
        return bad(x, "a whole number, not negative, was expected");
    if (x->at < x->end && (*x->at == '.' || *x->at == 'e' || *x->at == 'E'))
        return bad(x, "a whole number, not negative, was expected");
    *out = n;
    return 0;
}

/* "[1, 2]": at most `room` numbers. */
static int numbers(struct scan *x, uint64_t *out, int room, int *count)
{
    int rc;

    *count = 0;
    if (!accept(x, '['))
        return bad(x, "a list of numbers was expected");
    if (accept(x, ']'))
        return 0;
    do {
        if (*count == room)
            return bad(x, "a list has too many numbers");
        if ((rc = whole(x, &out[(*count)++])))
            return rc;
    } while (accept(x, ','));
    return accept(x, ']') ? 0 : bad(x, "a list has no end");
}

/* dtype by name; *size its bytes, 0 when there is none of that name. */
static int type_of(const char *name, size_t *size)
{
    int type = lw_dtype_parse(name);

    *size = type >= 0 ? lw_dtype_size((enum lw_dtype)type) : 0;
    for (size_t i = 0; type < 0 && i < sizeof foreign / sizeof *foreign; i++)
        if (!strcmp(foreign[i].name, name))
            *size = foreign[i].size;
    return type;
}

enum { HAVE_TYPE = 1, HAVE_SHAPE = 2, HAVE_OFFSETS = 4, HAVE_ALL = 7 };

/* One "key": value of a tensor; *have gains its bit. */
static int field(struct scan *x, struct lw_tensor *t, uint64_t offsets[2], unsigned *have)
{
    uint64_t shape[LW_TENSOR_RANK];
    unsigned bit;
    const char *key;
    int rc, count;

    if ((rc = string(x, &key)))
        return rc;
    if (!accept(x, ':'))
        return bad(x, "':' was expected");
    bit = !strcmp(key, "dtype")          ? HAVE_TYPE
          : !strcmp(key, "shape")        ? HAVE_SHAPE
          : !strcmp(key, "data_offsets") ? HAVE_OFFSETS
                                         : 0;
    if (!bit || *have & bit)
        return bad_tensor(x, t->name, bit ? "a field is there twice" : "an unknown field");
    *have |= bit;
    if (bit == HAVE_TYPE)
        return string(x, &t->type_name);
    if (bit == HAVE_OFFSETS) {
        rc = numbers(x, offsets, 2, &count);
        return rc || count == 2 ? rc : bad_tensor(x, t->name, "data_offsets must be two numbers");
    }
    if ((rc = numbers(x, shape, LW_TENSOR_RANK, &t->rank)))
        return rc;
    for (int i = 0; i < t->rank; i++)
        t->shape[i] = (int64_t)shape[i];
    return 0;
}

/* Do dtype, shape and offsets agree? */
static int weigh(struct scan *x, struct lw_tensor *t, const uint64_t offsets[2])
{
    size_t size;
    uint64_t bytes;

    t->type = type_of(t->type_name, &size);
    if (!size)
        return bad_tensor(x, t->name, "an unknown dtype");
    t->count = 1;
    for (int i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(t->count, (uint64_t)t->shape[i], &t->count))
            return bad_tensor(x, t->name, "a shape too large to count");
    if (__builtin_mul_overflow(t->count, (uint64_t)size, &bytes))
        return bad_tensor(x, t->name, "a shape too large to count");
    if (offsets[0] > offsets[1])
        return bad_tensor(x, t->name, "data_offsets end before they begin");
    if (offsets[1] - offsets[0] != bytes)
        return bad_tensor(x, t->name,
                          "dtype and shape don't take the bytes that data_offsets give");
    t->begin = offsets[0];
    t->bytes = bytes;
    return 0;
}

/* One more element at the end of an array, or NULL. */
static void *grow(void *array, size_t used, size_t *room, size_t element)
{
    if (used < *room)
        return array;
    *room = *room ? *room * 2 : 64;
    return realloc(array, *room * element);
}

static int tensor(struct scan *x, const char *name)
{
    struct lw_safetensors *s = x->s;
    struct lw_tensor *list = grow(s->list, s->tensors, &x->tensor_room, sizeof *list), *t;
    uint64_t offsets[2];
    unsigned have = 0;
    int rc;

    if (!list)
        return no_memory(x);
    s->list = list;
    t = &list[s->tensors];
    *t = (struct lw_tensor){.name = name};
    if (!accept(x, '{'))
        return bad(x, "'{' was expected");
    do {
        if ((rc = field(x, t, offsets, &have)))
            return rc;
    } while (accept(x, ','));
    if (!accept(x, '}'))
        return bad(x, "'}' was expected");
    if (have != HAVE_ALL)
        return bad_tensor(x, name, "dtype, shape or data_offsets is missing");
    if ((rc = weigh(x, t, offsets)))
        return rc;
    s->tensors++;
    return 0;
}

static int notes(struct scan *x)
{
    struct lw_safetensors *s = x->s;
    int rc;

    if (s->notes)
        return bad(x, "__metadata__ is there twice");
    if (!accept(x, '{'))
        return bad(x, "'{' was expected");
    if (accept(x, '}'))
        return 0;
    do {
        struct lw_tensor_note *list = grow(s->notes, s->note_count, &x->note_room, sizeof *list);

        if (!list)
            return no_memory(x);
        s->notes = list;
        if ((rc = string(x, &list[s->note_count].key)))
            return rc;
        if (!accept(x, ':'))
            return bad(x, "':' was expected");
        if ((rc = string(x, &list[s->note_count].value)))
            return rc;
        s->note_count++;
    } while (accept(x, ','));
    return accept(x, '}') ? 0 : bad(x, "'}' was expected");
}

int lw_safetensors_scan(struct lw_safetensors *s, const char *header, size_t size,
                        struct lw_error *err)
{
    struct scan x = {.s = s, .err = err, .start = header, .at = header, .end = header + size};
    const char *name;
    int rc;

    if (!(s->text = malloc(size + 1)))
        return no_memory(&x);
    x.text = s->text;
    if (!size || *header != '{')
        return bad(&x, "it does not begin with '{'");
    x.at++;
    if (!accept(&x, '}')) {
        do {
            if ((rc = string(&x, &name)))
                return rc;
            if (!accept(&x, ':'))
                return bad(&x, "':' was expected");
            if ((rc = strcmp(name, "__metadata__") ? tensor(&x, name) : notes(&x)))
                return rc;
        } while (accept(&x, ','));
        if (!accept(&x, '}'))
            return bad(&x, "'}' was expected");
    }
    skip_blanks(&x);
    return x.at == x.end ? 0 : bad(&x, "something follows its end");
}

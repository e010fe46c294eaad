/* SPDX-License-Identifier: MIT */
#include "engine/run/csv_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/run/cell.h"

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A plain decimal number at p that ends at a separator or a line break (one comes, surely). Exact:
 * a mantissa below 2^53 and a power of ten up to 22 are both exact doubles, so one operation rounds
 * once (Clinger 1990). Returns its end, NULL where the careful way must be taken. */
static inline const char *fast_number(const char *p, char separator, double *value)
{
    const char *start, *point = NULL;
    bool negative = *p == '-';
    uint64_t mantissa = 0;
    int scale = 0;
    double v;

    p += negative;
    start = p;
    for (;; p++) {
        unsigned digit = (unsigned char)*p - '0';

        if (digit < 10)
            mantissa = mantissa * 10 + digit;
        else if (*p == '.' && !point)
            point = p;
        else
            break;
    }
    if (p - start - (point != NULL) < 1 || p - start > 19)
        return NULL;
    if (point)
        scale = (int)(point + 1 - p);
    if (*p == 'e' || *p == 'E') {
        bool down = p[1] == '-';
        int exponent = 0, digits = 0;

        p += 1 + (p[1] == '-' || p[1] == '+');
        for (; *p >= '0' && *p <= '9' && digits < 4; p++, digits++)
            exponent = exponent * 10 + (*p - '0');
        if (!digits)
            return NULL;
        scale += down ? -exponent : exponent;
    }
    if ((*p != separator && *p != '\n') || mantissa >> 53 || scale < -22 || scale > 22)
        return NULL;
    v = (double)mantissa;
    v = scale < 0 ? v / powers[-scale] : v * powers[scale];
    *value = negative ? -v : v;
    return p;
}

static void keep_text(struct lw_csv_scan *s, int column, const char *text, size_t n)
{
    size_t room;

    if (!s->arena)
        s->arena = malloc(LW_CSV_TEXT_ROOM);
    if (!s->has_text) {
        memset(s->text, 0, (size_t)s->columns * sizeof(s->text[0]));
        s->arena_used = 0;
        s->has_text = true;
    }
    if (!s->arena) {
        s->out_of_memory = true;
        return;
    }
    room = LW_CSV_TEXT_ROOM - s->arena_used;
    if (room > LW_CSV_TEXT_LIMIT)
        room = LW_CSV_TEXT_LIMIT;
    if (!room)
        return;
    s->text[column] = s->arena + s->arena_used;
    s->arena_used += lw_text_clean(text, n, s->arena + s->arena_used, room) + 1;
}

/* Any cell, the careful way. */
static void take_cell(struct lw_csv_scan *s, int column, const char *text, size_t n)
{
    if (column >= s->columns)
        return;
    s->value[column] = NAN;
    s->cell[column] = LW_CSV_EMPTY;
    if (!s->wanted[column])
        return;
    s->cell[column] = (unsigned char)lw_cell_value(text, n, &s->value[column]);
    if (s->cell[column] == LW_CSV_TEXT)
        keep_text(s, column, text, n);
}

static void take_row(struct lw_csv_scan *s, int filled)
{
    struct lw_csv_row row = {s->index++, s->columns, s->value, s->cell,
                             s->has_text ? s->text : NULL};

    for (int i = filled; i < s->columns; i++) {
        s->value[i] = NAN;
        s->cell[i] = LW_CSV_EMPTY;
    }
    s->reader->row(s->reader->user, &row);
    s->has_text = false;
}

/* One line from p, which has a line break at or before end. Returns the start of the next, NULL at
 * a quote. */
static const char *scan_line(struct lw_csv_scan *s, const char *p, const char *end)
{
    const char separator = s->separator;
    int column = 0;

    for (;; column++) {
        const char *next;

        if (column > s->last_wanted) {
            next = memchr(p, '\n', (size_t)(end - p));
            if (memchr(p, '"', (size_t)(next - p)))
                return NULL;
            take_row(s, s->last_wanted + 1);
            return next + 1;
        }
        if (*p == separator || *p == '\n') {
            s->value[column] = NAN;
            s->cell[column] = LW_CSV_EMPTY;
            next = p;
        } else if (s->wanted[column] && (next = fast_number(p, separator, &s->value[column]))) {
            s->cell[column] = LW_CSV_NUMBER;
        } else {
            for (next = p; *next != separator && *next != '\n'; next++)
                if (*next == '"')
                    return NULL;
            take_cell(s, column, p, (size_t)(next - p));
        }
        if (*next == '\n') {
            take_row(s, column + 1);
            return next + 1;
        }
        p = next + 1;
    }
}

size_t lw_csv_scan_plain(struct lw_csv_scan *s, const char *text, size_t size)
{
    const char *last = memrchr(text, '\n', size), *p = text, *end;

    if (!last)
        return 0;
    end = last + 1;
    while (p < end) {
        const char *next;

        if (*p == '\n' || (*p == '\r' && p[1] == '\n')) {
            p += 1 + (*p == '\r');
            continue;
        }
        s->has_text = false;
        next = scan_line(s, p, end);
        if (!next) {
            s->has_text = false;
            s->quoted = true;
            break;
        }
        p = next;
    }
    return (size_t)(p - text);
}

static void quoted_field(void *data, size_t n, void *user)
{
    struct lw_csv_scan *s = user;

    take_cell(s, s->column++, data ? data : "", n);
}

static void quoted_row(int c, void *user)
{
    struct lw_csv_scan *s = user;
    int filled = s->column < s->columns ? s->column : s->columns;

    (void)c;
    s->column = 0;
    if (filled)
        take_row(s, filled);
}

int lw_csv_scan_quoted(struct lw_csv_scan *s, const char *text, size_t size, struct lw_error *err)
{
    if (!s->parser.realloc_func) {
        if (csv_init(&s->parser, 0))
            return lw_fail(err, LW_EMEM, "out of memory");
        s->parser.realloc_func = realloc;
        csv_set_blk_size(&s->parser, LW_CSV_CELL_BLOCK);
        csv_set_delim(&s->parser, (unsigned char)s->separator);
        s->column = 0;
    }
    if (csv_parse(&s->parser, text, size, quoted_field, quoted_row, s) != size)
        return lw_fail(err, csv_error(&s->parser) == CSV_ENOMEM ? LW_EMEM : LW_EDATA,
                       "not readable as CSV (%s)", csv_strerror(csv_error(&s->parser)));
    if (csv_get_buffer_size(&s->parser) > LW_CSV_LINE)
        return lw_fail(err, LW_EDATA, "a cell is longer than %d MB: a quote is not closed",
                       LW_CSV_LINE >> 20);
    return s->out_of_memory ? lw_fail(err, LW_EMEM, "out of memory") : 0;
}

void lw_csv_scan_end(struct lw_csv_scan *s)
{
    if (s->quoted && s->parser.realloc_func)
        csv_fini(&s->parser, quoted_field, quoted_row, s);
}

void lw_csv_scan_reset(struct lw_csv_scan *s)
{
    if (s->parser.realloc_func)
        csv_free(&s->parser);
    memset(&s->parser, 0, sizeof(s->parser));
    free(s->arena);
    s->arena = NULL;
    s->quoted = s->has_text = s->out_of_memory = false;
    s->index = 0;
    s->column = 0;
}

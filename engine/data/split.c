/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/base/text.h"
#include "engine/data/bpe.h"

/* Kinds of characters, as the pattern parts them. */
enum { OTHER, LETTER, NUMBER, SPACE };

#define PAGE  256
#define PAGES (0x110000 / PAGE)

struct lw_splitter {
    unsigned char ascii[256];   /* kind of a byte below 128; the rest is not looked at */
    unsigned char *page[PAGES]; /* kinds of the code points of a page, made when first met */
    pcre2_code *code;
    pcre2_match_data *match;
};

int lw_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= 9 && code <= 13);
    return code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
           code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

static unsigned char classify(struct lw_splitter *s, uint32_t code)
{
    char utf8[4];
    size_t n = lw_utf8_encode(code, utf8);
    int rc;

    if (lw_is_space(code))
        return SPACE;
    if (!n)
        return OTHER;
    rc = pcre2_match(s->code, (PCRE2_SPTR)utf8, n, 0, PCRE2_NO_UTF_CHECK, s->match, NULL);
    return rc == 2 ? LETTER : rc == 3 ? NUMBER : OTHER; /* rc: highest group that matched, + 1 */
}

int lw_splitter_open(struct lw_splitter **out, struct lw_error *err)
{
    struct lw_splitter *s = calloc(1, sizeof *s);
    PCRE2_SIZE offset;
    int code;

    if (!s)
        return lw_fail(err, LW_EMEM, "out of memory opening a tokenizer");
    s->code = pcre2_compile((PCRE2_SPTR) "(\\p{L})|(\\p{N})", PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_ANCHORED, &code, &offset, NULL);
    if (s->code)
        s->match = pcre2_match_data_create_from_pattern(s->code, NULL);
    if (!s->code || !s->match) {
        lw_splitter_close(s);
        return lw_fail(err, LW_EMISSING, "this machine's pcre2 cannot match Unicode classes");
    }
    pcre2_jit_compile(s->code,
                      PCRE2_JIT_COMPLETE); /* without it, matching is slower and the same */
    for (uint32_t c = 0; c < 128; c++)
        s->ascii[c] = classify(s, c);
    *out = s;
    return 0;
}

void lw_splitter_close(struct lw_splitter *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < PAGES; i++)
        free(s->page[i]);
    pcre2_match_data_free(s->match);
    pcre2_code_free(s->code);
    free(s);
}

/* Kind and length of the character that starts p. */
static inline int kind_at(struct lw_splitter *s, const char *p, size_t n, size_t *length)
{
    uint32_t code;
    size_t used;

    if ((unsigned char)*p < 128) {
        *length = 1;
        return s->ascii[(unsigned char)*p];
    }
    used = lw_utf8_decode(p, n, &code);
    *length = used ? used : 1;
    if (!used)
        return OTHER;
    if (!s->page[code / PAGE]) {
        unsigned char *page = malloc(PAGE);

        if (!page) /* too little memory to remember: ask again each time */
            return classify(s, code);
        for (uint32_t i = 0; i < PAGE; i++)
            page[i] = classify(s, code / PAGE * PAGE + i);
        s->page[code / PAGE] = page;
    }
    return s->page[code / PAGE][code % PAGE];
}

/* End of the run of characters of one kind that goes on at `at`. */
static inline size_t run_end(struct lw_splitter *s, const char *text, size_t n, size_t at, int kind)
{
    size_t length;

    if (n > LW_WORD_MAX)
        n = LW_WORD_MAX;
    for (;;) {
        while (at < n && (unsigned char)text[at] < 128 && s->ascii[(unsigned char)text[at]] == kind)
            at++;
        if (at >= n || (unsigned char)text[at] < 128 ||
            kind_at(s, text + at, n - at, &length) != kind)
            return at;
        at += length;
    }
}

static size_t contraction(const char *p, size_t n)
{
    if (n >= 2 && (p[1] == 's' || p[1] == 't' || p[1] == 'm' || p[1] == 'd'))
        return 2;
    if (n >= 3 && ((p[1] == 'r' && p[2] == 'e') || (p[1] == 'v' && p[2] == 'e') ||
                   (p[1] == 'l' && p[2] == 'l')))
        return 3;
    return 0;
}

/* White space keeps off its last character when something follows, for that to join the next
 * word (a blank) or to stand alone. */
static size_t space_end(struct lw_splitter *s, const char *text, size_t n)
{
    size_t end = 0, last = 0, length;

    while (end < n && end < LW_WORD_MAX && kind_at(s, text + end, n - end, &length) == SPACE) {
        last = end;
        end += length;
    }
    return end == n || last == 0 || end >= LW_WORD_MAX ? end : last;
}

size_t lw_splitter_next(struct lw_splitter *s, const char *text, size_t n)
{
    size_t length, at = 0;
    int kind;

    if (*text == '\'') {
        size_t used = contraction(text, n);

        if (used)
            return used;
    }
    if (*text == ' ' && n > 1)
        at = 1;
    kind = kind_at(s, text + at, n - at, &length);
    if (kind == SPACE)
        return space_end(s, text, n);
    return run_end(s, text, n, at + length, kind);
}

size_t lw_text_cut(const char *bytes, size_t n, size_t want)
{
    size_t limit, at;

    if (n <= want)
        return n;
    limit = n - want > LW_CUT_SLACK ? want + LW_CUT_SLACK : n;
    for (at = want ? want : 1; at < limit; at++) {
        size_t before = at - 1, used;
        uint32_t code;

        if (!lw_is_space((unsigned char)bytes[at]) || (unsigned char)bytes[at] >= 128)
            continue;
        while (before > 0 && at - before < 4 && ((unsigned char)bytes[before] & 0xc0) == 0x80)
            before--;
        used = lw_utf8_decode(bytes + before, at - before, &code);
        if (used != at - before || !lw_is_space(code))
            return at;
    }
    if (limit == n)
        return n;
    for (at = limit; at > limit - 4 && ((unsigned char)bytes[at] & 0xc0) == 0x80;)
        at--;
    return ((unsigned char)bytes[at] & 0xc0) == 0x80 ? limit : at;
}

/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

#define CLEANS(in, want)                                                                           \
    do {                                                                                           \
        char got[256];                                                                             \
        size_t n = lw_text_clean(in, sizeof(in) - 1, got, sizeof got);                             \
                                                                                                   \
        cr_assert_str_eq(got, want);                                                               \
        cr_assert_eq(n, strlen(want));                                                             \
    } while (0)

Test(text, decodes_each_length)
{
    uint32_t code = 0;

    cr_assert_eq(lw_utf8_decode("A", 1, &code), 1);
    cr_assert_eq(code, 'A');
    cr_assert_eq(lw_utf8_decode("\xc3\xa9", 2, &code), 2);
    cr_assert_eq(code, 0xe9);
    cr_assert_eq(lw_utf8_decode("\xe2\x82\xac", 3, &code), 3);
    cr_assert_eq(code, 0x20ac);
    cr_assert_eq(lw_utf8_decode("\xf0\x9f\x98\x80!", 5, &code), 4);
    cr_assert_eq(code, 0x1f600);
    cr_assert_eq(lw_utf8_decode("\0", 1, &code), 1);
    cr_assert_eq(code, 0);
}

Test(text, a_byte_order_mark_is_three_bytes_or_none)
{
    cr_expect_eq(lw_utf8_mark("\xef\xbb\xbf{", 4), 3);
    cr_expect_eq(lw_utf8_mark("\xef\xbb\xbf", 2), 0);
    cr_expect_eq(lw_utf8_mark("\xef\xbb\xbe", 3), 0);
    cr_expect_eq(lw_utf8_mark("", 0), 0);
}

Test(text, refuses_what_is_not_utf8)
{
    static const char *const bad[] = {
        "\x80",     /* continuation alone */
        "\xc3",     /* cut */
        "\xc0\xaf", /* overlong '/' */
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf", /* overlong, longer */
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x28\xa1",
    };
    uint32_t code = 77;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(lw_utf8_decode(bad[i], strlen(bad[i]), &code), 0, "bad[%zu]", i);
    cr_assert_eq(lw_utf8_decode("A", 0, &code), 0);
    cr_assert_eq(code, 77, "a refusal leaves the code alone");
}

Test(text, every_scalar_value_survives_a_round_trip)
{
    for (uint32_t code = 0; code <= 0x110000; code++) {
        uint32_t back = 0;
        char bytes[4];
        size_t n = lw_utf8_encode(code, bytes);

        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
            cr_assert_eq(n, 0, "U+%04X", (unsigned)code);
            continue;
        }
        cr_assert_eq(lw_utf8_decode(bytes, n, &back), n, "U+%04X", (unsigned)code);
        cr_assert_eq(back, code);
    }
}

Test(text, widths)
{
    static const struct {
        uint32_t code;
        int width;
    } known[] = {
        {'a', 1},       {' ', 1},     {0x1b, -1},   {0x7f, -1},    {0x9b, -1},    {0xa0, 1},
        {0xad, -1},     {0xe9, 1},    {0x300, 0},   {0x200b, -1},  {0x200d, -1},  {0x202e, -1},
        {0x2066, -1},   {0x2028, -1}, {0x2588, 1},  {0x28ff, 1},   {0x2605, 1},   {0x4e2d, 2},
        {0xac00, 2},    {0x1160, 0},  {0xe000, -1}, {0xfe0f, 0},   {0xfeff, -1},  {0xff21, 2},
        {0xffff, -1},   {0x1f600, 2}, {0x1f3fb, 0}, {0xe0001, -1}, {0xf0000, -1}, {0x10ffff, -1},
        {0x110000, -1}, {0x378, -1},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        cr_assert_eq(lw_utf8_width(known[i].code), known[i].width, "U+%04X is %d",
                     (unsigned)known[i].code, lw_utf8_width(known[i].code));
}

Test(text, ordinary_text_is_untouched)
{
    CLEANS("", "");
    CLEANS("gpt-small, run 7", "gpt-small, run 7");
    CLEANS("na\xc3\xafve \xe2\x82\xac 5", "na\xc3\xafve \xe2\x82\xac 5");
    CLEANS("\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87");
    CLEANS("e\xcc\x81t\xc3\xa9", "e\xcc\x81t\xc3\xa9"); /* one combining mark may stay */
}

/* What people have put into names to steer a terminal or to break its layout. */
Test(text, payloads_lose_their_teeth)
{
    CLEANS("\x1b[31mred\x1b[0m", "?[31mred?[0m");
    CLEANS("\x1b[2J\x1b[H", "?[2J?[H");
    CLEANS("\x1b]0;title\x07", "?]0;title?");
    CLEANS("\x1b]52;c;ZWNobyBoaQ==\x07", "?]52;c;ZWNobyBoaQ==?");
    CLEANS("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "?]8;;http://x?\\link?]8;;?\\");
    CLEANS("\x1bP+q544e\x1b\\", "?P+q544e?\\");
    CLEANS("\x1b_Gf=100;\x1b\\", "?_Gf=100;?\\");
    CLEANS("\x1b[?1049h\x1b[?25l", "?[?1049h?[?25l");
    CLEANS("\x1b[6n\x1b[c\x05", "?[6n?[c?");
    CLEANS("\x1b(0lqk\x0e", "?(0lqk?");
    CLEANS("\xc2\x9b"
           "31m",
           "?31m"); /* C1 CSI */
    CLEANS("\xc2\x9d"
           "0;t\xc2\x9c",
           "?0;t?");                    /* C1 OSC and ST */
    CLEANS("\xc2\x90q\xc2\x9c", "?q?"); /* C1 DCS */
    CLEANS("\x9b"
           "31m",
           "?31m"); /* the same, not UTF-8 */
    CLEANS("a\r\nb\tc\vd\fe\bf", "a??b?c?d?e?f");
    CLEANS("a\0b", "a?b");
    CLEANS("a\x7f", "a?");
    CLEANS("\xe2\x80\xae"
           "gpj.exe",
           "?gpj.exe"); /* right-to-left override */
    CLEANS("a\xe2\x80\xaa\xe2\x80\xac\xe2\x81\xa6\xe2\x81\xa9"
           "b",
           "a????b");
    CLEANS("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "???"); /* LRM, RLM, ALM */
    CLEANS("a\xe2\x80\x8b"
           "b\xe2\x80\x8d"
           "c\xef\xbb\xbf",
           "a?b?c?");                                         /* ZWSP, ZWJ, BOM */
    CLEANS("\xe2\x80\xa8\xe2\x80\xa9", "??");                 /* line, paragraph separator */
    CLEANS("a\xcc\x80\xcc\x81\xcc\x82\xcc\x83", "a\xcc\x80"); /* stacked marks */
    CLEANS("\xcc\x81"
           "a",
           "a");                                                    /* a mark without a base */
    CLEANS("\xe2\x98\xba\xef\xb8\x8f", "\xe2\x98\xba");             /* VS16 makes a sign an emoji */
    CLEANS("1\xef\xb8\x8f\xe2\x83\xa3", "1");                       /* keycap */
    CLEANS("\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbf", "\xf0\x9f\x91\x8d"); /* skin tone */
    CLEANS("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "\xf0\x9f\x91\xa9?\xf0\x9f\x92\xbb");
    CLEANS("\xee\x80\x80\xf3\xb0\x80\x80", "??");     /* private use */
    CLEANS("\xf3\xa0\x80\x81\xf3\xa0\x81\xa1", "??"); /* tags */
    CLEANS("\xff\xfe\xc0\xaf", "????");
    CLEANS("\xed\xa0\xbd\xed\xb8\x80", "??????"); /* surrogates one by one */
    CLEANS("cut\xe2\x82", "cut??");
}

Test(text, result_fits_and_is_cut_between_characters)
{
    static const char in[] = "ab\xe2\x82\xac"
                             "cd\xe4\xb8\xad";
    char out[32];

    for (size_t size = 1; size < sizeof out; size++) {
        size_t n, at = 0;

        memset(out, 'Z', sizeof out);
        n = lw_text_clean(in, sizeof in - 1, out, size);
        cr_assert_lt(n, size);
        cr_assert_eq(strlen(out), n);
        while (at < n) {
            uint32_t code;
            size_t used = lw_utf8_decode(out + at, n - at, &code);

            cr_assert_gt(used, 0, "size %zu cuts a character", size);
            at += used;
        }
    }
    cr_assert_eq(lw_text_clean(in, sizeof in - 1, NULL, 0), 0);
}

/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/base/io.h"
#include "engine/base/random.h"
#include "engine/base/text.h"
#include "engine/data/bpe.h"
#include "engine/data/hash.h"
#include "engine/data/tokenizer.h"
#include "tests/support.h"

static struct lw_tokenizer *open_tokenizer(const char *spec)
{
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};

    cr_assert_eq(lw_tokenizer_open(&t, spec, &err), 0, "%s", err.text);
    return t;
}

static struct lw_tokenizer *gpt2(void)
{
    return open_tokenizer(test_source("tests/data/gpt2-bpe"));
}

static struct lw_ids encode(const struct lw_tokenizer *t, const char *text, size_t n)
{
    struct lw_encoder *e = NULL;
    struct lw_error err = {0};
    struct lw_ids ids = {0};

    cr_assert_eq(lw_encoder_open(&e, t, &err), 0, "%s", err.text);
    cr_assert_eq(lw_encode(e, text, n, &ids, &err), 0, "%s", err.text);
    lw_encoder_close(e);
    return ids;
}

Test(tokenizer, bytes_are_their_own_ids)
{
    struct lw_tokenizer *t = open_tokenizer("bytes");
    struct lw_ids ids = encode(t, "a\0\xff", 3);
    size_t n;

    cr_assert_eq(lw_tokenizer_vocab_size(t), 257);
    cr_assert_eq(lw_tokenizer_separator(t), 256);
    cr_assert_str_eq(lw_tokenizer_name(t), "bytes");
    cr_assert_eq(ids.count, 3);
    cr_assert(ids.id[0] == 'a' && ids.id[1] == 0 && ids.id[2] == 255);
    cr_assert_not_null(lw_tokenizer_bytes(t, 256, &n));
    cr_assert_eq(n, 0);
    cr_assert_null(lw_tokenizer_bytes(t, 257, &n));
    lw_ids_free(&ids);
    lw_tokenizer_close(t);
}

Test(tokenizer, gpt2_equals_the_known_ids)
{
    struct lw_tokenizer *t = gpt2();
    json_error_t where;
    json_t *golden = json_load_file(test_source("tests/data/gpt2_bpe_golden.json"), 0, &where);
    json_t *item;
    size_t i;

    cr_assert_eq(lw_tokenizer_vocab_size(t), 50257);
    cr_assert_eq(lw_tokenizer_separator(t), 50256);
    cr_assert_eq(json_array_size(golden), 23);
    json_array_foreach(golden, i, item)
    {
        const json_t *text = json_object_get(item, "text"), *want = json_object_get(item, "ids");
        struct lw_ids ids = encode(t, json_string_value(text), json_string_length(text));

        cr_assert_eq(ids.count, json_array_size(want), "text %zu: %zu ids", i, ids.count);
        for (size_t k = 0; k < ids.count; k++)
            cr_assert_eq(ids.id[k], json_integer_value(json_array_get(want, k)), "text %zu", i);
        lw_ids_free(&ids);
    }
    json_decref(golden);
    lw_tokenizer_close(t);
}

/* Text that meets every branch of the splitter: letters, numbers, marks and blanks of many
 * scripts, in runs. */
static size_t awkward_text(struct lw_random *r, char *out, size_t size)
{
    static const char *const pieces[] = {
        "'",  "'s",       "'ll",          "'ve",          "'re",     " ",  "  ",
        "\n", "\t ",      "\r\n",         "the",          "X",       "42", "!?",
        "-",  "\xc2\xa0", "\xe2\x80\x83", "\xe3\x80\x80", "\xc2\x85"};
    size_t n = 0;

    while (n + 16 < size) {
        uint32_t what = lw_random_below(r, 32);

        if (what < sizeof pieces / sizeof *pieces) {
            memcpy(out + n, pieces[what], strlen(pieces[what]));
            n += strlen(pieces[what]);
        } else {
            static const uint32_t top[] = {0x80, 0x800, 0x3000, 0x10000, 0x110000};
            uint32_t code = lw_random_below(r, top[lw_random_below(r, 5)]);

            n += lw_utf8_encode(code, out + n);
        }
    }
    return n;
}

Test(tokenizer, splits_as_the_pattern_does)
{
    /* White space spelled out: pcre2's own \s takes in U+180E, which is none since Unicode 6.3. */
#define WS                                                                                         \
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"                \
    "\\x{205f}\\x{3000}"
    static const char pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" WS
                                  "\\p{L}\\p{N}]+|[" WS "]+(?![^" WS "])|[" WS "]+";
    char *text = malloc(4096);
    struct lw_splitter *s = NULL;
    struct lw_error err = {0};
    struct lw_random r;
    PCRE2_SIZE offset;
    int code;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                   PCRE2_UTF | PCRE2_UCP, &code, &offset, NULL);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(re, NULL);

    cr_assert_not_null(re);
    cr_assert_eq(lw_splitter_open(&s, &err), 0);
    lw_random_init(&r, 1, 1);
    for (int round = 0; round < 300; round++) {
        size_t n = awkward_text(&r, text, 17 + lw_random_below(&r, 600));

        for (size_t at = 0; at < n;) {
            size_t word = lw_splitter_next(s, text + at, n - at);

            cr_assert_geq(pcre2_match(re, (PCRE2_SPTR)text, n, at, PCRE2_ANCHORED, match, NULL), 1);
            cr_assert_eq(at + word, pcre2_get_ovector_pointer(match)[1], "round %d, byte %zu",
                         round, at);
            at += word;
        }
    }
    pcre2_match_data_free(match);
    pcre2_code_free(re);
    lw_splitter_close(s);
    free(text);
}

/* Byte-pair encoding as it is told: again and again join the leftmost pair of the lowest rank. */
static size_t merge_plainly(const struct lw_tokenizer *t, const char *word, size_t n, uint32_t *id)
{
    for (size_t i = 0; i < n; i++)
        id[i] = t->byte_id[(unsigned char)word[i]];
    for (;;) {
        const struct lw_merge *best = NULL;
        size_t at = 0;

        for (size_t i = 0; i + 1 < n; i++) {
            const struct lw_merge *m = lw_bpe_find(t, id[i], id[i + 1]);

            if (m->rank != UINT32_MAX && (!best || m->rank < best->rank)) {
                best = m;
                at = i;
            }
        }
        if (!best)
            return n;
        id[at] = best->result;
        memmove(id + at + 1, id + at + 2, (n - at - 2) * sizeof *id);
        n--;
    }
}

Test(tokenizer, merges_as_the_plain_algorithm_does)
{
    static uint32_t want[4096];
    struct lw_tokenizer *t = gpt2();
    struct lw_splitter *s = NULL;
    struct lw_error err = {0};
    struct lw_random r;
    char *text = malloc(4096);

    cr_assert_eq(lw_splitter_open(&s, &err), 0);
    lw_random_init(&r, 2, 1);
    for (int round = 0; round < 100; round++) {
        size_t n = 200 + lw_random_below(&r, 3000), count = 0;
        struct lw_ids ids;

        if (round % 2)
            n = awkward_text(&r, text, n);
        else
            for (size_t i = 0; i < n; i++) /* long words of few letters: many overlapping pairs */
                text[i] = "eaaa tttts=="[lw_random_below(&r, round % 4 ? 4 : 12)];
        for (size_t at = 0; at < n;) {
            size_t word = lw_splitter_next(s, text + at, n - at);

            count += merge_plainly(t, text + at, word, want + count);
            at += word;
        }
        ids = encode(t, text, n);
        cr_assert_eq(ids.count, count);
        cr_assert_arr_eq(ids.id, want, count * sizeof *want);
        lw_ids_free(&ids);
    }
    lw_splitter_close(s);
    free(text);
    lw_tokenizer_close(t);
}

static void round_trip(const struct lw_tokenizer *t)
{
    struct lw_error err = {0};
    struct lw_random r;
    char *text = malloc(2000);

    lw_random_init(&r, 3, 1);
    for (int round = 0; round < 200; round++) {
        size_t n = lw_random_below(&r, 2000), back_n;
        struct lw_ids ids;
        char *back;

        for (size_t i = 0; i < n; i++)
            text[i] = (char)lw_random_below(&r, 256);
        ids = encode(t, text, n);
        cr_assert_eq(lw_tokenizer_decode(t, ids.id, ids.count, &back, &back_n, &err), 0);
        cr_assert_eq(back_n, n);
        cr_assert(!memcmp(back, text, n));
        cr_assert_eq(back[n], 0);
        free(back);
        lw_ids_free(&ids);
    }
    free(text);
}

Test(tokenizer, any_bytes_survive_the_round_trip)
{
    struct lw_tokenizer *t = open_tokenizer("bytes");

    round_trip(t);
    lw_tokenizer_close(t);
    t = gpt2();
    round_trip(t);
    lw_tokenizer_close(t);
}

Test(tokenizer, decoding_an_unknown_id_is_an_error)
{
    struct lw_tokenizer *t = gpt2();
    struct lw_error err = {0};
    uint32_t id = 50257;
    char *out = NULL;
    size_t n;

    cr_assert_eq(lw_tokenizer_decode(t, &id, 1, &out, &n, &err), LW_EDATA);
    cr_assert(strstr(err.text, "50257"));
    lw_tokenizer_close(t);
}

Test(tokenizer, a_text_may_be_cut_where_words_end)
{
    struct lw_tokenizer *t = gpt2();
    struct lw_random r;
    char *text = malloc(4096);

    lw_random_init(&r, 4, 1);
    for (int round = 0; round < 60; round++) {
        size_t n = awkward_text(&r, text, 1500), want = 1 + lw_random_below(&r, 200), count = 0;
        struct lw_ids whole = encode(t, text, n);

        for (size_t at = 0, cut; at < n; at += cut) {
            struct lw_ids part;

            cut = lw_text_cut(text + at, n - at, want);
            cr_assert(cut > 0 && cut <= n - at);
            part = encode(t, text + at, cut);
            cr_assert_leq(count + part.count, whole.count);
            cr_assert_arr_eq(part.id, whole.id + count, part.count * sizeof *part.id);
            count += part.count;
            lw_ids_free(&part);
        }
        cr_assert_eq(count, whole.count);
        lw_ids_free(&whole);
    }
    free(text);
    lw_tokenizer_close(t);
}

Test(tokenizer, text_without_a_place_to_cut_is_cut_between_characters)
{
    size_t n = 3 * (LW_CUT_SLACK / 2) * 2, cut;
    char *text = malloc(n);

    for (size_t i = 0; i < n; i += 3)
        memcpy(text + i, "\xe6\x97\xa5", 3);
    cut = lw_text_cut(text, n, 10);
    cr_assert_leq(cut, 10 + LW_CUT_SLACK);
    cr_assert_gt(cut, LW_CUT_SLACK);
    cr_assert_eq(cut % 3, 0);
    free(text);
}

Test(tokenizer, a_word_of_megabytes_is_encoded)
{
    size_t n = 5u << 19;
    char *text = malloc(n), *back;
    struct lw_tokenizer *t = gpt2();
    struct lw_error err = {0};
    struct lw_ids ids;
    size_t back_n;

    memset(text, 'a', n);
    ids = encode(t, text, n);
    cr_assert_lt(ids.count, n / 2);
    cr_assert_eq(lw_tokenizer_decode(t, ids.id, ids.count, &back, &back_n, &err), 0);
    cr_assert(back_n == n && !memcmp(back, text, n));
    free(back);
    free(text);
    lw_ids_free(&ids);
    lw_tokenizer_close(t);
}

/* A small vocabulary as JSON: the 256 bytes, more, and the separator. */
static char *small_vocab(const char *more)
{
    char *out = malloc(16384), utf8[4];
    size_t n = 0, rest = 0;

    out[n++] = '{';
    for (uint32_t c = 0; c < 256; c++) {
        int plain = (c >= 33 && c <= 126) || (c >= 161 && c != 173);
        size_t used = lw_utf8_encode(plain ? c : 256 + (uint32_t)rest++, utf8);

        n += (size_t)sprintf(out + n, "\"%s%.*s\":%u,", c == '"' || c == '\\' ? "\\" : "",
                             (int)used, utf8, c);
    }
    sprintf(out + n, "%s\"<|endoftext|>\":256}", more);
    return out;
}

static int parse(const char *more, const char *merges, struct lw_error *err)
{
    char *vocab = small_vocab(more);
    struct lw_tokenizer *t = NULL;
    int rc = lw_tokenizer_parse(&t, vocab, strlen(vocab), merges, strlen(merges), err);

    if (!rc)
        lw_tokenizer_close(t);
    free(vocab);
    return rc;
}

static void refused(const char *more, const char *merges, const char *says)
{
    struct lw_error err = {0};

    cr_assert_eq(parse(more, merges, &err), LW_EDATA, "expected: %s", says);
    cr_assert(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
    cr_assert_null(strchr(err.text, '\n'), "%s", err.text);
}

Test(tokenizer, a_small_vocabulary_is_read)
{
    struct lw_error err = {0};

    cr_assert_eq(parse("\"ab\":257,\"abc\":258,", "#version: 0.2\na b\r\nab c\n", &err), 0, "%s",
                 err.text);
    cr_assert_eq(parse("", "", &err), 0, "%s", err.text);
}

Test(tokenizer, damaged_vocabularies_are_refused)
{
    refused("\"ab\":97,", "a b\n", "id 97 stands for both");
    refused("\"a\":300,", "", "JSON");
    refused("\"ab\":\"x\",", "a b\n", "not a whole number");
    refused("\"ab\":-1,", "a b\n", "-1");
    refused("\"ab\":4000000000,", "a b\n", "4000000000");
    refused("\"ab\":257,", "", "cut short");
    refused("\"ab\":257,", "a b\na b\n", "repeats merge 1");
    refused("\"ab\":257,", "a\n", "line 1");
    refused("\"ab\":257,", "a b c\n", "line 1");
    refused("\"ab\":257,", "a b\nb c\n", "makes \"bc\"");
    refused("\"ab\":257,", "a b\nxy z\n", "joins \"xy\"");
}

Test(tokenizer, vocabularies_that_are_none_are_refused)
{
    static const char *const text[] = {"", "{", "[]", "{}", "{\"a\":0}", "\xff\xfe", "null"};
    struct lw_tokenizer *t = NULL;

    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct lw_error err = {0};

        cr_assert_eq(lw_tokenizer_parse(&t, text[i], strlen(text[i]), "", 0, &err), LW_EDATA);
        cr_assert(strstr(err.text, "vocab.json"), "%s", err.text);
    }
}

Test(tokenizer, missing_files_are_named)
{
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};
    const char *folder = test_folder();

    cr_assert_eq(lw_tokenizer_open(&t, test_path(folder, "nowhere"), &err), LW_EIO);
    cr_assert(strstr(err.text, "nowhere"));
    cr_assert_eq(lw_tokenizer_open(&t, folder, &err), LW_EIO);
    cr_assert(strstr(err.text, "vocab.json"));
    test_write(test_path(folder, "vocab.json"), "{}");
    cr_assert_eq(lw_tokenizer_open(&t, folder, &err), LW_EIO);
    cr_assert(strstr(err.text, "has no merges.txt"), "%s", err.text);
}

/* The same tokenizer as tokenizer.json spells it. */
static char *as_json(const char *pre, const char *merges)
{
    char *vocab = small_vocab("\"ab\":257,"), *out = malloc(32768);

    sprintf(out,
            "{\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"%s\",\"add_prefix_space\":false},"
            "\"added_tokens\":[{\"id\":256,\"content\":\"<|endoftext|>\"},"
            "{\"id\":258,\"content\":\"pad\"}],"
            "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"vocab\":%s,\"merges\":%s}}",
            pre, vocab, merges);
    free(vocab);
    return out;
}

Test(tokenizer, tokenizer_json_is_read_in_both_spellings)
{
    static const char *const merges[] = {"[\"a b\"]", "[[\"a\",\"b\"]]"};
    const char *folder = test_folder();

    for (int i = 0; i < 2; i++) {
        char *json = as_json("ByteLevel", merges[i]);
        struct lw_tokenizer *t;
        struct lw_ids ids;

        test_write(test_path(folder, "tokenizer.json"), json);
        t = open_tokenizer(folder);
        ids = encode(t, "xabab", 5);
        cr_assert(ids.count == 3 && ids.id[0] == 'x' && ids.id[1] == 257 && ids.id[2] == 257);
        cr_assert_eq(lw_tokenizer_vocab_size(t), 259);
        lw_ids_free(&ids);
        lw_tokenizer_close(t);
        free(json);
    }
}

Test(tokenizer, tokenizer_json_of_another_kind_is_refused)
{
    const char *path = test_path(test_folder(), "tokenizer.json");
    struct lw_tokenizer *t = NULL;
    struct lw_error err = {0};
    char *json = as_json("Metaspace", "[]");

    test_write(path, json);
    cr_assert_eq(lw_tokenizer_open(&t, path, &err), LW_EDATA);
    cr_assert(strstr(err.text, "pre_tokenizer"), "%s", err.text);
    free(json);
    json = as_json("ByteLevel", "[3]");
    test_write(path, json);
    cr_assert_eq(lw_tokenizer_open(&t, path, &err), LW_EDATA);
    cr_assert(strstr(err.text, "merge 1"), "%s", err.text);
    free(json);
    test_write(path, "{\"model\":{\"type\":\"WordPiece\"}}");
    cr_assert_eq(lw_tokenizer_open(&t, path, &err), LW_EDATA);
    cr_assert(strstr(err.text, "BPE"), "%s", err.text);
}

Test(tokenizer, hashes_differ_where_ids_differ)
{
    struct lw_tokenizer *a = open_tokenizer("bytes"), *b = gpt2(), *c = gpt2();

    cr_assert_neq(lw_tokenizer_hash(a), lw_tokenizer_hash(b));
    cr_assert_eq(lw_tokenizer_hash(b), lw_tokenizer_hash(c));
    lw_tokenizer_close(a);
    lw_tokenizer_close(b);
    lw_tokenizer_close(c);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

Test(hash, tells_lengths_seeds_and_single_bits_apart)
{
    static unsigned char bytes[200];
    uint64_t seen[200 + 64 + 1600];
    size_t n = 0;

    for (size_t length = 0; length < 200; length++)
        seen[n++] = lw_hash(bytes, length, 0);
    for (uint64_t seed = 1; seed; seed <<= 1)
        seen[n++] = lw_hash(bytes, seed & 1 ? 0 : 7, seed);
    for (size_t bit = 0; bit < 1600; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        seen[n++] = lw_hash(bytes, 200, 0);
        bytes[bit / 8] = 0;
    }
    qsort(seen, n, sizeof *seen, by_value);
    for (size_t i = 1; i < n; i++)
        cr_assert_neq(seen[i], seen[i - 1]);
}

Test(tokenizer, a_prompt_of_nothing_is_the_start_of_a_document)
{
    struct lw_tokenizer *t = NULL;
    struct lw_ids ids = {0};
    struct lw_error err = {0};

    cr_assert_eq(lw_tokenizer_open(&t, NULL, &err), 0, "%s", err.text);
    cr_assert_eq(lw_encode_prompt(t, NULL, &ids, &err), 0);
    cr_assert_eq(lw_encode_prompt(t, "ab", &ids, &err), 0); /* behind what is there */
    cr_assert_eq(ids.count, 3);
    cr_expect_eq(ids.id[0], (uint32_t)lw_tokenizer_separator(t));
    cr_expect_eq(ids.id[1], 'a');
    cr_expect_eq(ids.id[2], 'b');
    lw_ids_free(&ids);
    lw_tokenizer_close(t);
}

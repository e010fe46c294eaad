/* SPDX-License-Identifier: MIT */
#include "engine/drift/bytes.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx2")))
#define LANE static inline __attribute__((always_inline, target("avx2")))
#define STEP 32            /* pixels at a time */
#define PART (1024 * STEP) /* pixels whose squares 32-bit sums can hold */

/* What is summed while an image is read. */
struct reading {
    __m256i sum[3], squares[3], most;   /* of samples: 64, 32 and 8 bits a sum */
    __m256i grey_squares, dark, bright; /* 32, 16 and 16 bits */
    __m256i below_dark, above_bright;   /* the limits, in each lane */
};

LANE uint64_t total_64(__m256i x)
{
    uint64_t part[4];

    _mm256_storeu_si256((__m256i *)part, x);
    return part[0] + part[1] + part[2] + part[3];
}

LANE uint64_t total_32(__m256i x)
{
    __m256i zero = _mm256_setzero_si256();

    return total_64(
        _mm256_add_epi64(_mm256_unpacklo_epi32(x, zero), _mm256_unpackhi_epi32(x, zero)));
}

/* Of lanes that are not negative. */
LANE uint64_t total_16(__m256i x)
{
    return total_32(_mm256_madd_epi16(x, _mm256_set1_epi16(1)));
}

LANE __m256i load(const void *at)
{
    return _mm256_loadu_si256(at);
}

LANE __m256i load_halves(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

/* Each channel's bytes of 16 pixels lie in three vectors at places that never coincide: they are
 * laid over one another, then put in order. */
struct parting {
    __m256i third[3], order[3]; /* every third place, from the first, second and third on */
};

static const uint8_t thirds[18] = {0xFF, 0, 0, 0xFF, 0, 0, 0xFF, 0, 0,
                                   0xFF, 0, 0, 0xFF, 0, 0, 0xFF, 0, 0};
static const uint8_t orders[3][16] = {
    {0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14, 1, 4, 7, 10, 13},
    {1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14},
    {2, 5, 8, 11, 14, 1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15},
};

LANE __m256i twice(const uint8_t *x)
{
    return load_halves(x, x);
}

LANE __m256i pick(__m256i a, __m256i b, __m256i d, const struct parting *p, int c)
{
    __m256i all = _mm256_blendv_epi8(a, b, p->third[(c + 2) % 3]);

    return _mm256_shuffle_epi8(_mm256_blendv_epi8(all, d, p->third[(c + 1) % 3]), p->order[c]);
}

/* 32 pixels, a vector a channel. (Written out: at -O2 loops stay loops.) */
LANE void take(const uint8_t *x, int channels, size_t pixels, bool planar, size_t i,
               const struct parting *p, __m256i plane[3])
{
    if (channels == 1) {
        plane[0] = load(x + i);
    } else if (planar) {
        plane[0] = load(x + i);
        plane[1] = load(x + pixels + i);
        plane[2] = load(x + 2 * pixels + i);
    } else {
        const uint8_t *at = x + 3 * i;
        __m256i a = load_halves(at, at + 48), b = load_halves(at + 16, at + 64);
        __m256i d = load_halves(at + 32, at + 80);

        plane[0] = pick(a, b, d, p, 0);
        plane[1] = pick(a, b, d, p, 1);
        plane[2] = pick(a, b, d, p, 2);
    }
}

LANE void read_plane(struct reading *r, int c, __m256i x, __m256i *low, __m256i *high)
{
    __m256i zero = _mm256_setzero_si256();
    __m256i a = _mm256_unpacklo_epi8(x, zero), b = _mm256_unpackhi_epi8(x, zero);

    r->sum[c] = _mm256_add_epi64(r->sum[c], _mm256_sad_epu8(x, zero));
    r->squares[c] = _mm256_add_epi32(
        r->squares[c], _mm256_add_epi32(_mm256_madd_epi16(a, a), _mm256_madd_epi16(b, b)));
    r->most = _mm256_max_epu8(r->most, x);
    *low = _mm256_add_epi16(*low, a);
    *high = _mm256_add_epi16(*high, b);
}

LANE void count(struct reading *r, __m256i grey)
{
    r->grey_squares = _mm256_add_epi32(r->grey_squares, _mm256_madd_epi16(grey, grey));
    r->dark = _mm256_sub_epi16(r->dark, _mm256_cmpgt_epi16(r->below_dark, grey));
    r->bright = _mm256_sub_epi16(r->bright, _mm256_cmpgt_epi16(grey, r->above_bright));
}

LANE void read_pixels(struct reading *r, const __m256i *plane, int channels, int16_t *grey)
{
    __m256i zero = _mm256_setzero_si256(), low = zero, high = zero;

    read_plane(r, 0, plane[0], &low, &high);
    if (channels == 3) {
        read_plane(r, 1, plane[1], &low, &high);
        read_plane(r, 2, plane[2], &low, &high);
    }
    if (grey) {
        count(r, low);
        count(r, high);
        _mm256_storeu_si256((__m256i *)grey, _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_storeu_si256((__m256i *)(grey + 16), _mm256_permute2x128_si256(low, high, 0x31));
    }
}

/* The last pixels, one by one. */
static void read_rest(const uint8_t *x, int channels, size_t pixels, bool planar, size_t i,
                      int dark, int bright, int16_t *grey, struct lw_plane_sums *sums,
                      struct lw_grey_sums *s)
{
    for (; i < pixels; i++) {
        uint32_t all = 0;

        for (int c = 0; c < channels; c++) {
            uint32_t v = planar ? x[(size_t)c * pixels + i] : x[i * (size_t)channels + (size_t)c];

            sums[c].sum += v;
            sums[c].squares += v * v;
            sums[0].most = v > sums[0].most ? v : sums[0].most;
            all += v;
        }
        if (!grey)
            continue;
        grey[i] = (int16_t)all;
        s->squares += all * all;
        s->dark += (int)all < dark;
        s->saturated += (int)all > bright;
    }
}

/* Everything that does not ask for neighbours. channels, planar and whether there is a grey are
 * known where this is inlined. */
LANE void read_image(const uint8_t *x, int channels, size_t pixels, bool planar, int dark,
                     int bright, int16_t *grey, struct lw_plane_sums *sums, struct lw_grey_sums *s)
{
    __m256i zero = _mm256_setzero_si256(), plane[3];
    struct reading r = {.sum = {zero, zero, zero},
                        .most = zero,
                        .below_dark = _mm256_set1_epi16((int16_t)dark),
                        .above_bright = _mm256_set1_epi16((int16_t)bright)};
    const struct parting p = {{twice(thirds), twice(thirds + 2), twice(thirds + 1)},
                              {twice(orders[0]), twice(orders[1]), twice(orders[2])}};
    uint8_t most[32];
    size_t i = 0;

    while (i + STEP <= pixels) {
        size_t end = pixels - i < PART ? pixels : i + PART;

        r.grey_squares = r.dark = r.bright = zero;
        r.squares[0] = r.squares[1] = r.squares[2] = zero;
        for (; i + STEP <= end; i += STEP) {
            take(x, channels, pixels, planar, i, &p, plane);
            read_pixels(&r, plane, channels, grey ? grey + i : NULL);
        }
        sums[0].squares += total_32(r.squares[0]);
        if (channels == 3) {
            sums[1].squares += total_32(r.squares[1]);
            sums[2].squares += total_32(r.squares[2]);
        }
        if (grey) {
            s->squares += total_32(r.grey_squares);
            s->dark += total_16(r.dark);
            s->saturated += total_16(r.bright);
        }
    }
    sums[0].sum += total_64(r.sum[0]);
    if (channels == 3) {
        sums[1].sum += total_64(r.sum[1]);
        sums[2].sum += total_64(r.sum[2]);
    }
    _mm256_storeu_si256((__m256i *)most, r.most);
    for (int k = 0; k < 32; k++)
        sums[0].most = most[k] > sums[0].most ? most[k] : sums[0].most;
    read_rest(x, channels, pixels, planar, i, dark, bright, grey, sums, s);
}

static uint32_t distance(int a, int b)
{
    return (uint32_t)(a < b ? b - a : a - b);
}

/* The sum of |x - y|. */
WIDE static uint64_t differences(const int16_t *x, const int16_t *y, size_t n)
{
    uint64_t sum = 0;
    size_t i = 0;

    while (i + 16 <= n) {
        size_t end = n - i < PART ? n : i + PART;
        __m256i all = _mm256_setzero_si256();

        for (; i + 16 <= end; i += 16) {
            __m256i d = _mm256_abs_epi16(_mm256_sub_epi16(load(x + i), load(y + i)));

            all = _mm256_add_epi32(all, _mm256_madd_epi16(d, _mm256_set1_epi16(1)));
        }
        sum += total_32(all);
    }
    for (; i < n; i++)
        sum += distance(x[i], y[i]);
    return sum;
}

static uint32_t laplacian(const int16_t *x, size_t width)
{
    return distance(4 * *x, x[-1] + x[1] + *(x - width) + x[width]);
}

WIDE static uint64_t laplacians(const int16_t *x, size_t n, size_t width)
{
    uint64_t sum = 0;
    size_t i = 0;

    while (i + 16 <= n) {
        size_t end = n - i < PART ? n : i + PART;
        __m256i all = _mm256_setzero_si256();

        for (; i + 16 <= end; i += 16) {
            const int16_t *at = x + i;
            __m256i across = _mm256_add_epi16(load(at - 1), load(at + 1));
            __m256i down = _mm256_add_epi16(load(at - width), load(at + width));
            __m256i d =
                _mm256_sub_epi16(_mm256_slli_epi16(load(at), 2), _mm256_add_epi16(across, down));

            all =
                _mm256_add_epi32(all, _mm256_madd_epi16(_mm256_abs_epi16(d), _mm256_set1_epi16(1)));
        }
        sum += total_32(all);
    }
    for (; i < n; i++)
        sum += laplacian(x + i, width);
    return sum;
}

/* Neighbours over the whole image as if its rows were one, less what reaches around an edge. */
static void look_around(const int16_t *grey, size_t height, size_t width, struct lw_grey_sums *s)
{
    size_t pixels = height * width;

    s->dx = differences(grey, grey + 1, pixels - 1);
    s->dy = differences(grey, grey + width, pixels - width);
    for (size_t at = width; at < pixels; at += width)
        s->dx -= distance(grey[at - 1], grey[at]);
    if (height < 3 || width < 3)
        return;
    s->laplacian = laplacians(grey + width + 1, pixels - 2 * width - 2, width);
    for (size_t at = 2 * width; at < pixels - width; at += width)
        s->laplacian -= laplacian(grey + at - 1, width) + laplacian(grey + at, width);
}

WIDE static void look(const uint8_t *x, int channels, size_t pixels, bool planar, int dark,
                      int bright, int16_t *grey, struct lw_plane_sums *sums, struct lw_grey_sums *s)
{
    if (channels == 1 && grey)
        read_image(x, 1, pixels, true, dark, bright, grey, sums, s);
    else if (channels == 1)
        read_image(x, 1, pixels, true, dark, bright, NULL, sums, s);
    else if (planar && grey)
        read_image(x, 3, pixels, true, dark, bright, grey, sums, s);
    else if (planar)
        read_image(x, 3, pixels, true, dark, bright, NULL, sums, s);
    else if (grey)
        read_image(x, 3, pixels, false, dark, bright, grey, sums, s);
    else
        read_image(x, 3, pixels, false, dark, bright, NULL, sums, s);
}

void lw_bytes_look(const uint8_t *image, int channels, int height, int width, bool planar,
                   double one, int16_t *grey, struct lw_plane_sums *sums,
                   struct lw_grey_sums *of_grey)
{
    memset(sums, 0, (size_t)channels * sizeof *sums);
    if (grey)
        memset(of_grey, 0, sizeof *of_grey);
    look(image, channels, (size_t)height * (size_t)width, planar, lw_grey_dark(one),
         lw_grey_bright(one), grey, sums, of_grey);
    if (!grey)
        return;
    for (int c = 0; c < channels; c++)
        of_grey->sum += sums[c].sum;
    look_around(grey, (size_t)height, (size_t)width, of_grey);
}

bool lw_bytes_ready(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
void lw_bytes_look(const uint8_t *image, int channels, int height, int width, bool planar,
                   double one, int16_t *grey, struct lw_plane_sums *sums,
                   struct lw_grey_sums *of_grey)
{
    (void)image, (void)channels, (void)height, (void)width, (void)planar, (void)one, (void)grey;
    (void)sums, (void)of_grey;
}

bool lw_bytes_ready(void)
{
    return false;
}
#endif

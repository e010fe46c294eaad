/* SPDX-License-Identifier: MIT */
#include "engine/ops/peaks.h"

#include <stdbool.h>
#include <string.h>

/* TFLOP/s. Where one model's words begin another's, the longer stands first. */
static const struct {
    const char *model;
    double half, single;
} cards[] = {
    {"GB200", 2500, 80},        {"B200", 2250, 75},       {"GH200", 989.4, 66.9},
    {"H200 NVL", 835.5, 60},    {"H200", 989.4, 66.9},    {"H100 PCIe", 756, 51.2},
    {"H100 NVL", 835.5, 60},    {"H100", 989.4, 66.9},    {"H800 PCIe", 756, 51.2},
    {"H800", 989.4, 66.9},      {"H20", 148, 44},         {"A100", 311.9, 19.5},
    {"A800", 311.9, 19.5},      {"A40", 149.7, 37.4},     {"A30", 165, 10.3},
    {"A10G", 70, 35},           {"A10", 125, 31.2},       {"L40S", 362, 91.6},
    {"L40", 181, 90.5},         {"L4", 121, 30.3},        {"RTX 6000 Ada", 364, 91},
    {"RTX A6000", 154.8, 38.7}, {"RTX A5000", 111, 27.8}, {"RTX 5090", 209.5, 104.8},
    {"RTX 4090", 165.2, 82.6},  {"RTX 4080", 97.5, 48.7}, {"RTX 3090 Ti", 80, 40},
    {"RTX 3090", 71, 35.6},
};

static bool ends_word(char c)
{
    return c == '\0' || c == ' ' || c == '-';
}

/* Where word stands in text as a whole word, or NULL. */
static const char *find_word(const char *text, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || ends_word(at[-1])) && ends_word(at[n]))
            return at;
    return NULL;
}

/* "RTX 4090 Laptop GPU" is not an RTX 4090. */
static bool is_variant(const char *rest)
{
    static const char *const words[] = {" Laptop", " Ti", " SUPER", " D", " Max-Q"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strncmp(rest, words[i], strlen(words[i])) && ends_word(rest[strlen(words[i])]))
            return true;
    return false;
}

double lw_peak_flops(const char *name, enum lw_dtype type)
{
    if (find_word(name, "MIG"))
        return 0;
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        const char *at = find_word(name, cards[i].model);

        if (!at)
            continue;
        if (is_variant(at + strlen(cards[i].model)))
            return 0;
        return 1e12 * (type == LW_BF16 || type == LW_F16 ? cards[i].half
                       : type == LW_F32                  ? cards[i].single
                                                         : 0);
    }
    return 0;
}

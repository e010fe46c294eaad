/* SPDX-License-Identifier: MIT */
#include "engine/ops/cpu/kernels.h"

#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__

static const struct lw_cpu_kernels *const with_avx512[] = {
    &lw_cpu_kernels_avx512, &lw_cpu_kernels_avx2, &lw_cpu_kernels_portable, NULL};

const struct lw_cpu_kernels *const *lw_cpu_variants(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return with_avx512 + 2;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return with_avx512 + 1;
    return with_avx512;
}

#else

const struct lw_cpu_kernels *const *lw_cpu_variants(void)
{
    static const struct lw_cpu_kernels *const portable[] = {&lw_cpu_kernels_portable, NULL};

    return portable;
}

#endif

int lw_cpu_choose(const struct lw_cpu_kernels **out, struct lw_error *err)
{
    static const struct {
        const char *word, *name;
    } known[] = {{"portable", "portable"}, {"avx2", "AVX2"}, {"avx512", "AVX-512"}};
    const struct lw_cpu_kernels *const *variant = lw_cpu_variants();
    const char *word = getenv("LEEWAY_ISA");

    *out = variant[0];
    if (!word || !*word)
        return 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strcmp(word, known[i].word))
            continue;
        for (; *variant; variant++) {
            if (!strcmp((*variant)->name, known[i].name)) {
                *out = *variant;
                return 0;
            }
        }
        return lw_fail(err, LW_EMISSING, "LEEWAY_ISA=%s: this processor has no %s", word,
                       known[i].name);
    }
    return lw_fail(err, LW_EUSAGE, "LEEWAY_ISA=%s: must be portable, avx2 or avx512", word);
}

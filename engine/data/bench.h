/* SPDX-License-Identifier: MIT
 *
 * How fast data comes: the figures behind `leeway bench data`.
 */
#ifndef LW_DATA_BENCH_H
#define LW_DATA_BENCH_H

#include "engine/base/error.h"

struct lw_data_bench {
    double bpe_mb_s;      /* MB (10^6 bytes) of text a second of one core's time; 0: no BPE given */
    double bytes_mb_s;    /* the byte tokenizer */
    double generate_mb_s; /* lm_tiny, bytes of text, tokenised */
    double windows_s;     /* loader, shuffled, 1024 + 1 tokens each */
    double bytes;         /* of text that was measured on */
};

/* text: a file to encode, NULL: generated. tokenizer: as in lw_tokenizer_open, NULL or "bytes":
 * no BPE figure. seconds: how long each part is measured (at least one pass). */
LW_NODISCARD int lw_bench_data(struct lw_data_bench *out, const char *text, const char *tokenizer,
                               double seconds, struct lw_error *err);

#endif

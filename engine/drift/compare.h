/* SPDX-License-Identifier: MIT
 *
 * Two profiles compared: every score, what it means, and why. doc/DRIFT.md defines them.
 */
#ifndef LW_DRIFT_COMPARE_H
#define LW_DRIFT_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/drift/overlap.h"
#include "engine/drift/profile.h"
#include "engine/drift/verdict.h"

enum lw_score_id {
    LW_SCORE_LENGTH_JS,
    LW_SCORE_LENGTH_W1,
    LW_SCORE_TOKEN_OVERLAP,
    LW_SCORE_TOKEN_JS,
    LW_SCORE_TOKEN_OOV,
    LW_SCORE_BRIGHTNESS_JS,
    LW_SCORE_CHANNEL_DISTANCE,
    LW_SCORE_FEATURE_BRIGHTNESS, /* the six in the order of enum lw_feature */
    LW_SCORE_FEATURE_CONTRAST,
    LW_SCORE_FEATURE_EDGE,
    LW_SCORE_FEATURE_LAPLACIAN,
    LW_SCORE_FEATURE_DARK,
    LW_SCORE_FEATURE_SATURATED,
    LW_SCORE_OUTPUT_KL,
    LW_SCORE_OUTPUT_JS,
    LW_SCORES
};

const char *lw_score_name(enum lw_score_id s);
bool lw_score_is_js(enum lw_score_id s); /* a JS distance, with a floor and a z */

/* Index of a name, -1 where there is none. */
int lw_score_find(const char *name);

struct lw_drift_settings {
    bool reference; /* drift_mode: reference, else calibrated */
    bool alarm;     /* a run adds checks up: verdicts of JS distances tell their chance */
    double warn[LW_SCORES], alert[LW_SCORES]; /* distances; token_overlap's are shares kept */
};

/* Mode, 0.1 and 0.2, or other ones, for all scores; token_overlap keeps 0.9 and 0.7. No alarm. */
void lw_drift_settings_init(struct lw_drift_settings *s, bool reference, double warn, double alert);

#define LW_WHYS 5

/* A bin, token, class or channel, and its part in the score: positive where the current profile
 * has more of it, negative where it has less. */
struct lw_why {
    char what[48];
    double share;
};

struct lw_score {
    bool present; /* else absent says why, NULL where the modality has no such score */
    const char *absent;
    double value; /* NaN: not known, or no data */
    bool bounded; /* verdict has bounds */
    struct lw_verdict verdict;
    struct lw_why why[LW_WHYS];
    int whys;
};

struct lw_comparison {
    enum lw_modality modality;
    bool reference_mode;
    uint64_t items[2]; /* reference, current */
    struct lw_score score[LW_SCORES];
    enum lw_state overall;
    double max_drift;       /* NaN where no score has a value */
    enum lw_score_id worst; /* whose max_drift it is */
};

/* Compare; cache (may be NULL) keeps what only depends on the reference and the number of tokens.
 * LW_EDATA, naming both, where modality or bins differ. */
LW_NODISCARD int lw_drift_compare(struct lw_comparison *c, const struct lw_profile *reference,
                                  const struct lw_profile *current,
                                  const struct lw_drift_settings *settings,
                                  struct lw_overlap_null *cache, struct lw_error *err);

/* What an unsure score needs, in words: "needs about 1200 more items", or "". */
const char *lw_needed_words(const struct lw_verdict *v, char out[64]);

#endif

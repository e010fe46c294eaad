/* SPDX-License-Identifier: MIT
 *
 * From the configuration's drift fields to settings.
 */
#ifndef LW_DRIFT_SETTINGS_H
#define LW_DRIFT_SETTINGS_H

#include "engine/config/config.h"
#include "engine/drift/compare.h"

/* LW_EUSAGE for thresholds the wrong way round or of a score that does not exist. The thresholds of
 * token_overlap are given as shares lost: [0.1, 0.3] means 0.9 and 0.7. */
LW_NODISCARD int lw_drift_settings_from(struct lw_drift_settings *s, const struct lw_config *c,
                                        struct lw_error *err);

/* What a profile of text looks like under a configuration. */
void lw_profile_options_from(struct lw_profile_options *o, const struct lw_config *c);

/* Set fields of c from key=value words, those of `allowed` only (ends in NULL). LW_EUSAGE with
 * every problem, a line each; command is for the message. */
LW_NODISCARD int lw_drift_words(struct lw_config *c, char *const *word, int words,
                                const char *const *allowed, const char *command,
                                struct lw_error *err);

#endif

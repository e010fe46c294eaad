/* SPDX-License-Identifier: MIT */
#include "engine/drift/settings.h"

#include <string.h>

#include "engine/config/nearest.h"
#include "engine/drift/check_config.h"

static int unknown_score(const char *name, struct lw_error *err)
{
    const char *names[LW_SCORES], *near;

    for (int i = 0; i < LW_SCORES; i++)
        names[i] = lw_score_name((enum lw_score_id)i);
    near = lw_nearest(name, names, LW_SCORES);
    return lw_fail(err, LW_EUSAGE, "drift_thresholds: there is no score %.64s%s%s", name,
                   near ? ", did you mean " : "", near ? near : "");
}

int lw_drift_settings_from(struct lw_drift_settings *s, const struct lw_config *c,
                           struct lw_error *err)
{
    if (!(c->drift_warn <= c->drift_alert))
        return lw_fail(err, LW_EUSAGE,
                       "drift_warn (%g) must not be above drift_alert (%g): swap them",
                       c->drift_warn, c->drift_alert);
    lw_drift_settings_init(s, c->drift_mode == LW_DRIFT_REFERENCE, c->drift_warn, c->drift_alert);
    for (int i = 0; i < c->drift_thresholds.count; i++) {
        const struct lw_threshold *t = &c->drift_thresholds.item[i];
        int score = lw_score_find(t->score);

        if (score < 0)
            return unknown_score(t->score, err);
        s->warn[score] = score == LW_SCORE_TOKEN_OVERLAP ? 1 - t->warn : t->warn;
        s->alert[score] = score == LW_SCORE_TOKEN_OVERLAP ? 1 - t->alert : t->alert;
    }
    return 0;
}

int lw_drift_check_config(const struct lw_config *c, struct lw_error *err)
{
    struct lw_drift_settings ignored;

    return lw_drift_settings_from(&ignored, c, err);
}

void lw_profile_options_from(struct lw_profile_options *o, const struct lw_config *c)
{
    bool reference = c->drift_mode == LW_DRIFT_REFERENCE;

    *o = (struct lw_profile_options){.modality = LW_TEXT,
                                     .length_bins = c->length_bins,
                                     .length_max = c->length_max ? c->length_max
                                                   : reference   ? 512
                                                                 : c->max_seq_len,
                                     .block = c->max_seq_len,
                                     .reference_only = reference,
                                     .limit = (uint64_t)c->profile_items};
}

static int check_key(const char *word, const char *const *allowed, const char *command,
                     struct lw_error *err)
{
    size_t n = strcspn(word, "=");
    const char *near;
    char key[80];
    int count = 0;

    for (; allowed[count]; count++)
        if (strlen(allowed[count]) == n && !strncmp(word, allowed[count], n))
            return 0;
    snprintf(key, sizeof key, "%.*s", (int)(n < 64 ? n : 64), word);
    near = lw_nearest(key, allowed, count);
    return lw_fail(err, LW_EUSAGE, "leeway %s does not use %s%s%s", command, key,
                   near ? ", did you mean " : "", near ? near : "");
}

int lw_drift_words(struct lw_config *c, char *const *word, int words, const char *const *allowed,
                   const char *command, struct lw_error *err)
{
    const struct lw_strings *problems;
    size_t n = 0;
    int rc;

    for (int i = 0; i < words; i++)
        if ((rc = check_key(word[i], allowed, command, err)) ||
            (rc = lw_config_set(c, word[i], err)))
            return rc;
    problems = lw_config_problems(c);
    if (!problems->count)
        return 0;
    err->code = LW_EUSAGE;
    for (int i = 0; i < problems->count && n < sizeof err->text - 1; i++)
        n += (size_t)snprintf(err->text + n, sizeof err->text - n, "%s%s", i ? "\n" : "",
                              problems->item[i]);
    return LW_EUSAGE;
}

/* SPDX-License-Identifier: MIT */
#include "tui/chart_actions.h"

void lw_drift_compare_next(struct lw_view *v, int by)
{
    const struct lw_drift *d = lw_view_drift(v);

    for (int i = 1; d && i < LW_AGAINSTS; i++) {
        enum lw_against next = (enum lw_against)((v->against + LW_AGAINSTS + by * i) % LW_AGAINSTS);

        if (lw_checks_count(&d->log.checks[next])) {
            v->against = next;
            lw_view_say(v, "compared with %s",
                        next == LW_AGAINST_REFERENCE    ? "the reference"
                        : next == LW_AGAINST_VALIDATION ? "the validation data"
                                                        : "the check before");
            return;
        }
    }
    lw_view_say(v, "this is the only comparison there is");
}

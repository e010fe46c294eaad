/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/drift/compare.h"
#include "engine/drift/profile.h"
#include "tests/fuzz/fuzz.h"

static char *text_of(const struct lw_profile *p, size_t *size)
{
    struct lw_error err;
    char *text;

    if (lw_profile_write(p, NULL, NULL, &text, size, &err))
        abort();
    return text;
}

/* A profile does not drift from itself. */
static void compare(const struct lw_profile *p, bool reference)
{
    struct lw_drift_settings s;
    struct lw_comparison c;
    struct lw_error err;

    lw_drift_settings_init(&s, reference, 0.1, 0.2);
    if (lw_drift_compare(&c, p, p, &s, NULL, &err) || c.overall == LW_DRIFT_WARN ||
        c.overall == LW_DRIFT_ALERT)
        abort();
}

/* What is accepted is written as a file that is accepted again and writes the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lw_profile p, again;
    struct lw_error err = {0};
    size_t n, m;
    char *text, *second;

    if (lw_profile_read(&p, (const char *)data, size, "fuzz", &err)) {
        if (err.code != LW_EDATA || !*err.text || strchr(err.text, '\n'))
            abort();
        return 0;
    }
    text = text_of(&p, &n);
    if (lw_profile_read(&again, text, n, "written", &err))
        abort();
    second = text_of(&again, &m);
    if (n != m || memcmp(text, second, n) != 0)
        abort();
    compare(&p, false);
    compare(&p, true);
    free(text);
    free(second);
    lw_profile_fini(&p);
    lw_profile_fini(&again);
    return 0;
}

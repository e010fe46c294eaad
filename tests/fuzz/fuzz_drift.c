/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "tests/fuzz/fuzz.h"
#include "tui/drift_panels.h"
#include "widgets/surface.h"

/* A drift.csv with anything in it: read, described and drawn. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_drift_art art;
    int fd = memfd_create("drift", MFD_CLOEXEC);
    struct lw_surface *s = lw_surface_new(24, 80, LW_CHARSET_ASCII, LW_DEPTH_MONO);
    struct lw_drift d = {0};
    struct lw_error err = {0};
    char path[64];
    bool changed;

    if (fd < 0 || !s || lw_write_all(fd, data, size))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    lw_drift_settings_init(&d.settings, false, 0.1, 0.2);
    if (lw_drift_history_open(&d.log, path, &err))
        abort();
    while (lw_drift_history_poll(&d.log, 4096, &changed) > 0)
        ;
    for (int a = 0; a < LW_AGAINSTS; a++) {
        const struct lw_checks *c = &d.log.checks[a];

        if (lw_checks_count(c) > LW_DRIFT_CHECKS + 1 || (lw_checks_count(c) && !c->any))
            abort();
        for (int what = LW_DRIFT_BARS; what <= LW_DRIFT_WHY; what++)
            for (int by = 0; by < LW_BYS; by++) {
                struct lw_drift_want want = {.what = (enum lw_drift_panel)what,
                                             .against = (enum lw_against)a,
                                             .score = by - 1,
                                             .by = (enum lw_by)by,
                                             .cols = 40 * by,
                                             .checks = 200,
                                             .selected = -1};
                struct lw_panel panel = {0};

                lw_drift_panel(&art, &d, &want, &panel);
                lw_panel_draw(lw_area_all(s), &panel);
            }
    }
    lw_drift_history_close(&d.log);
    lw_surface_free(s);
    close(fd);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "tui/unit.h"

#include "engine/run/folder.h"

const char *lw_unit_of_run(const char *dir)
{
    struct lw_error err = {0};
    struct lw_config c;
    const char *unit = "tok";

    if (!lw_config_init(&c, &err) && !lw_run_load_config(&c, dir, &err) && lw_config_is_vision(&c))
        unit = "img";
    lw_config_fini(&c);
    return unit;
}

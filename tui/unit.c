/* SPDX-License-Identifier: MIT */
#include "tui/unit.h"

#include <stdlib.h>

#include "engine/base/io.h"
#include "engine/config/config.h"
#include "engine/run/folder.h"

const char *lw_unit_of_run(const char *dir)
{
    char *file = lw_path_join(dir, LW_RUN_CONFIG);
    struct lw_error err = {0};
    struct lw_config c;
    const char *unit = "tok";

    if (!lw_config_init(&c, &err) && file && !lw_config_load(&c, file, &err) &&
        lw_config_is_vision(&c))
        unit = "img";
    lw_config_fini(&c);
    free(file);
    return unit;
}

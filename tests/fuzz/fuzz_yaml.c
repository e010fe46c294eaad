/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/config/config.h"
#include "tests/fuzz/fuzz.h"

/* What is accepted is saved as YAML that is accepted again and saves as the same. */
static void save_and_load(const struct lw_config *c)
{
    struct lw_config again;
    struct lw_error err;
    char *text = lw_config_text(c), *second;

    if (!text || lw_config_init(&again, &err) < 0)
        abort();
    if (lw_config_parse(&again, text, strlen(text), "saved", &err) < 0 ||
        lw_config_finish(&again, false, &err) < 0)
        abort();
    second = lw_config_text(&again);
    if (!second || strcmp(text, second) != 0)
        abort();
    free(text);
    free(second);
    lw_config_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lw_config c;
    struct lw_error err;

    if (lw_config_init(&c, &err) < 0)
        abort();
    if (lw_config_parse(&c, (const char *)data, size, "fuzz.yaml", &err) == 0 &&
        lw_config_finish(&c, false, &err) == 0)
        save_and_load(&c);
    lw_config_fini(&c);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tui/bench_console.h"
#include "tui/verb.h"

/* What is the console's to measure is measured here; the rest is the engine's. */
int lw_cmd_bench(const struct lw_verb *self, struct lw_args *args)
{
    if (args->words && !strcmp(args->word[0], "console"))
        return lw_bench_console(self, args->words - 1, args->word + 1);
    return lw_cmd_engine(self, args);
}

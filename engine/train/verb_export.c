/* SPDX-License-Identifier: MIT
 *
 * leeway-engine export RUN --safetensors DIR ...: a run's model and numbers in formats that others
 * read. What needs a console (CSV, pictures) is the program leeway's. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/train/export.h"
#include "engine/usage.h"
#include "engine/verbs.h"

enum { FORMATS_MAX = 16, STEP = 1000, HELP };

static void print(void *user, const char *line)
{
    (void)user;
    puts(line);
    fflush(stdout);
}

static void usage(FILE *out)
{
    fputs("usage: export RUN [--step last|best|N]", out);
    for (const struct lw_export_format *f = lw_export_formats; f->name; f++)
        fprintf(out, " [--%s %s]", f->name, f->target);
    fputs("\n", out);
}

/* One format after the other: a failure is said and does not keep the next from being written. */
static int write_all(struct lw_export *e, char *const *target)
{
    struct lw_error err = {0};
    int code = 0;

    for (int i = 0; lw_export_formats[i].name; i++)
        if (target[i]) {
            int one = lw_usage_end(lw_export_formats[i].write(e, target[i], &err), &err);

            code = one ? one : code;
        }
    return code;
}

int lw_verb_export(int argc, char **argv)
{
    struct option words[FORMATS_MAX + 3] = {{"step", required_argument, NULL, STEP},
                                            {"help", no_argument, NULL, HELP}};
    char *target[FORMATS_MAX] = {NULL}, *step = NULL;
    struct lw_error err = {0};
    struct lw_export e;
    int c, code, formats = 0, wanted = 0;

    for (; lw_export_formats[formats].name; formats++)
        words[formats + 2] =
            (struct option){lw_export_formats[formats].name, required_argument, NULL, formats};
    optind = 1;
    while ((c = lw_usage_option(argc, argv, "", words)) != -1) {
        if (c == HELP) {
            usage(stdout);
            return 0;
        } else if (c == STEP) {
            step = optarg;
        } else if (c >= 0 && c < formats && *optarg) {
            target[c] = optarg;
            wanted++;
        } else {
            if (c >= 0 && c < formats)
                fprintf(stderr, "leeway-engine: --%s needs a name\n", lw_export_formats[c].name);
            usage(stderr);
            return 2;
        }
    }
    if (argc - optind != 1 || !wanted) {
        lw_fail(&err, LW_EUSAGE, "one run and at least one format are needed");
        return lw_usage_end(LW_EUSAGE, &err);
    }
    code = lw_usage_end(lw_export_open(&e, argv[optind], step, print, NULL, &err), &err);
    if (!code)
        code = write_all(&e, target);
    lw_export_close(&e);
    return code;
}

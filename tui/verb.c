/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tui/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/nearest.h"
#include "tui/console.h"

static void print_lines(FILE *out, const char *prefix, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        char line[1024];

        lw_text_clean(text, n, line, sizeof line);
        fprintf(out, "%s%s\n", prefix, line);
        text += n + (text[n] == '\n');
    }
}

int lw_verb_fail(const struct lw_verb *self, const struct lw_error *err)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "leeway%s%s: ", self ? " " : "", self ? self->name : "");
    fflush(stdout);
    print_lines(stderr, prefix, err->text);
    return err->code == LW_EUSAGE ? LW_EXIT_USAGE : LW_EXIT_FAILED;
}

static void print_options(const struct lw_option *o)
{
    for (; o->name; o++) {
        char left[64];

        if (o->letter)
            snprintf(left, sizeof left, "-%c, --%s%s%s", o->letter, o->name, o->value ? " " : "",
                     o->value ? o->value : "");
        else
            snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                     o->value ? o->value : "");
        printf("  %-22s %s\n", left, o->help);
    }
}

static void print_help(const struct lw_verb *c)
{
    printf("leeway %s %s\n%s.\n", c->name, c->usage, c->summary);
    if (c->help[0])
        printf("\n%s", c->help);
    if (c->options) {
        printf("\n");
        print_options(c->options);
    }
    if (c->run == lw_cmd_train)
        lw_train_print_fields();
}

static void print_overview(void)
{
    printf("leeway: train a transformer and watch it learn, in the terminal.\n\n");
    for (const struct lw_verb *c = lw_verbs; c->name; c++)
        printf("  leeway %-11s %s\n", c->name, c->summary);
    printf("\nleeway COMMAND --help says more; leeway --version says which one this is.\n"
           "Exit codes: 0 done or stopped on request, 1 failed, 2 wrong usage or configuration,\n"
           "130 or 143 after SIGINT or SIGTERM and a checkpoint.\n");
}

static const struct lw_verb *find(const char *name)
{
    for (const struct lw_verb *c = lw_verbs; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

static int unknown_command(const char *word)
{
    const char *names[32], *near;
    char shown[96];
    int n = 0;

    for (const struct lw_verb *c = lw_verbs; c->name; c++)
        names[n++] = c->name;
    near = lw_nearest(word, names, n);
    lw_text_clean(word, strlen(word), shown, sizeof shown);
    if (near)
        fprintf(stderr, "leeway: unknown command '%s': did you mean '%s'?\n", shown, near);
    else
        fprintf(stderr, "leeway: unknown command '%s': leeway --help lists them\n", shown);
    return LW_EXIT_USAGE;
}

static int asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return 1;
    return 0;
}

static int run(const struct lw_verb *c, int argc, char **argv)
{
    struct lw_args args = {0};
    struct lw_error err = {0};
    struct lw_look look;
    int code;

    if (asks_for_help(argc, argv)) {
        print_help(c);
        return LW_EXIT_OK;
    }
    if (!c->options) {
        args.word = argv;
        args.words = argc;
        return c->run(c, &args);
    }
    if (lw_args_parse(&args, c->options, argc, argv, &err) || lw_look_parse(&look, &args, &err))
        code = lw_verb_fail(c, &err);
    else
        code = c->run(c, &args);
    lw_args_fini(&args);
    return code;
}

int lw_verb_main(int argc, char **argv)
{
    const struct lw_verb *c;
    int code;

    if (argc < 2 || !strcmp(argv[1], "help")) {
        c = argc > 2 ? find(argv[2]) : NULL;
        if (c)
            print_help(c);
        else if (argc > 2)
            return unknown_command(argv[2]);
        else
            print_overview();
        return argc < 2 ? LW_EXIT_USAGE : LW_EXIT_OK;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_overview();
        return LW_EXIT_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("leeway %s\n", PACKAGE_VERSION);
        return LW_EXIT_OK;
    }
    c = find(argv[1]);
    if (!c)
        return unknown_command(argv[1]);
    code = run(c, argc - 2, argv + 2);
    if (fflush(stdout) && !code) {
        fprintf(stderr, "leeway %s: cannot write the output: %m\n", c->name);
        code = LW_EXIT_FAILED;
    }
    return code;
}

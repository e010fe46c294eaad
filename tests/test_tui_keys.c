/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ncurses.h>
#include <string.h>

#include "tui/args.h"
#include "tui/keys.h"
#include "tui/verb.h"

Test(tui_keys, no_key_means_two_things_on_a_page)
{
    for (const struct lw_key *a = lw_keys; a->action != LW_ACT_NONE; a++)
        for (const struct lw_key *b = a + 1; b->action != LW_ACT_NONE; b++)
            for (int i = 0; i < 3; i++)
                for (int k = 0; k < 3; k++)
                    cr_assert(!a->code[i] || a->code[i] != b->code[k] || !(a->pages & b->pages),
                              "%s and %s share a key", a->help, b->help);
}

Test(tui_keys, every_row_is_whole_and_can_be_reached)
{
    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++) {
        cr_assert(k->code[0], "%s", k->help);
        cr_assert(k->shown && *k->shown && strlen(k->shown) <= 8, "%s", k->help);
        cr_assert(k->help && *k->help);
        cr_assert(k->pages, "%s", k->help);
        cr_assert_eq(k->code[0] == ('b' & 31) || k->code[0] == ('a' & 31), 0,
                     "%s is a multiplexer's prefix", k->shown);
    }
}

Test(tui_keys, pages_have_their_own_meanings)
{
    cr_assert_eq(lw_key_action('q', LW_PAGE_HELP), LW_ACT_QUIT);
    cr_assert_eq(lw_key_action(KEY_F(1), LW_PAGE_RUNS), LW_ACT_HELP);
    cr_assert_eq(lw_key_action('y', LW_PAGE_PANEL), LW_ACT_LOG);
    cr_assert_eq(lw_key_action('y', LW_PAGE_EVENTS), LW_ACT_NONE);
    cr_assert_eq(lw_key_action(0, LW_PAGE_DASHBOARD), LW_ACT_NONE);
    cr_assert_eq(lw_key_action(KEY_RESIZE, LW_PAGE_DASHBOARD), LW_ACT_NONE);
    cr_assert_eq(lw_key_action('\r', LW_PAGE_DASHBOARD), LW_ACT_OPEN);
}

static const struct lw_option table[] = {
    {"plain", 'p', NULL, ""},  {"size", 0, "WxH", ""}, {"csv", 0, "FILE", ""},
    {"run-dir", 0, "DIR", ""}, LW_COMMON_OPTIONS,
};

static struct lw_args args;
static struct lw_error err;

static int parse(int n, ...)
{
    static char *words[16];
    va_list ap;

    va_start(ap, n);
    for (int i = 0; i < n; i++)
        words[i] = va_arg(ap, char *);
    va_end(ap);
    lw_args_fini(&args);
    return lw_args_parse(&args, table, n, words, &err);
}

static void fini(void)
{
    lw_args_fini(&args);
}

TestSuite(tui_args, .fini = fini);

Test(tui_args, words_and_options_in_any_order)
{
    cr_assert_eq(parse(6, "a", "--size", "3x4", "b=1", "-p", "-"), 0, "%s", err.text);
    cr_assert_str_eq(lw_args_get(&args, "size"), "3x4");
    cr_assert_not_null(lw_args_get(&args, "plain"));
    cr_assert_null(lw_args_get(&args, "ascii"));
    cr_assert_eq(args.words, 3);
    cr_assert_str_eq(args.word[1], "b=1");
    cr_assert_str_eq(args.word[2], "-");
}

Test(tui_args, dashes_end_the_options)
{
    cr_assert_eq(parse(4, "--size=1x1", "--", "--plain", "-x"), 0);
    cr_assert_str_eq(lw_args_get(&args, "size"), "1x1");
    cr_assert_eq(args.words, 2);
    cr_assert_null(lw_args_get(&args, "plain"));
}

Test(tui_args, every_problem_at_once)
{
    cr_assert_eq(parse(4, "--plane", "--plain=yes", "-z", "--size"), LW_EUSAGE);
    cr_assert(strstr(err.text, "--plane: did you mean --plain?"), "%s", err.text);
    cr_assert(strstr(err.text, "--plain takes no value"), "%s", err.text);
    cr_assert(strstr(err.text, "unknown option -z"), "%s", err.text);
    cr_assert(strstr(err.text, "--size needs a value"), "%s", err.text);
}

Test(tui_args, an_option_is_no_value)
{
    cr_assert_eq(parse(2, "--csv", "--plain"), LW_EUSAGE);
    cr_assert_str_eq(err.text, "--csv needs a file name, not the option --plain; a file of that "
                               "name is ./--plain");
    cr_assert_eq(parse(3, "--run-dir", "--csv", "x"), LW_EUSAGE);
    cr_assert_str_eq(err.text, "--run-dir needs a folder name, not the option --csv; a folder of "
                               "that name is ./--csv");
    cr_assert_eq(parse(2, "--size", "--"), LW_EUSAGE);
    cr_assert(strstr(err.text, "--size needs a value (WxH), not the option --"), "%s", err.text);
    cr_assert_eq(parse(5, "--csv", "-", "--size=--plain", "--run-dir", "./--plain"), 0, "%s",
                 err.text);
    cr_assert_str_eq(lw_args_get(&args, "csv"), "-");
    cr_assert_str_eq(lw_args_get(&args, "size"), "--plain");
    cr_assert_str_eq(lw_args_get(&args, "run-dir"), "./--plain");
    cr_assert_null(lw_args_get(&args, "plain"));
}

Test(tui_args, hostile_words_are_cleaned)
{
    cr_assert_eq(parse(1, "--\033]52;c;x\007"), LW_EUSAGE);
    cr_assert_null(strchr(err.text, '\033'));
    cr_assert_null(strchr(err.text, '\007'));
}

Test(tui_args, commands_are_whole)
{
    for (const struct lw_verb *v = lw_verbs; v->name; v++) {
        cr_assert(v->usage && v->summary && v->help && v->run, "%s", v->name);
        if (!v->options)
            continue;
        for (int i = 0; v->options[i].name; i++) {
            cr_assert_lt(i, LW_ARGS_OPTIONS);
            for (int k = i + 1; v->options[k].name; k++)
                cr_assert(strcmp(v->options[i].name, v->options[k].name), "%s", v->name);
        }
    }
}

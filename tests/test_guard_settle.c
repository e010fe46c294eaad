/* SPDX-License-Identifier: MIT
 *
 * What becomes of strategy and devices, and what is said of it.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/guard/settle.h"
#include "tests/guard_machine.h"

#define NOTEBOOK                                                                                   \
    "1 systemd\n600 python3 sid=600 : python3 -m ipykernel_launcher -f /tmp/tmp1.json\n"           \
    "999 leeway : leeway train\n"
#define TERMINAL                                                                                   \
    "1 systemd\n850 tmux sid=850 tty=0 : tmux\n860 bash sid=860 tty=34817\n999 leeway\n"

struct row {
    const char *processes, *allow; /* ALLOW_NOTEBOOK_DDP=... */
    const char *set[3];
    bool gpu, outlive;
    int there;
    const char *strategy, *devices; /* afterwards; NULL: it is refused */
    const char *says[3];
};

/* clang-format off: a row is easier to read as it was written */
static const struct row rows[] = {
    /* in a notebook: one rank, and it is said once more was asked for */
    {NOTEBOOK,
     NULL,
     {"strategy=ddp"},
     false,
     false,
     2,
     "auto",
     "1",
     {"notebook parent found: pid 600 \"python3 -m ipykernel_launcher\" (1 level up)",
      "strategy 'ddp' -> 'auto' (1 device). In a notebook, extra ranks outlive the kernel",
      "set ALLOW_NOTEBOOK_DDP=1 to keep 'ddp'."}},
    {NOTEBOOK,
     NULL,
     {"strategy=ddp", "devices=2"},
     false,
     false,
     2,
     "auto",
     "1",
     {"'ddp' -> 'auto'"}},
    {NOTEBOOK,
     NULL,
     {"strategy=ddp", "devices=8"},
     true,
     false,
     1,
     "auto",
     "1",
     {"'ddp' -> 'auto'"}},
    {NOTEBOOK, NULL, {"strategy=fsdp"}, true, false, 8, "auto", "1", {"strategy 'fsdp' -> 'auto'"}},
    {NOTEBOOK, NULL, {"strategy=fsdp_native"}, true, false, 8, "auto", "1", {"-> 'auto'"}},
    {NOTEBOOK,
     NULL,
     {"devices=2"},
     false,
     false,
     2,
     "auto",
     "1",
     {"1 device instead of 2", "to keep several ranks"}},
    {NOTEBOOK, NULL, {"num_nodes=2"}, false, false, 2, "auto", "1", {"1 device instead of 2"}},
    {NOTEBOOK,
     NULL,
     {NULL},
     true,
     false,
     8,
     "auto",
     "1",
     {"the run ends when notebook kernel pid 600"}},
    {NOTEBOOK, NULL, {NULL}, true, true, 8, "auto", "1", {"which this run outlives"}},
    {NOTEBOOK,
     "ALLOW_NOTEBOOK_DDP=on",
     {"strategy=ddp"},
     false,
     false,
     2,
     "auto",
     "1",
     {"ALLOW_NOTEBOOK_DDP='on' not understood (use 1, true or yes): strategy forced to 'auto'."}},
    {NOTEBOOK,
     "ALLOW_NOTEBOOK_DDP=0",
     {"strategy=ddp"},
     false,
     false,
     2,
     "auto",
     "1",
     {"'0' not understood"}},
    {NOTEBOOK,
     "ALLOW_NOTEBOOK_DDP=",
     {"strategy=ddp"},
     false,
     false,
     2,
     "auto",
     "1",
     {"'ddp' -> 'auto'"}},
    {NOTEBOOK,
     "ALLOW_NOTEBOOK_DDP= 1",
     {"strategy=ddp"},
     false,
     false,
     2,
     "auto",
     "1",
     {"' 1' not understood"}},
    /* elsewhere: as many as there are */
    {TERMINAL,
     NULL,
     {"strategy=ddp"},
     true,
     false,
     1,
     "auto",
     "auto",
     {"strategy 'ddp' -> 'auto': there is one device"}},
    {TERMINAL,
     NULL,
     {"strategy=ddp"},
     false,
     false,
     2,
     "auto",
     "auto",
     {"one rank unless devices=N asks for more (2 processors here)"}},
    {TERMINAL, NULL, {"strategy=ddp", "devices=1"}, true, false, 4, "auto", "1", {"devices is 1"}},
    {TERMINAL,
     NULL,
     {"devices=5"},
     true,
     false,
     4,
     NULL,
     NULL,
     {"devices: 5 were asked for, but there are 4 here: cuda:0, cuda:1"}},
    {TERMINAL,
     NULL,
     {"strategy=ddp", "devices=2"},
     true,
     false,
     1,
     NULL,
     NULL,
     {"devices: 2 were asked for, but there is 1 here"}},
    {TERMINAL,
     NULL,
     {"strategy=fsdp"},
     true,
     false,
     4,
     NULL,
     NULL,
     {"fsdp is not available in this version: use ddp"}},
    {TERMINAL, NULL, {"strategy=fsdp_native"}, false, false, 1, NULL, NULL, {"use ddp"}},
    {TERMINAL,
     NULL,
     {"strategy=ddp", "num_nodes=2"},
     true,
     false,
     4,
     NULL,
     NULL,
     {"num_nodes: ranks on 2 machines are started by mpirun, srun or torchrun, one leeway each"}},
    {"1 systemd\n999 leeway\n+/var/colab/hostname=x",
     "ALLOW_NOTEBOOK_DDP=yes",
     {"strategy=ddp", "devices=2"},
     true,
     false,
     4,
     "ddp",
     "2",
     {"ALLOW_NOTEBOOK_DDP=yes: keeping 'ddp' in what looks like a notebook (Google Colab)"}},
    {TERMINAL, NULL, {NULL}, true, false, 4, "auto", "auto", {NULL}},
    {TERMINAL, "ALLOW_NOTEBOOK_DDP=maybe", {NULL}, true, false, 4, "auto", "auto", {NULL}},
};
/* clang-format on */

static struct lw_guard_evidence e;
static struct lw_guard_verdict v;
static struct lw_guard_lines lines;
static struct lw_error err;

static int settle(const struct row *r, struct lw_config *c)
{
    struct machine m = {r->processes, {r->allow}};
    struct lw_devices d = {r->gpu, r->there, "cuda:0, cuda:1"};
    int rc;

    cr_assert_eq(lw_config_init(c, &err), 0);
    for (int i = 0; i < 3 && r->set[i]; i++)
        cr_assert_eq(lw_config_set(c, r->set[i], &err), 0);
    cr_assert_eq(lw_config_finish(c, r->gpu, &err), 0, "%s", err.text);
    machine_judge(&m, &e, &v);
    lines.count = 0;
    rc = lw_guard_settle(c, &e, &v, &d, r->outlive, &lines, &err);
    return rc;
}

static bool said(const char *text)
{
    for (int i = 0; i < lines.count; i++)
        if (strstr(lines.line[i].text, text))
            return true;
    return false;
}

Test(settle, every_rule, .timeout = 60)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct lw_config c;
        char text[64];
        int rc = settle(r, &c);

        cr_expect_eq(rc, r->strategy ? 0 : LW_EUSAGE, "row %zu: %s", i, err.text);
        if (r->strategy) {
            lw_config_get(&c, "strategy", text, sizeof(text));
            cr_expect_str_eq(text, r->strategy, "row %zu: %s", i, text);
            lw_config_get(&c, "devices", text, sizeof(text));
            cr_expect_str_eq(text, r->devices, "row %zu: %s", i, text);
            cr_expect(r->says[0] || !lines.count, "row %zu says %s", i, lines.line[0].text);
        }
        for (int k = 0; k < 3 && r->says[k]; k++)
            cr_expect(rc ? strstr(err.text, r->says[k]) != NULL : said(r->says[k]),
                      "row %zu: nobody says: %s (%s)", i, r->says[k],
                      rc ? err.text : lines.line[0].text);
        lw_config_fini(&c);
    }
}

Test(settle, allowed_in_any_case)
{
    static const char *const words[] = {"1", "true", "yes", "True", "YES"};
    char allow[64];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct row r = {NOTEBOOK, allow, {"strategy=ddp", "devices=2"}, false, false, 2, NULL,
                        NULL,     {NULL}};
        struct lw_config c;

        snprintf(allow, sizeof(allow), "ALLOW_NOTEBOOK_DDP=%s", words[i]);
        (void)!settle(&r, &c);
        cr_assert_eq(c.strategy, LW_STRATEGY_DDP);
        cr_assert_eq(c.devices, 2);
        cr_assert(said("keeping 'ddp' under notebook kernel pid 600. The run ends when"));
        cr_assert(said("if GPU memory stays in use: leeway runs, leeway stop RUN"));
        lw_config_fini(&c);
    }
}

Test(settle, a_terminal_that_cannot_show_the_console_is_told)
{
    const struct machine m = {TERMINAL, {"TERM=dumb"}};
    const struct machine other = {TERMINAL, {"TERM=xterm"}};

    machine_judge(&m, &e, &v);
    lines.count = 0;
    lw_guard_remarks(&e, &v, &lines);
    cr_assert_eq(lines.count, 0, "nothing is shown there");
    e.terminal = (struct lw_guard_terminal){true, true, 24, 80};
    lw_guard_remarks(&e, &v, &lines);
    cr_assert(said("this terminal (TERM dumb) cannot show the console: plain lines instead"));
    machine_judge(&other, &e, &v);
    e.terminal = (struct lw_guard_terminal){true, true, 4, 80};
    lw_guard_remarks(&e, &v, &lines);
    cr_assert(said("this terminal has 80 columns and 4 rows: below 20x5 the console is one line"));
}

/* The saved configuration says what was changed, why, and on what evidence. */
Test(settle, it_is_written_down)
{
    static const struct row r = {
        NOTEBOOK, NULL, {"strategy=ddp", "devices=2"}, false, false, 2, "auto", "1", {NULL}};
    struct lw_config c;
    char *text;

    cr_assert_eq(settle(&r, &c), 0);
    cr_assert_eq(lw_guard_note(&c, &e, &v, &err), 0);
    text = lw_config_text(&c);
    cr_assert_not_null(text);
    cr_assert(strstr(text, "guard: notebook; terminal: no terminal"), "%s", text);
    cr_assert(strstr(text, "guard: 999 leeway train <- 600 python3 -m ipykernel_launcher <- 1"));
    cr_assert(strstr(text, "strategy: auto"));
    cr_assert(strstr(text, "# the guard: in a notebook, more ranks could outlive it"));
    free(text);
    lw_config_fini(&c);
}

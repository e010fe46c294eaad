/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/run/status.h"
#include "tests/support.h"
#include "tui/verb.h"

static const char *folder;
static char output[1 << 18];

static void init(void)
{
    folder = test_folder();
    cr_assert_eq(chdir(folder), 0);
}

TestSuite(tui_commands, .init = init);

/* Run "leeway ARGUMENTS" in the test's folder; output holds stdout and stderr. The exit code. */
static int run(const char *fmt, ...)
{
    char arguments[2048], line[4096];
    size_t n;
    va_list ap;
    FILE *p;
    int rc;

    va_start(ap, fmt);
    vsnprintf(arguments, sizeof arguments, fmt, ap);
    va_end(ap);
    snprintf(line, sizeof line, "'%s' %s 2>&1 </dev/null", test_built("leeway"), arguments);
    p = popen(line, "r");
    cr_assert_not_null(p);
    n = fread(output, 1, sizeof output - 1, p);
    output[n] = '\0';
    rc = pclose(p);
    cr_assert(WIFEXITED(rc), "leeway %s was killed: %s", arguments, output);
    return WEXITSTATUS(rc);
}

static void says(const char *what)
{
    cr_assert(strstr(output, what), "'%s' is not in: %s", what, output);
}

/* No byte that steers a terminal, whatever came in. */
static void is_clean(void)
{
    for (const unsigned char *p = (const unsigned char *)output; *p; p++)
        cr_assert(*p == '\n' || (*p >= 0x20 && *p != 0x7f), "byte %02x in: %s", *p, output);
}

Test(tui_commands, help_and_version)
{
    cr_assert_eq(run("--version"), 0);
    says("leeway 0.");
    cr_assert_eq(run("--help"), 0);
    for (const struct lw_verb *v = lw_verbs; v->name; v++) {
        cr_assert_eq(run("--help"), 0);
        says(v->name);
        cr_assert_eq(run("%s --help", v->name), 0, "%s", v->name);
        says(v->summary);
        for (const struct lw_option *o = v->options; o && o->name; o++)
            says(o->name);
    }
    cr_assert_eq(run("train --help"), 0);
    says("learning_rate");
    cr_assert_eq(run("help runs"), 0);
    says("--json");
    cr_assert_eq(run(""), 2);
}

Test(tui_commands, unknown_words_get_the_nearest)
{
    cr_assert_eq(run("trian"), 2);
    says("did you mean 'train'?");
    cr_assert_eq(run("xyzzyplugh"), 2);
    says("leeway --help");
    cr_assert_eq(run("runs --jsn"), 2);
    says("did you mean --json?");
    cr_assert_eq(run("$(printf '\\033]0;x\\007')"), 2);
    is_clean();
}

Test(tui_commands, wrong_usage_is_2)
{
    static const char *const lines[] = {
        "watch",
        "watch --once missing.csv",
        "watch --once --size 0x4 x",
        "pause",
        "stop a b",
        "resume",
        "attach a b",
        "runs a b",
        "export",
        "export --csv",
        "export x --onnx --plain",
        "export x --png --size",
        "train --run-dir --plain",
        "sample x --prompt --tokens 5",
        "profile x -o --json",
        "runs --color=pink",
        "attach nothing",
        "export missing",
        "train a.yaml b.yaml",
        "train --outlive-kernel",
        "export --png x y",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_eq(run("%s", lines[i]), 2, "leeway %s: %s", lines[i], output);
        is_clean();
    }
    cr_assert_eq(run("export x --onnx --plain"), 2);
    says("--onnx needs a file name, not the option --plain; a file of that name is ./--plain");
    cr_assert_eq(run("sample x --prompt --tokens 5"), 2);
    says("--prompt needs a value, not the option --tokens; --prompt=--tokens if that is the value");
    cr_assert_eq(run("profile x -o --json"), 2);
    says("--output=--json if that is the value");
}

Test(tui_commands, what_cannot_be_says_so)
{
    cr_assert_eq(run("export --bundle folder nosuch"), 2);
    says("nosuch");
    cr_assert_eq(run("export --bundle folder run run"), 2);
    says("--bundle: one run at a time");
    cr_assert_eq(run("train --outlive-kernel"), 2);
    says("--outlive-kernel needs --detach");
}

Test(tui_commands, train_tells_all_problems_at_once)
{
    test_write("c.yaml", "learning_rat: 1\nbatch_size: -3\n");
    cr_assert_eq(run("train c.yaml dropout=7 --plain"), 2);
    says("c.yaml:1");
    says("learning_rate");
    says("c.yaml:2");
    says("batch_size");
    says("dropout");
    cr_assert_eq(access("runs", F_OK), -1, "nothing was made");
    cr_assert_eq(run("train missing.yaml --plain"), 2);
    says("missing.yaml");
    cr_assert_null(strstr(output, "data="), "%s", output);
    cr_assert_eq(run("train . --plain"), 2);
    says("to train on it: data=.");
    test_write("book.txt", "In the beginning: was the word\n- and so on\n");
    cr_assert_eq(run("train book.txt --plain"), 2);
    says("to train on it: data=book.txt");
}

Test(tui_commands, once_prints_a_frame_of_the_size)
{
    int rows = 0;

    test_write("k.csv", "epoch,loss,val_loss\n0,2.5,2.25\n1,1.5,1.75\n2,1.25,1.5\n");
    cr_assert_eq(run("watch k.csv --once --ascii --size 60x20"), 0);
    says("loss");
    says("k.csv");
    is_clean();
    for (const char *p = output; *p; p++) {
        rows += *p == '\n';
        cr_assert_lt((unsigned char)*p, 0x80, "--ascii");
    }
    cr_assert_eq(rows, 20);
    cr_assert_eq(run("watch k.csv --once --size 1x1"), 0);
    cr_assert_eq(run("watch k.csv k.csv --once --color=256"), 0);
    says("\033[");
}

Test(tui_commands, hostile_file_is_shown_clean)
{
    test_write("evil.csv", "step,\033]52;c;eA==\007loss\n1,\033[31m\n2,3\n");
    cr_assert_eq(run("watch evil.csv --once"), 0);
    is_clean();
    test_write("binary.csv", "\001\002\003");
    run("watch binary.csv --once");
    is_clean();
}

/* updated: when its engine wrote last, seconds ago. */
static void make_run_of(const char *name, enum lw_run_state state, double updated)
{
    struct lw_error err;
    struct lw_status s;
    char path[256];

    snprintf(path, sizeof path, "runs/%s", name);
    cr_assert_eq(lw_make_folders(path, &err), 0);
    lw_status_init(&s);
    s.state = state;
    s.updated = lw_clock_wall() - updated;
    s.step = 120;
    s.of = 500;
    s.val_loss = 2.5;
    snprintf(s.last_error, sizeof s.last_error, "the loss is not finite");
    cr_assert_eq(lw_status_write(path, &s, &err), 0, "%s", err.text);
    snprintf(path, sizeof path, "runs/%s/metrics.csv", name);
    test_write(path, "step,epoch,time,train/loss,note\n1,0.1,1,2.5,\n2,0.2,2,1.5,=cmd\n");
}

static void make_run(const char *name, enum lw_run_state state)
{
    make_run_of(name, state, 0);
}

Test(tui_commands, runs_as_a_table_and_as_json)
{
    json_t *list, *one;
    json_error_t why;

    cr_assert_eq(run("runs --json"), 0);
    says("[]");
    make_run("2026-11-22-1000-a", LW_STATE_FINISHED);
    make_run("2026-11-22-1100-b", LW_STATE_RUNNING);
    cr_assert_eq(run("runs"), 0);
    make_run("2026-11-22-1200-c", LW_STATE_FAILED);
    cr_assert_eq(run("runs"), 0);
    says("  the loss is not finite\n");
    says("2026-11-22-1000-a");
    says("finished");
    says("lost");
    cr_assert_eq(run("runs --json"), 0);
    list = json_loads(output, 0, &why);
    cr_assert_not_null(list, "%s in %s", why.text, output);
    cr_assert_eq(json_array_size(list), 3);
    json_array_foreach(list, why.line, one)
    {
        cr_assert_eq(json_integer_value(json_object_get(one, "step")), 120);
        cr_assert(json_is_null(json_object_get(one, "train_loss")), "unknown is null");
        cr_assert(json_is_false(json_object_get(one, "alive")));
    }
    json_decref(list);
}

/* The state and the silence of the run, in the list as JSON. */
static double silence(const char *name, const char *state)
{
    json_error_t why;
    json_t *list, *one;
    double silent = -1;

    cr_assert_eq(run("runs --json"), 0);
    list = json_loads(output, 0, &why);
    cr_assert_not_null(list, "%s in %s", why.text, output);
    json_array_foreach(list, why.line, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "name")), name))
            continue;
        cr_assert_str_eq(json_string_value(json_object_get(one, "state")), state);
        silent = json_number_value(json_object_get(one, "silent"));
    }
    json_decref(list);
    return silent;
}

Test(tui_commands, runs_say_which_of_them_is_silent)
{
    struct lw_error err;
    int silent, fresh;

    make_run_of("silent", LW_STATE_RUNNING, 7265);
    make_run_of("lost", LW_STATE_RUNNING, 7265);
    make_run_of("fresh", LW_STATE_RUNNING, -3600);
    cr_assert_eq(lw_run_lock("runs/silent", &silent, &err), 0, "%s", err.text);
    cr_assert_eq(lw_run_lock("runs/fresh", &fresh, &err), 0, "%s", err.text);
    cr_assert_geq(silence("silent", "running"), 7260);
    cr_assert_eq(silence("lost", "lost"), 0);
    cr_assert_eq(silence("fresh", "running"), 0);
    cr_assert_eq(run("runs"), 0);
    says("silent for 2h");
    cr_assert_null(strstr(strstr(output, "silent for") + 1, "silent for"), "one of them: %s",
                   output);
    close(silent);
    close(fresh);
}

Test(tui_commands, what_is_not_running_cannot_be_told_anything)
{
    make_run("2026-11-22-1000-a", LW_STATE_FINISHED);
    for (const char *const *w = (const char *const[]){"pause", "continue", "checkpoint", "stop", 0};
         *w; w++) {
        cr_assert_neq(run("%s 2026-11-22-1000-a", *w), 0);
        is_clean();
    }
}

Test(tui_commands, export_has_raw_and_smoothed_columns_of_all_runs)
{
    make_run("2026-11-22-1000-a", LW_STATE_FINISHED);
    test_write("other.csv", "step,acc\n1,0.5\n2,0.25\n");
    cr_assert_eq(run("export 2026-11-22-1000-a other.csv"), 0);
    says("\"run\",\"step\",\"epoch\",\"time\",\"train/loss\",\"train/loss/smoothed\",");
    says("\"acc\",\"acc/smoothed\"");
    says("\"2026-11-22-1000-a\",1,0.1,1,2.5,2.5,");
    says("\"'=cmd\""); /* no spreadsheet takes it for a formula */
    says("\"other.csv\",1,,,,,");
    cr_assert_eq(run("export other.csv --csv out.csv"), 0);
    cr_assert_eq(output[0], '\0');
    cr_assert_eq(access("out.csv", R_OK), 0);
    cr_assert_eq(run("watch --once --ascii out.csv"), 0);
    cr_assert_eq(run("export other.csv --csv no/such/folder.csv"), 1);
    says("no/such/folder.csv");
    cr_assert_eq(run("export other.csv --smoothing 0.5"), 2);
}

Test(tui_commands, export_to_a_full_disk_fails)
{
    make_run("2026-11-22-1000-a", LW_STATE_FINISHED);
    if (access("/dev/full", W_OK))
        return;
    cr_assert_eq(run("export 2026-11-22-1000-a >/dev/full"), 1);
}

Test(tui_commands, bench_console_reads_its_words)
{
    cr_assert_eq(run("bench console rows=x"), 2);
    says("rows");
    cr_assert_eq(run("bench console banana"), 2);
    says("banana");
}

/* What is not there is told before a run is made, all of it, and leaves nothing behind. */
Test(tui_commands, train_makes_no_run_of_missing_files)
{
    cr_assert_eq(run("train data=book.txt tokenizer=gpt2/ reference_profile=p.json"), 2);
    says("data: there is no file or folder");
    says("/book.txt\n");
    says("tokenizer: there is no");
    says("reference_profile: there is no");
    cr_assert_neq(access("runs", F_OK), 0);
    cr_assert_eq(run("train nope.yaml"), 2);
    says("there is no configuration file nope.yaml");
    cr_assert_eq(run("train max_steps"), 2);
    says("max_steps is a field: write max_steps=VALUE");
}

Test(tui_commands, fields_are_known_by_the_names_of_other_programs)
{
    cr_assert_eq(run("train lr=3e-4 n_layer=2 seed=1 block_size=64"), 2);
    says("lr: unknown field, did you mean learning_rate?");
    says("did you mean num_layers?");
    says("did you mean random_seed?");
    says("did you mean max_seq_len?");
}

/* SPDX-License-Identifier: MIT
 *
 * Looking at this very machine, and at what makes that hard.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/guard/devices.h"
#include "engine/guard/guard.h"
#include "tests/support.h"

static struct lw_guard_evidence e;
static struct lw_guard_verdict v;

Test(look, this_process_and_its_parent)
{
    lw_guard_look_here(&e);
    cr_assert_geq(e.count, 2);
    cr_assert_eq(e.chain[0].p.pid, getpid());
    cr_assert_eq(e.chain[1].p.pid, getppid());
    cr_assert_eq(e.chain[0].p.sid, getsid(0));
    cr_assert_eq(e.chain[0].p.pgrp, getpgrp());
    cr_assert_neq(e.end, LW_GUARD_NOPROC);
}

Test(look, signals_ignored_by_inheritance_are_seen)
{
    lw_guard_look_here(&e);
    cr_assert_not(e.hup_ignored);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    lw_guard_look_here(&e);
    cr_assert(e.hup_ignored);
    cr_assert(e.int_ignored);
}

/* A shell that is called as ipykernel is, as a notebook's kernel would be among our parents. */
Test(look, a_parent_that_looks_like_a_kernel, .timeout = 60)
{
    const char *doctor = test_built("leeway-engine");
    char command[9000], line[512];
    bool found = false;
    FILE *out;

    snprintf(command, sizeof(command),
             "exec bash -c 'exec -a python3 bash -c \"%s doctor; true\" -m ipykernel_launcher -f "
             "kernel-x.json'",
             doctor);
    if (access("/bin/bash", X_OK) < 0)
        cr_skip_test("no bash");
    out = popen(command, "r");
    cr_assert_not_null(out);
    while (fgets(line, sizeof(line), out))
        found = found || strstr(line, "notebook parent found");
    pclose(out);
    cr_assert(found);
}

Test(look, a_process_is_read_whatever_it_is_called)
{
    static const char *const stat[] = {
        "7 (a b) S 1 7 7 34816 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 4711 1000 100\n",
        "7 (a) S 99 (b) S 1 7 7 34816 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 4711 1000 100\n",
        "7 () Z 1 7 7 34816 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 4711 1000 100\n"};
    static const char *const bad[] = {"", "7 (a", "7 a) S 1 7 7 0\n", ")(", "7 (a) S 1 7"};
    const char *root = test_folder();
    struct lw_process p;

    cr_assert_eq(mkdir(test_path(root, "7"), 0700), 0);
    for (size_t i = 0; i < sizeof(stat) / sizeof(stat[0]); i++) {
        test_write(test_path(root, "7/stat"), stat[i]);
        cr_assert_eq(lw_process_read(root, 7, &p), 0, "%s", stat[i]);
        cr_assert_eq(p.ppid, 1);
        cr_assert_eq(p.tty, 34816);
        cr_assert_eq(p.start, 4711);
    }
    cr_assert_eq(p.state, 'Z');
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_write(test_path(root, "7/stat"), bad[i]);
        cr_assert_eq(lw_process_read(root, 7, &p), -1, "%s", bad[i]);
    }
    cr_assert_eq(lw_process_read(root, 8, &p), -1);
}

/* Names come from other programs: no byte of them may steer a terminal. */
Test(look, a_hostile_command_line_is_cleaned)
{
    const char *root = test_folder();
    const char *env[] = {NULL};
    struct lw_guard_where where = {.proc = root, .root = root, .pid = 7, .env = (char *const *)env};

    cr_assert_eq(mkdir(test_path(root, "7"), 0700), 0);
    cr_assert_eq(symlink("7", test_path(root, "self")), 0);
    test_write(test_path(root, "7/stat"),
               "7 (x\033]0;y\007) S 0 7 7 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 4711 1000 100\n");
    test_write(test_path(root, "7/cmdline"), "\033[2Jx\n\033]52;c;aGk=\007");
    lw_guard_look(&e, &where);
    lw_guard_judge(&e, &v);
    cr_assert_eq(e.count, 1);
    for (const char *c = e.chain[0].command; *c; c++)
        cr_assert_geq(*c, ' ');
}

Test(look, cards_are_counted_without_opening_them)
{
    const char *root = test_folder();
    struct lw_devices d;

    lw_devices_cards(&d, root, NULL);
    cr_assert_eq(d.count, 0);
    cr_assert_eq(mkdir(test_path(root, "driver"), 0700), 0);
    cr_assert_eq(mkdir(test_path(root, "driver/nvidia"), 0700), 0);
    cr_assert_eq(mkdir(test_path(root, "driver/nvidia/gpus"), 0700), 0);
    cr_assert_eq(mkdir(test_path(root, "driver/nvidia/gpus/0000:18:00.0"), 0700), 0);
    cr_assert_eq(mkdir(test_path(root, "driver/nvidia/gpus/0000:2a:00.0"), 0700), 0);
    test_write(test_path(root, "driver/nvidia/gpus/0000:18:00.0/information"),
               "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 5\n");
    lw_devices_cards(&d, root, NULL);
    cr_assert(d.gpu);
    cr_assert_eq(d.count, 2);
    cr_assert_str_eq(d.names, "cuda:0 (NVIDIA H100 80GB HBM3), cuda:1 (?)");
    lw_devices_cards(&d, root, "1");
    cr_assert_eq(d.count, 1);
    cr_assert_str_eq(d.names, "cuda:0");
    lw_devices_cards(&d, root, "");
    cr_assert_eq(d.count, 0);
    lw_devices_cards(&d, root, "0,-1,1");
    cr_assert_eq(d.count, 1);
}

Test(look, many_cards_are_named_whole_as_far_as_they_are_named)
{
    const char *root = test_folder();
    char path[256];
    struct lw_devices d;
    struct lw_error err;

    for (int i = 0; i < LW_DEVICES_NAMED + 2; i++) {
        snprintf(path, sizeof(path), "%s/driver/nvidia/gpus/0000:%02d:00.0", root, i);
        cr_assert_eq(lw_make_folders(path, &err), 0, "%s", err.text);
        test_write(test_path(path, "information"),
                   "Model: \t NVIDIA RTX PRO 6000 Blackwell Edition\n");
    }
    lw_devices_cards(&d, root, NULL);
    cr_assert_eq(d.count, LW_DEVICES_NAMED + 2);
    cr_assert(strstr(d.names, "cuda:15 (NVIDIA RTX PRO 6000 Blackwell Edition), ..."), "%s",
              d.names);
}

Test(look, processors_are_those_that_may_be_used)
{
    struct lw_devices d;

    lw_devices_processors(&d);
    cr_assert_not(d.gpu);
    cr_assert_geq(d.count, 1);
    cr_assert_eq(strncmp(d.names, "processors ", 11), 0);
}

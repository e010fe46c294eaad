/* SPDX-License-Identifier: MIT */
#include "tests/supervised.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "engine/run/folder.h"
#include "tests/support.h"

const char *supervised_folder(const char *behave)
{
    const char *dir = test_folder();
    struct lw_error err;
    struct lw_config c;

    cr_assert_eq(lw_config_init(&c, &err), 0);
    cr_assert_eq(lw_config_save(&c, test_path(dir, LW_RUN_CONFIG), &err), 0, "%s", err.text);
    test_write(test_path(dir, "behave"), behave);
    lw_config_fini(&c);
    return dir;
}

int supervised_end(struct lw_started *run)
{
    int status;

    cr_assert_eq(waitpid(run->pid, &status, 0), run->pid);
    cr_assert(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
    free(run->dir);
    run->dir = NULL;
    return WEXITSTATUS(status);
}

struct lw_status supervised_status(const char *dir)
{
    struct lw_error err;
    struct lw_status s;

    cr_assert_eq(lw_status_read(dir, &s, &err), 0, "%s", err.text);
    return s;
}

struct lw_reply supervised_ask(const char *dir, enum lw_request request)
{
    struct lw_error err;
    struct lw_reply reply;

    cr_assert_eq(lw_control_send(dir, request, SUPERVISED_WAIT_S, &reply, &err), 0, "%s", err.text);
    return reply;
}

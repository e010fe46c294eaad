/* SPDX-License-Identifier: MIT
 *
 * Between a rank and its supervisor: what each hears of the other.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/run/rank_link.h"
#include "engine/run/rank_process.h"
#include "engine/run/supervisor.h"

static struct lw_rank_process process;
static struct lw_rank_link rank;

static void init(void)
{
    char number[16];
    int pair[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    process = (struct lw_rank_process){.link = pair[0], .output = -1};
    snprintf(number, sizeof(number), "%d", pair[1]);
    setenv(LW_LINK_VARIABLE, number, 1);
    lw_link_open(&rank, 0);
    cr_assert_eq(rank.fd, pair[1]);
    cr_assert_null(getenv(LW_LINK_VARIABLE));
}

static void fini(void)
{
    lw_link_close(&rank);
    lw_rank_process_close(&process);
}

TestSuite(run_link, .init = init, .fini = fini, .timeout = 30);

Test(run_link, requests_are_answered_by_their_number)
{
    struct lw_link_message m;

    cr_assert_eq(lw_link_poll(&rank, 0), LW_REQUEST_NONE);
    cr_assert_eq(lw_rank_process_receive(&process, &m), 0);
    cr_assert_eq(lw_rank_process_request(&process, LW_REQUEST_PAUSE, 17), 0);
    cr_assert_eq(lw_link_poll(&rank, -1), LW_REQUEST_PAUSE);
    lw_link_answer(&rank, false, "the disk is full");
    cr_assert_eq(lw_rank_process_receive(&process, &m), 1);
    cr_assert_eq(m.kind, LW_LINK_ANSWER);
    cr_assert_eq(m.id, 17);
    cr_assert_eq(m.code, 1);
    cr_assert_str_eq(m.text, "the disk is full");
}

/* Progress is dropped where it comes too often; a new state is not. */
Test(run_link, a_change_of_state_is_always_sent)
{
    struct lw_link_message m;
    struct lw_status s;

    lw_status_init(&s);
    s.state = LW_STATE_STARTING;
    lw_link_progress(&rank, &s);
    lw_link_progress(&rank, &s);
    s.state = LW_STATE_RUNNING;
    s.step = 5;
    lw_link_progress(&rank, &s);
    cr_assert_eq(lw_rank_process_receive(&process, &m), 1);
    cr_assert_eq(m.status.state, LW_STATE_STARTING);
    cr_assert_eq(lw_rank_process_receive(&process, &m), 1);
    cr_assert_eq(m.kind, LW_LINK_PROGRESS);
    cr_assert_eq(m.status.state, LW_STATE_RUNNING);
    cr_assert_eq(m.status.step, 5);
    cr_assert_eq(lw_rank_process_receive(&process, &m), 0);
}

/* Somebody asks for a pause just as the rank fails: its last word is what counts. */
Test(run_link, a_rank_that_leaves_requests_unread_is_heard_to_its_end)
{
    struct lw_error err;
    struct lw_link_message m;

    lw_fail(&err, LW_EDATA, "kjv.txt is empty");
    cr_assert_eq(lw_rank_process_request(&process, LW_REQUEST_PAUSE, 1), 0);
    lw_link_end(&rank, LW_EDATA, &err);
    lw_link_close(&rank);
    cr_assert_eq(lw_rank_process_receive(&process, &m), 1);
    cr_assert_eq(m.kind, LW_LINK_END);
    cr_assert_eq(m.code, LW_EDATA);
    cr_assert_str_eq(m.text, "kjv.txt is empty");
    cr_assert_eq(lw_rank_process_receive(&process, &m), -1);
    cr_assert_eq(process.link, -1);
    cr_assert_eq(lw_rank_process_request(&process, LW_REQUEST_STOP, 2), -1);
}

Test(run_link, a_supervisor_that_is_gone_means_stop)
{
    lw_rank_process_close(&process);
    cr_assert_eq(lw_link_poll(&rank, 0), LW_REQUEST_STOP);
    cr_assert_eq(rank.fd, -1);
}

Test(run_link, a_supervisors_arguments_are_checked)
{
    static const struct {
        const char *word[4], *says;
    } wrong[] = {
        {{NULL}, "a run folder must be given"},
        {{"a", "b"}, "b is one argument too many: a run folder is enough"},
        {{"--force", "a"}, "--force is one argument too many"},
        {{"--ready-fd", "987654"}, "--ready-fd needs an open descriptor"},
        {{"--lifeline-fd", "x", "a"}, "--lifeline-fd needs an open descriptor"},
        {{"a", "--ready-fd"}, "--ready-fd needs an open descriptor"},
        {{"a", "--kernel"}, "--kernel needs PID:START"},
        {{"--kernel", "12", "a"}, "--kernel needs PID:START"},
    };
    struct lw_supervise how;
    struct lw_error err;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *argv[6] = {(char *)"leeway-engine"};
        int argc = 1;

        for (int k = 0; k < 4 && wrong[i].word[k]; k++)
            argv[argc++] = (char *)wrong[i].word[k];
        cr_assert_eq(lw_supervise_arguments(argc, argv, &how, &err), LW_EUSAGE, "%s",
                     wrong[i].says);
        cr_expect(strstr(err.text, wrong[i].says), "%s, not %s", err.text, wrong[i].says);
    }
}

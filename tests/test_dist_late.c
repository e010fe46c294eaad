/* SPDX-License-Identifier: MIT
 *
 * A rank that lives and does not come: asleep where there is nothing to sleep for, it is named and
 * all end; at work or at a disk it is told about and kept. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/dist/comm.h"
#include "engine/dist/late.h"

#define RANKS   3
#define FASTEST 16 /* beats: the least that anybody is waited for */

/* Three ranks that go through what the table says; others wait where nothing is said. */
struct row {
    const char *what;
    double ago;
    struct lw_late_sign sign[RANKS];
    enum lw_late found;
    int rank;
    const char *text;
};

#define WAITS                                                                                      \
    {                                                                                              \
        .watched = 1, .waits = 1, .calls = 5, .still = 100, .asleep = 100                          \
    }
#define AT(p, n, a)                                                                                \
    {                                                                                              \
        .watched = 1, .place = LW_AT_##p, .step = 7, .still = n, .asleep = a                       \
    }

static const struct row rows[] = {
    {"one sleeps", 0.1, {WAITS, AT(STEP, 16, 16), WAITS}, LW_LATE_HANGS, 1, "slept for 8 s"},
    {"rank 0 sleeps", 0.1, {AT(EVALUATION, 30, 20), WAITS, WAITS}, LW_LATE_HANGS, 0, "evaluation"},
    {"two sleep", 0.1, {WAITS, AT(STEP, 16, 16), AT(STEP, 20, 18)}, LW_LATE_HANGS, 2, "hangs"},
    {"not long enough", 0.1, {WAITS, AT(STEP, 15, 15), WAITS}, LW_LATE_NOT, 0, NULL},
    {"it ran a while ago", 0.1, {WAITS, AT(STEP, 16, 15), WAITS}, LW_LATE_TELL, 1, "8 s in a step"},
    {"steps take that long", 3, {WAITS, AT(STEP, 23, 23), WAITS}, LW_LATE_NOT, 0, NULL},
    {"longer than steps take", 3, {WAITS, AT(STEP, 24, 24), WAITS}, LW_LATE_HANGS, 1, "12 s"},
    {"the first step", 0, {WAITS, AT(STEP, 119, 119), WAITS}, LW_LATE_NOT, 0, NULL},
    {"a first step that hangs", 0, {WAITS, AT(STEP, 120, 120), WAITS}, LW_LATE_HANGS, 1, "60 s"},
    {"at work", 0.1, {WAITS, WAITS, AT(STEP, 80, 0)}, LW_LATE_TELL, 2, "40 s in a step (step 7)"},
    {"data", 0.1, {WAITS, WAITS, AT(DATA, 80, 80)}, LW_LATE_TELL, 2, "is late"},
    {"a disk", 0.1, {AT(CHECKPOINT, 999, 999), WAITS, WAITS}, LW_LATE_TELL, 0, "a checkpoint"},
    {"a pause", 0.1, {AT(PAUSE, 999, 999), WAITS, WAITS}, LW_LATE_NOT, 0, NULL},
    {"one sleeps, one works", 0.1, {WAITS, AT(STEP, 30, 30), AT(STEP, 9, 0)}, LW_LATE_TELL, 1, ""},
    {"nobody waits",
     0.1,
     {AT(STEP, 99, 99), AT(STEP, 99, 99), AT(STEP, 99, 99)},
     LW_LATE_NOT,
     0,
     0},
    {"all wait", 0.1, {WAITS, WAITS, WAITS}, LW_LATE_NOT, 0, NULL},
    {"held in an exchange",
     0.1,
     {WAITS, {.watched = 1, .waits = 1, .calls = 4, .still = 16, .asleep = 16}, WAITS},
     LW_LATE_HANGS,
     1,
     "in an exchange"},
    {"one has not begun", 0.1, {WAITS, AT(STEP, 99, 99), {0}}, LW_LATE_NOT, 0, NULL},
};

Test(late, who_is_late_and_who_hangs)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lw_late_judge j = {.ago = rows[i].ago};
        char text[200] = "";
        int rank = -1;

        cr_assert_eq(lw_late_judge(&j, rows[i].sign, RANKS, &rank, text, sizeof text),
                     rows[i].found, "%s: %s", rows[i].what, text);
        if (!rows[i].text)
            continue;
        cr_assert_eq(rank, rows[i].rank, "%s: rank %d", rows[i].what, rank);
        cr_assert(strstr(text, rows[i].text), "%s: %s", rows[i].what, text);
    }
}

Test(late, it_is_told_each_time_it_took_twice_as_long)
{
    struct lw_late_sign sign[RANKS] = {WAITS, AT(STEP, 0, 0), WAITS};
    struct lw_late_judge j = {.ago = 0.1};
    int told[8] = {0}, n = 0, rank;
    char text[200];

    for (int still = 0; still < 140; still++) {
        sign[1].still = still;
        if (lw_late_judge(&j, sign, RANKS, &rank, text, sizeof text) == LW_LATE_TELL)
            told[n++] = still;
    }
    cr_assert_eq(n, 4);
    for (int i = 0; i < n; i++)
        cr_assert_eq(told[i], FASTEST << i);
}

/* What a rank leaves behind, in memory that all processes share. */
static struct left {
    char lost[400], late[400];
    bool good;
} * left;
static int port;

static void set_up(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    left =
        mmap(NULL, RANKS * sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(left, MAP_FAILED);
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    close(fd);
    port = ntohs(a.sin_port);
}

TestSuite(late_ranks, .init = set_up, .timeout = 120);

static void lost(void *user, const char *text)
{
    snprintf(((struct left *)user)->lost, sizeof left->lost, "%s", text);
    _exit(3);
}

static void late(void *user, const char *text)
{
    snprintf(((struct left *)user)->late, sizeof left->late, "%s", text);
}

/* A step, and what holds up rank 1 in it. */
static pid_t rank_process(int rank, void (*hold_up)(struct lw_comm *))
{
    struct lw_launch l = {.launcher = LW_LAUNCHER_TCP, .rank = rank, .size = RANKS, .port = port};
    struct lw_comm_options o = {.launch = &l, .join_s = 60, .lost = lost, .user = &left[rank]};
    pid_t pid = fork();
    struct lw_error err;
    struct lw_comm *c;

    cr_assert_geq(pid, 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(l.host, sizeof l.host, "127.0.0.1");
    if (lw_comm_open(&c, &o, &err))
        _exit(4);
    lw_comm_at(c, LW_AT_STEP, 7);
    lw_comm_took(c, 0.1);
    lw_comm_watch(c, rank ? NULL : late, &left[rank]);
    if (rank == 1)
        hold_up(c);
    left[rank].good = lw_comm_barrier(c, &err) == 0;
    lw_comm_close(c);
    _exit(0);
}

static void all_end_with(void (*hold_up)(struct lw_comm *), int code)
{
    pid_t pid[RANKS];
    int status;

    for (int r = 0; r < RANKS; r++)
        pid[r] = rank_process(r, hold_up);
    for (int r = 0; r < RANKS; r++) {
        cr_assert_eq(waitpid(pid[r], &status, 0), pid[r]);
        cr_assert(WIFEXITED(status));
        cr_assert_eq(WEXITSTATUS(status), code, "rank %d: %d, %s", r, WEXITSTATUS(status),
                     left[r].lost);
    }
}

static void sleep_on(struct lw_comm *c)
{
    (void)c;
    for (;;)
        pause();
}

Test(late_ranks, one_that_sleeps_in_a_step_is_named_by_all)
{
    all_end_with(sleep_on, 3);
    for (int r = 0; r < RANKS; r++) {
        cr_assert(strstr(left[r].lost, "rank 1 on "), "%s", left[r].lost);
        cr_assert(strstr(left[r].lost, "hangs: it has slept for 8 s in a step"), "%s",
                  left[r].lost);
    }
}

static void work_on(struct lw_comm *c)
{
    double end = lw_clock_now() + 12;

    (void)c;
    while (lw_clock_now() < end)
        ;
}

Test(late_ranks, one_that_works_is_told_about_and_waited_for)
{
    all_end_with(work_on, 0);
    cr_assert(strstr(left[0].late, "rank 1 on "), "%s", left[0].late);
    cr_assert(strstr(left[0].late, "is late: the others wait for it, 8 s in a step (step 7)"), "%s",
              left[0].late);
    for (int r = 0; r < RANKS; r++)
        cr_assert(left[r].good);
}

static void read_on(struct lw_comm *c)
{
    lw_comm_at(c, LW_AT_DATA, 8);
    sleep(12);
}

Test(late_ranks, one_that_waits_for_its_data_is_told_about_and_waited_for)
{
    all_end_with(read_on, 0);
    cr_assert(strstr(left[0].late, "8 s in data (step 8)"), "%s", left[0].late);
    for (int r = 0; r < RANKS; r++)
        cr_assert(left[r].good);
}

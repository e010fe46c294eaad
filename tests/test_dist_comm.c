/* SPDX-License-Identifier: MIT
 *
 * The communicator over TCP: meeting, records, sums, and what becomes of the others when one is
 * lost. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/dist/comm.h"
#include "tests/support.h"

#define RANKS 3
#define LARGE 200001 /* several pieces and a rest */

/* What a rank leaves behind, in memory that all processes share. */
struct left {
    int code;
    char text[400], lost[400];
    bool good, ready;
};

static struct left *left;
static int port;

static void set_up(void)
{
    left = mmap(NULL, 16 * sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(left, MAP_FAILED);
    port = test_port();
}

TestSuite(comm, .init = set_up, .timeout = 60);

static void lost(void *user, const char *text)
{
    struct left *l = user;

    snprintf(l->lost, sizeof l->lost, "%s", text);
    _exit(3);
}

static struct lw_comm *join(int rank, int size, double join_s, struct lw_error *err)
{
    struct lw_launch l = {.launcher = LW_LAUNCHER_TCP, .rank = rank, .size = size, .port = port};
    struct lw_comm_options o = {.launch = &l, .join_s = join_s, .lost = lost, .user = &left[rank]};
    struct lw_comm *c = NULL;

    snprintf(l.host, sizeof l.host, "127.0.0.1");
    left[rank].code = lw_comm_open(&c, &o, err);
    snprintf(left[rank].text, sizeof left[rank].text, "%.399s", err->text);
    return c;
}

static pid_t rank_process(int rank, int size, double join_s, void (*work)(struct lw_comm *))
{
    pid_t pid = fork();
    struct lw_error err = {0, ""};
    struct lw_comm *c;

    cr_assert_geq(pid, 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    c = join(rank, size, join_s, &err);
    left[rank].ready = true;
    if (c && work)
        work(c);
    lw_comm_close(c);
    _exit(0);
}

static int end_of(pid_t pid)
{
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static float element(int rank, int i)
{
    return (float)(1e-3 * rank + 1.0 / (i + 1 + rank));
}

static bool sums_are_right(struct lw_comm *c)
{
    int rank = lw_comm_rank(c);
    float *x = malloc(LARGE * sizeof *x), *y = malloc(7 * sizeof *y);
    struct lw_error err;
    bool good = true;

    for (int i = 0; i < LARGE; i++)
        x[i] = element(rank, i);
    for (int i = 0; i < 7; i++)
        y[i] = element(rank, i + 5);
    lw_comm_sum_start(c, x, LARGE);
    lw_comm_sum_start(c, y, 7);
    good = lw_comm_sum_finish(c, &err) == 0;
    for (int i = 0; good && i < LARGE; i++) /* the order of ranks, bit for bit */
        good = x[i] == element(0, i) + element(1, i) + element(2, i);
    for (int i = 0; good && i < 7; i++)
        good = y[i] == element(0, i + 5) + element(1, i + 5) + element(2, i + 5);
    free(x);
    free(y);
    return good;
}

static void all_calls(struct lw_comm *c)
{
    int rank = lw_comm_rank(c), word = rank ? 0 : 4711, all[RANKS] = {0};
    double x[] = {0.1 * (rank + 1), INFINITY, rank == 1 ? NAN : 1};
    struct lw_error err;
    char host[64];
    bool good =
        lw_comm_size(c) == RANKS && lw_comm_local_size(c) == RANKS && lw_comm_local_rank(c) == rank;

    good = good && !lw_comm_broadcast(c, &word, sizeof word, &err) && word == 4711;
    word = 10 * rank;
    good = good && !lw_comm_gather(c, &word, sizeof word, all, &err) && all[0] == 0 &&
           all[1] == 10 && all[2] == 20;
    good = good && !lw_comm_sum(c, x, 3, &err) && x[0] == 0.1 + 0.2 + 0.1 * 3 && isinf(x[1]) &&
           isnan(x[2]);
    good = good && sums_are_right(c) && !lw_comm_barrier(c, &err);
    lw_comm_tell(c, 100.0 + rank);
    for (int i = 0; good && !rank && i < 100 && lw_comm_told(c, 2) != 102.0; i++)
        usleep(50000);
    good = good && (rank || (lw_comm_told(c, 0) == 100.0 && lw_comm_told(c, 2) == 102.0));
    if (rank == 2)
        lw_comm_tell_broken(c, true);
    for (int i = 0; good && !rank && i < 100 && lw_comm_broken(c, host) != 2; i++)
        usleep(50000);
    good = good && (rank || (lw_comm_broken(c, host) == 2 && *host));
    good = good && !lw_comm_barrier(c, &err);
    left[rank].good = good;
}

Test(comm, broadcast_gather_and_sums_in_the_order_of_ranks)
{
    pid_t pid[RANKS];

    for (int r = RANKS - 1; r >= 0; r--)
        pid[r] = rank_process(r, RANKS, 30, all_calls);
    for (int r = 0; r < RANKS; r++) {
        cr_assert_eq(end_of(pid[r]), 0, "rank %d: %s", r, left[r].lost);
        cr_assert_eq(left[r].code, 0, "%s", left[r].text);
        cr_assert(left[r].good, "rank %d", r);
    }
}

/* Waits for the others until they are lost. */
static void wait_for_all(struct lw_comm *c)
{
    struct lw_error err;

    (void)!lw_comm_barrier(c, &err);
    (void)!lw_comm_barrier(c, &err);
}

static void wait_or_sleep(struct lw_comm *c)
{
    struct lw_error err;

    (void)!lw_comm_barrier(c, &err);
    if (lw_comm_rank(c) == 1)
        pause();
    (void)!lw_comm_barrier(c, &err);
}

static void start_three(pid_t *pid, void (*work)(struct lw_comm *))
{
    for (int r = 0; r < RANKS; r++)
        pid[r] = rank_process(r, RANKS, 30, work);
    for (int i = 0; i < 600 && !(left[0].ready && left[1].ready && left[2].ready); i++)
        usleep(50000);
}

Test(comm, a_killed_rank_is_named_to_the_others)
{
    pid_t pid[RANKS];

    start_three(pid, wait_or_sleep);
    kill(pid[1], SIGKILL);
    cr_assert_eq(end_of(pid[1]), -SIGKILL);
    for (int r = 0; r < RANKS; r += 2) {
        cr_assert_eq(end_of(pid[r]), 3);
        cr_assert(strstr(left[r].lost, "rank 1 on "), "%s", left[r].lost);
        cr_assert(strstr(left[r].lost, "is gone"), "%s", left[r].lost);
    }
}

Test(comm, rank_0_killed)
{
    pid_t pid[RANKS];

    start_three(pid, wait_or_sleep);
    kill(pid[0], SIGKILL);
    for (int r = 1; r < RANKS; r++) {
        cr_assert_eq(end_of(pid[r]), 3);
        cr_assert(strstr(left[r].lost, "rank 0 on "), "%s", left[r].lost);
    }
    cr_assert_eq(end_of(pid[0]), -SIGKILL);
}

Test(comm, a_rank_that_stands_still_is_named_within_ten_seconds)
{
    pid_t pid[RANKS];

    start_three(pid, wait_or_sleep);
    kill(pid[1], SIGSTOP);
    for (int r = 0; r < RANKS; r += 2) {
        cr_assert_eq(end_of(pid[r]), 3);
        cr_assert(strstr(left[r].lost, "rank 1 on "), "%s", left[r].lost);
        cr_assert(strstr(left[r].lost, "no sign of life"), "%s", left[r].lost);
    }
    kill(pid[1], SIGKILL);
    cr_assert_eq(end_of(pid[1]), -SIGKILL);
}

static void fail_as_rank_2(struct lw_comm *c)
{
    struct lw_error why = {LW_EDATA, "kjv.txt is empty"};

    if (lw_comm_rank(c) == 2)
        lw_comm_fail(c, &why);
    else
        wait_for_all(c);
}

Test(comm, the_cause_of_a_failure_reaches_everybody)
{
    pid_t pid[RANKS];

    for (int r = 0; r < RANKS; r++)
        pid[r] = rank_process(r, RANKS, 30, fail_as_rank_2);
    cr_assert_eq(end_of(pid[2]), 0);
    for (int r = 0; r < 2; r++) {
        cr_assert_eq(end_of(pid[r]), 3);
        cr_assert(strstr(left[r].lost, "rank 2 on ") && strstr(left[r].lost, ": kjv.txt is empty"),
                  "%s", left[r].lost);
    }
}

Test(comm, nobody_answers)
{
    cr_assert_eq(end_of(rank_process(1, 2, 0.5, NULL)), 0);
    cr_assert_eq(left[1].code, LW_EPEER);
    cr_assert(strstr(left[1].text, "rank 1 of 2 cannot reach rank 0: nobody answers at 127.0.0.1"),
              "%s", left[1].text);
    cr_assert_null(strchr(left[1].text, '\n'));
}

Test(comm, missing_ranks_are_named)
{
    pid_t one = rank_process(1, 4, 20, NULL);

    cr_assert_eq(end_of(rank_process(0, 4, 2, NULL)), 0);
    cr_assert_eq(end_of(one), 0);
    for (int r = 0; r < 2; r++) {
        cr_assert_eq(left[r].code, LW_EPEER);
        cr_assert(strstr(left[r].text, "ranks 2, 3 of 4 did not come"), "%s", left[r].text);
    }
}

Test(comm, worlds_of_different_sizes)
{
    pid_t zero = rank_process(0, 3, 20, NULL), one = rank_process(1, 2, 20, NULL);

    cr_assert_eq(end_of(zero), 0);
    cr_assert_eq(end_of(one), 0);
    cr_assert_eq(left[0].code, LW_EUSAGE);
    cr_assert(strstr(left[0].text, "rank 1 was started as one of 2 ranks, and rank 0 of 3"), "%s",
              left[0].text);
}

Test(comm, strangers_are_sent_away)
{
    pid_t zero = rank_process(0, 2, 30, NULL), one;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd[2];

    for (int i = 0; i < 2; i++) {
        fd[i] = socket(AF_INET, SOCK_STREAM, 0);
        for (int n = 0; n < 300 && connect(fd[i], (struct sockaddr *)&a, sizeof a) < 0; n++)
            usleep(50000);
    }
    cr_assert_gt(write(fd[0], "GET / HTTP/1.1\r\n\r\n", 18), 0); /* the other one says nothing */
    one = rank_process(1, 2, 30, NULL);
    cr_assert_eq(end_of(zero), 0);
    cr_assert_eq(end_of(one), 0);
    cr_assert_eq(left[0].code, 0, "%s", left[0].text);
    cr_assert_eq(left[1].code, 0, "%s", left[1].text);
    close(fd[0]);
    close(fd[1]);
}

static void look(int size_set, const char *const *variables, struct lw_launch *l, int *code,
                 struct lw_error *err)
{
    static const char *const all[] = {"WORLD_SIZE",
                                      "RANK",
                                      "LOCAL_RANK",
                                      "MASTER_ADDR",
                                      "MASTER_PORT",
                                      "OMPI_COMM_WORLD_SIZE",
                                      "PMIX_RANK",
                                      "SLURM_NTASKS",
                                      "OMPI_COMM_WORLD_RANK",
                                      "SLURM_STEP_ID",
                                      "SLURM_STEP_NUM_TASKS",
                                      "TORCHELASTIC_USE_AGENT_STORE"};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        unsetenv(all[i]);
    for (int i = 0; i < size_set; i++)
        putenv((char *)variables[i]);
    *code = lw_launch_look(l, err);
}

#define LOOK(...)                                                                                  \
    look(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__},    \
         &l, &code, &err)

Test(launcher, what_the_environment_says)
{
    struct lw_error err = {0, ""};
    struct lw_launch l;
    int code;

    LOOK("RANK=3");
    cr_assert(code == 0 && l.launcher == LW_LAUNCHER_NONE && l.size == 1 && l.rank == 0);
    LOOK("WORLD_SIZE=1", "RANK=0", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=29500");
    cr_assert(code == 0 && l.launcher == LW_LAUNCHER_NONE);
    LOOK("WORLD_SIZE=8", "RANK=5", "LOCAL_RANK=1", "MASTER_ADDR=node0", "MASTER_PORT=29500");
    cr_assert(code == 0 && l.launcher == LW_LAUNCHER_TCP && l.size == 8 && l.rank == 5 &&
              l.local_rank == 1 && l.port == 29500 && !strcmp(l.host, "node0"));
    LOOK("WORLD_SIZE=2", "RANK=0", "MASTER_ADDR=node0", "MASTER_PORT=29500",
         "TORCHELASTIC_USE_AGENT_STORE=True");
    cr_assert(code == 0 && l.port == 29501);
    LOOK("OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK=2", "PMIX_RANK=2");
    cr_assert(code == 0 && l.launcher == LW_LAUNCHER_MPI && l.size == 4 && l.rank == 2);
    LOOK("PMIX_RANK=1", "SLURM_NTASKS=2", "SLURM_STEP_ID=0");
    cr_assert(code == 0 && l.launcher == LW_LAUNCHER_MPI && l.size == 2 && l.rank == 1);
    LOOK("SLURM_NTASKS=2"); /* a batch script that starts leeway itself */
    cr_assert(code == 0 && l.launcher == LW_LAUNCHER_NONE);
    LOOK("SLURM_NTASKS=2", "SLURM_STEP_ID=0");
    cr_assert(code == LW_EUSAGE && strstr(err.text, "srun --mpi=pmix"), "%s", err.text);
    LOOK("WORLD_SIZE=2", "RANK=1", "MASTER_PORT=29500");
    cr_assert(code == LW_EUSAGE && strstr(err.text, "MASTER_ADDR isn't"), "%s", err.text);
    LOOK("WORLD_SIZE=2", "RANK=2", "MASTER_ADDR=node0", "MASTER_PORT=29500");
    cr_assert(code == LW_EUSAGE && strstr(err.text, "RANK=2"), "%s", err.text);
    LOOK("WORLD_SIZE=two", "RANK=2");
    cr_assert(code == LW_EUSAGE && strstr(err.text, "WORLD_SIZE=two"), "%s", err.text);
}

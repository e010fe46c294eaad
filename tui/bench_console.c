/* SPDX-License-Identifier: MIT */
#include "tui/bench_console.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/metrics.h"
#include "engine/run/status.h"

struct wanted {
    long rows, cols, lines, seconds;
    bool json;
};

struct figures {
    double first_paint_bytes, open_s, steady_bytes_s, idle_bytes_s, cpu_percent, key_ms, memory_mb;
    double long_open_s, long_memory_mb;
};

/* A console on a pseudo terminal. */
struct child {
    pid_t pid;
    int fd;
};

static int start_child(struct child *c, const struct wanted *w, const char *dir,
                       struct lw_error *err)
{
    struct winsize size = {.ws_row = (unsigned short)w->lines, .ws_col = (unsigned short)w->cols};

    c->pid = forkpty(&c->fd, NULL, NULL, &size);
    if (c->pid < 0)
        return lw_fail_errno(err, "cannot open a pseudo terminal");
    if (!c->pid) {
        setenv("TERM", "xterm-256color", 1);
        unsetenv("LINES");
        unsetenv("COLUMNS");
        unsetenv("NO_COLOR");
        execl("/proc/self/exe", "leeway", "watch", dir, (char *)NULL);
        _exit(127);
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static void end_child(struct child *c)
{
    char rest[4096];

    kill(c->pid, SIGTERM);
    for (int i = 0; i < 40 && waitpid(c->pid, NULL, WNOHANG) == 0; i++) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};

        poll(&p, 1, 25);
        while (read(c->fd, rest, sizeof rest) > 0)
            ;
        if (i == 38)
            kill(c->pid, SIGKILL);
    }
    close(c->fd);
}

/* Read what the child writes for seconds, or until it was silent for quiet_s after something
 * came. Returns the bytes; *first and *last are when the first and the last of them came. */
static long drain(const struct child *c, double seconds, double quiet_s, double *first,
                  double *last)
{
    double begin = lw_clock_now(), end = begin + seconds;
    long total = 0;

    *first = *last = NAN;
    for (;;) {
        double now = lw_clock_now(), until = isnan(*last) ? end : fmin(end, *last + quiet_s);
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        char part[65536];
        ssize_t n;

        if (now >= until)
            return total;
        if (poll(&p, 1, (int)ceil((until - now) * 1e3)) <= 0)
            continue;
        n = read(c->fd, part, sizeof part);
        if (n <= 0)
            return total;
        *last = lw_clock_now();
        if (isnan(*first))
            *first = *last;
        total += n;
    }
}

static double cpu_seconds(pid_t pid)
{
    char path[64], text[1024], *p;
    unsigned long user = 0, kernel = 0;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return NAN;
    text[n] = '\0';
    p = strrchr(text, ')');
    if (!p ||
        sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
        return NAN;
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double memory_mb(pid_t pid)
{
    char path[64], line[256];
    double kb = NAN;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %lf", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb / 1024.0;
}

/* A row as training would write it: a falling loss with noise, warm-up and cosine. */
static void make_row(struct lw_metrics_row *row, long step, long of)
{
    double x = (double)step / (double)of;
    double noise = fmod(sin((double)step * 12.9898) * 43758.5453, 1.0);
    double loss = 2.0 + 3.5 * exp(-6.0 * x) + 0.1 * noise;

    lw_metrics_clear(row);
    lw_metrics_put(row, LW_METRIC_STEP, (double)step);
    lw_metrics_put(row, LW_METRIC_EPOCH, (double)step / 500.0);
    lw_metrics_put(row, LW_METRIC_TIME, (double)step * 0.1);
    lw_metrics_put(row, LW_METRIC_TRAIN_LOSS, loss);
    lw_metrics_put(row, LW_METRIC_TRAIN_PERPLEXITY, exp(loss));
    lw_metrics_put(row, LW_METRIC_TRAIN_ACCURACY, 0.6 - 0.1 * loss);
    lw_metrics_put(row, LW_METRIC_LEARNING_RATE, 6e-4 * (x < 0.1 ? x * 10.0 : 1.0 - x));
    lw_metrics_put(row, LW_METRIC_PRE_CLIP_NORM, 1.0 + 0.5 * noise);
    lw_metrics_put(row, LW_METRIC_POST_CLIP_NORM, fmin(1.0, 1.0 + 0.5 * noise));
    lw_metrics_put(row, LW_METRIC_TOKENS, (double)step * 4096.0);
    lw_metrics_put(row, LW_METRIC_TOKENS_PER_SECOND, 41000.0 + 500.0 * noise);
    if (step % 500 == 0) {
        lw_metrics_put(row, LW_METRIC_VAL_LOSS, loss + 0.1);
        lw_metrics_put(row, LW_METRIC_VAL_PERPLEXITY, exp(loss + 0.1));
        lw_metrics_put(row, LW_METRIC_VAL_ACCURACY, 0.58 - 0.1 * loss);
        lw_metrics_put(row, LW_METRIC_EPOCH_DURATION, 50.0 + noise);
    }
}

static int add_rows(const char *dir, long from, long to, long of, struct lw_error *err)
{
    struct lw_metrics_writer *w = NULL;
    struct lw_metrics_row row;
    int rc = lw_metrics_open(&w, dir, from > 1 ? -1 : 0, NULL, err);

    for (long i = from; i <= to && !rc; i++) {
        make_row(&row, i, of);
        rc = lw_metrics_append(w, &row, err);
    }
    return w ? (rc ? (lw_metrics_close(w, NULL), rc) : lw_metrics_close(w, err)) : rc;
}

static int write_status(const char *dir, long step, long of, struct lw_error *err)
{
    struct lw_status s;

    lw_status_init(&s);
    s.state = LW_STATE_RUNNING;
    s.step = step;
    s.of = of;
    s.throughput = 41000.0 + (double)(step % 7) * 100.0;
    s.eta = (double)(of - step) * 0.1;
    s.updated = lw_clock_wall();
    snprintf(s.device, sizeof s.device, "CPU");
    return lw_status_write(dir, &s, err);
}

/* Bytes, processor time and memory while rows come in at 10 a second, as a child process writes
 * them; then with nothing coming. */
static int measure_steady(const struct wanted *w, const char *dir, struct figures *f,
                          struct lw_error *err)
{
    const long begin = 20000, of = 100000;
    struct child c;
    double first, last, cpu, began;
    pid_t writer;
    int rc;

    rc = add_rows(dir, 1, begin, of, err);
    if (!rc)
        rc = write_status(dir, begin, of, err);
    if (!rc)
        rc = start_child(&c, w, dir, err);
    if (rc)
        return rc;
    began = lw_clock_now();
    f->first_paint_bytes = (double)drain(&c, 3.0, 0.5, &first, &last);
    f->open_s = last - began;
    writer = fork();
    if (!writer) {
        for (long i = begin + 1;; i++) {
            if (add_rows(dir, i, i, of, NULL) || (i % 10 == 0 && write_status(dir, i, of, NULL)))
                _exit(1);
            usleep(100000);
        }
    }
    drain(&c, 2.0, 2.0, &first, &last);
    cpu = cpu_seconds(c.pid);
    began = lw_clock_now();
    f->steady_bytes_s = (double)drain(&c, (double)w->seconds, 1e9, &first, &last);
    f->steady_bytes_s /= lw_clock_now() - began;
    f->cpu_percent = 100.0 * (cpu_seconds(c.pid) - cpu) / (lw_clock_now() - began);
    f->memory_mb = memory_mb(c.pid);
    if (writer > 0) {
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
    }
    drain(&c, 3.0, 3.0, &first, &last);
    began = lw_clock_now();
    f->idle_bytes_s = (double)drain(&c, 5.0, 1e9, &first, &last);
    f->idle_bytes_s /= lw_clock_now() - began;
    f->key_ms = 0.0;
    for (int i = 0; i < 10; i++) {
        began = lw_clock_now();
        if (write(c.fd, i % 2 ? "h" : "l", 1) != 1)
            break;
        drain(&c, 1.0, 0.06, &first, &last);
        f->key_ms = fmax(f->key_ms, isnan(first) ? INFINITY : (last - began) * 1e3);
    }
    end_child(&c);
    return 0;
}

static int measure_long(const struct wanted *w, const char *dir, struct figures *f,
                        struct lw_error *err)
{
    struct child c;
    double first, last, began;
    int rc = add_rows(dir, 1, w->rows, w->rows, err);

    if (!rc)
        rc = start_child(&c, w, dir, err);
    if (rc)
        return rc;
    began = lw_clock_now();
    drain(&c, 20.0, 1.5, &first, &last);
    f->long_open_s = last - began;
    f->long_memory_mb = memory_mb(c.pid);
    end_child(&c);
    return 0;
}

static int parse(struct wanted *w, int count, char **words, struct lw_error *err)
{
    static const struct {
        const char *name;
        long low, high;
        size_t at;
    } fields[] = {{"rows", 1, 100000000, offsetof(struct wanted, rows)},
                  {"cols", 20, 1000, offsetof(struct wanted, cols)},
                  {"lines", 5, 1000, offsetof(struct wanted, lines)},
                  {"seconds", 1, 3600, offsetof(struct wanted, seconds)}};

    *w = (struct wanted){.rows = 2000000, .cols = 120, .lines = 40, .seconds = 10};
    for (int i = 0; i < count; i++) {
        char *eq = strchr(words[i], '=');
        size_t k = 0, n = sizeof fields / sizeof fields[0];
        int rc;

        if (!strcmp(words[i], "--json")) {
            w->json = true;
            continue;
        }
        while (eq && k < n &&
               (strlen(fields[k].name) != (size_t)(eq - words[i]) ||
                strncmp(fields[k].name, words[i], (size_t)(eq - words[i])) != 0))
            k++;
        if (!eq || k == n)
            return lw_fail(err, LW_EUSAGE,
                           "console: unknown word '%s': rows=N, cols=N, lines=N, seconds=N, --json",
                           words[i]);
        rc = lw_parse_int(eq + 1, fields[k].name, fields[k].low, fields[k].high,
                          (long *)((char *)w + fields[k].at), err);
        if (rc)
            return rc;
    }
    return 0;
}

static int report(const struct wanted *w, const struct figures *f, struct lw_error *err)
{
    const struct {
        const char *name, *unit;
        double value, limit;
    } row[] = {
        {"first_paint_bytes", "B", f->first_paint_bytes, 20000},
        {"open_s", "s", f->open_s, NAN},
        {"unchanged_bytes_per_second", "B/s", f->idle_bytes_s, 0},
        {"steady_bytes_per_second", "B/s", f->steady_bytes_s, 1000},
        {"cpu_percent", "%", f->cpu_percent, 0.5},
        {"key_to_frame_ms", "ms", f->key_ms, 50},
        {"memory_mb", "MiB", f->memory_mb, 16},
        {"long_run_open_s", "s", f->long_open_s, 1},
        {"long_run_memory_mb", "MiB", f->long_memory_mb, 16},
    };
    json_t *out = json_object();
    int rc = out ? 0 : -1;

    if (!w->json) {
        printf("console on %ldx%ld, 256 colours, 10 steps a second; a long run has %ld rows\n",
               w->cols, w->lines, w->rows);
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
            printf("  %-28s %10.4g %-4s", row[i].name, row[i].value, row[i].unit);
            if (!isnan(row[i].limit))
                printf(" (goal: at most %g)", row[i].limit);
            printf("\n");
        }
    }
    for (size_t i = 0; i < sizeof row / sizeof row[0] && !rc; i++)
        rc = json_object_set_new(out, row[i].name,
                                 isfinite(row[i].value) ? json_real(row[i].value) : json_null());
    if (!rc && w->json && !json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)))
        printf("\n");
    json_decref(out);
    return rc ? lw_fail(err, LW_EMEM, "out of memory") : 0;
}

int lw_bench_console(const struct lw_verb *self, int count, char **words)
{
    char folder[] = "/tmp/leeway-bench-XXXXXX";
    char *steady = NULL, *large = NULL;
    struct figures f = {0};
    struct lw_error err = {0};
    struct wanted w;
    int rc = parse(&w, count, words, &err);

    if (rc)
        return lw_verb_fail(self, &err);
    if (!mkdtemp(folder)) {
        lw_fail_errno(&err, "cannot make a folder in /tmp");
        return lw_verb_fail(self, &err);
    }
    steady = lw_path_join(folder, "steady");
    large = lw_path_join(folder, "long");
    if (!steady || !large)
        rc = lw_fail(&err, LW_EMEM, "out of memory");
    if (!rc && !(rc = lw_make_folders(steady, &err)) && !(rc = lw_make_folders(large, &err)) &&
        !(rc = measure_steady(&w, steady, &f, &err)) && !(rc = measure_long(&w, large, &f, &err)))
        rc = report(&w, &f, &err);
    if (lw_remove_tree(folder, rc ? NULL : &err) && !rc)
        rc = err.code;
    free(steady);
    free(large);
    return rc ? lw_verb_fail(self, &err) : LW_EXIT_OK;
}

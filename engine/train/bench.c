/* SPDX-License-Identifier: MIT */
#include "engine/train/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/bench.h"
#include "engine/usage.h"
#include "engine/verbs.h"

static const struct what {
    const char *name, *keys;
    int (*run)(struct lw_bench_args *a, json_t *out, struct lw_error *err);
} whats[] = {
    {"train",
     "size=10.8M|124M|... batch_size=4 max_seq_len=64 steps=10 warmup=2 devices=2 and any field",
     lw_bench_train},
    {"attention",
     "lengths=64,128,256,512,1024,2048 batch_size=1 num_heads=12 head_dim=64 threads=N; or "
     "device=cuda attention=cudnn|math shapes=8x12x1024x64:causal,... deterministic=false",
     lw_bench_attention},
    {"data", "text=FILE tokenizer=FOLDER seconds=2", lw_bench_input},
    {"drift", "what=speed|errors|power|alarm|delay trials=2000", lw_bench_drift},
    {"start", "repeat=5 and any field", lw_bench_start},
};

#define WHATS (sizeof whats / sizeof *whats)

const char *lw_bench_take(struct lw_bench_args *a, const char *key, const char *fallback)
{
    size_t n = strlen(key);

    for (int i = 0; i < a->count; i++) {
        char *item = a->item[i];

        if (strncmp(item, key, n) != 0 || item[n] != '=')
            continue;
        memmove(a->item + i, a->item + i + 1, (size_t)(a->count - i - 1) * sizeof *a->item);
        a->count--;
        return item + n + 1;
    }
    return fallback;
}

int lw_bench_take_number(struct lw_bench_args *a, const char *key, int fallback, int low, int high,
                         int *out, struct lw_error *err)
{
    const char *text = lw_bench_take(a, key, NULL);
    double x = fallback;
    int rc = text ? lw_usage_number(key, text, low, high, true, &x, err) : 0;

    *out = (int)x;
    return rc;
}

int lw_bench_all_taken(const struct lw_bench_args *a, struct lw_error *err)
{
    return a->count ? lw_fail(err, LW_EUSAGE, "this benchmark has no \"%s\"", a->item[0]) : 0;
}

int lw_bench_keep(struct lw_bench_args *a, struct lw_error *err)
{
    char **item = malloc(((size_t)a->count + 1) * sizeof *item);

    if (!item)
        return lw_fail(err, LW_EMEM, "out of memory");
    memcpy(item, a->item, (size_t)a->count * sizeof *item);
    a->item = item;
    return 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y ? 1 : 0;
}

double lw_bench_median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

int lw_bench_input(struct lw_bench_args *a, json_t *out, struct lw_error *err)
{
    const char *text = lw_bench_take(a, "text", NULL);
    const char *tokenizer = lw_bench_take(a, "tokenizer", NULL);
    struct lw_data_bench b;
    int seconds, rc;

    if ((rc = lw_bench_take_number(a, "seconds", 2, 1, 600, &seconds, err)) ||
        (rc = lw_bench_all_taken(a, err)) ||
        (rc = lw_bench_data(&b, text, tokenizer, seconds, err)))
        return rc;
    if (tokenizer)
        json_object_set_new(out, "bpe_mb_per_second", json_real(b.bpe_mb_s));
    json_object_set_new(out, "bytes_mb_per_second", json_real(b.bytes_mb_s));
    json_object_set_new(out, "generator_mb_per_second", json_real(b.generate_mb_s));
    json_object_set_new(out, "loader_windows_per_second", json_real(b.windows_s));
    json_object_set_new(out, "text_bytes", json_real(b.bytes));
    return 0;
}

static void print_value(const json_t *value)
{
    if (json_is_string(value))
        printf("%s", json_string_value(value));
    else if (json_is_integer(value))
        printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        printf("%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_real(value))
        printf("%.5g", json_real_value(value));
    else
        printf("-");
}

/* A list of objects becomes a table, everything else a line. */
static void print_text(json_t *report)
{
    const char *key, *column;
    json_t *value, *row, *cell;
    size_t i;

    json_object_foreach(report, key, value)
    {
        if (!json_is_array(value)) {
            printf("%-28s ", key);
            print_value(value);
            putchar('\n');
            continue;
        }
        json_array_foreach(value, i, row)
        {
            json_object_foreach(row, column, cell)
            {
                printf("%s ", column);
                print_value(cell);
                printf("  ");
            }
            putchar('\n');
        }
    }
}

static int usage(FILE *out)
{
    fputs("usage: bench WHAT [key=value ...] [--json]\n", out);
    for (size_t i = 0; i < WHATS; i++)
        fprintf(out, "  %-10s %s\n", whats[i].name, whats[i].keys);
    fprintf(out, "  %-10s %s\n", "console", "(leeway bench console --help)");
    return out == stdout ? 0 : 2;
}

/* Options go out of the arguments; what is left must be key=value. */
static int sort_out(struct lw_bench_args *a, bool *as_json, bool *help, struct lw_error *err)
{
    int kept = 0;

    for (int i = 0; i < a->count; i++) {
        if (strcmp(a->item[i], "--json") == 0)
            *as_json = true;
        else if (strcmp(a->item[i], "--help") == 0)
            *help = true;
        else if (!strchr(a->item[i], '='))
            return lw_fail(err, LW_EUSAGE, "bench: \"%s\" is not key=value", a->item[i]);
        else
            a->item[kept++] = a->item[i];
    }
    a->count = kept;
    return 0;
}

int lw_verb_bench(int argc, char **argv)
{
    struct lw_bench_args a = {.item = argv + 2, .count = argc - 2};
    const struct what *what = NULL;
    bool as_json = false, help = false;
    struct lw_error err = {0};
    json_t *report;
    int rc;

    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    for (size_t i = 0; i < WHATS; i++)
        if (strcmp(argv[1], whats[i].name) == 0)
            what = &whats[i];
    if (!what)
        return lw_usage_end(
            lw_fail(&err, LW_EUSAGE,
                    "bench: \"%s\" is none of train, attention, data, drift, start, console",
                    argv[1]),
            &err);
    rc = sort_out(&a, &as_json, &help, &err);
    if (rc)
        return lw_usage_end(rc, &err);
    if (help)
        return usage(stdout);
    report = json_object();
    rc = report ? what->run(&a, report, &err) : lw_fail(&err, LW_EMEM, "out of memory");
    if (!rc && as_json) {
        json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
    } else if (!rc) {
        print_text(report);
    }
    json_decref(report);
    return lw_usage_end(rc, &err);
}

/* SPDX-License-Identifier: MIT
 *
 * leeway-engine sample RUN: text from a run's newest checkpoint, printed as it is made. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/sample.h"
#include "engine/model/store.h"
#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"
#include "engine/train/device.h"
#include "engine/train/plan.h"
#include "engine/usage.h"
#include "engine/verbs.h"

struct options {
    const char *run, *prompt;
    struct lw_sample how;
};

struct writer {
    const struct lw_tokenizer *tokenizer;
    char pending[8]; /* the beginning of a character */
    size_t n;
};

/* Print whole characters; what could steer a terminal becomes '?'. */
static void show(struct writer *w, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t code;
        size_t used;

        w->pending[w->n++] = bytes[i];
        used = lw_utf8_decode(w->pending, w->n, &code);
        if (!used && w->n < 4 && ((unsigned char)w->pending[0] & 0xC0) == 0xC0 &&
            (w->n == 1 || ((unsigned char)bytes[i] & 0xC0) == 0x80))
            continue;
        if (used && (code == '\n' || code == '\t' || lw_utf8_width(code) >= 0)) {
            fwrite(w->pending, 1, w->n, stdout);
            w->n = 0;
            continue;
        }
        putchar('?');
        w->n = 0;
        if (!used && (unsigned char)bytes[i] < 0x80 && bytes[i] >= ' ')
            putchar(bytes[i]);
    }
}

static int emit(void *context, int32_t token)
{
    struct writer *w = context;
    size_t n = 0;
    const char *bytes = lw_tokenizer_bytes(w->tokenizer, (uint32_t)token, &n);

    if (bytes)
        show(w, bytes, n);
    return fflush(stdout) != 0;
}

/* The model of a checkpoint, ready for sampling alone. */
static int open_model(const struct lw_config *c, const char *path,
                      const struct lw_backend **backend, struct lw_device **device,
                      struct lw_model **g, struct lw_error *err)
{
    struct lw_model_plan plan = {.attention = LW_ATTENTION_AUTO};
    char *weights = lw_path_join(path, LW_CHECKPOINT_MODEL);
    struct lw_notes notes;
    struct lw_model_spec spec;
    int rc = weights ? lw_hf_gpt2_spec(path, &spec, err) : lw_fail(err, LW_EMEM, "out of memory");

    plan.sample_length = rc ? 0 : spec.positions;
    if (!rc && !(rc = lw_device_open(c, 0, 1, backend, device, &notes, err)) &&
        !(rc = lw_plan_prepare(g, &spec, &plan, *backend, *device, err)))
        rc = lw_load_weights(lw_model_params(*g), weights, err);
    free(weights);
    return rc;
}

static int write_text(struct lw_model *g, const struct lw_tokenizer *t, struct options *o,
                      struct lw_error *err)
{
    struct writer w = {.tokenizer = t};
    struct lw_ids ids = {0};
    int rc = lw_encode_prompt(t, o->prompt, &ids, err);

    for (size_t i = 0; !rc && i < ids.count; i++)
        if ((int)ids.id[i] >= lw_model_spec(g)->vocabulary)
            rc = lw_fail(err, LW_EDATA, "the model knows %d tokens, and the prompt needs number %u",
                         lw_model_spec(g)->vocabulary, ids.id[i]);
    if (!rc) {
        show(&w, o->prompt, strlen(o->prompt));
        o->how.stop = lw_tokenizer_separator(t);
        rc = lw_sample(g, (const int32_t *)ids.id, (int)ids.count, &o->how, emit, &w, err);
        putchar('\n');
        if (!rc && fflush(stdout) != 0)
            rc = lw_fail_errno(err, "cannot write the text");
    }
    lw_ids_free(&ids);
    return rc;
}

/* A checkpoint carries its tokenizer's files, so a run can be copied without the rest. */
static int open_tokenizer(struct lw_tokenizer **out, const struct lw_config *c, const char *path,
                          struct lw_error *err)
{
    char *pair = lw_path_join(path, "vocab.json"), *single = lw_path_join(path, "tokenizer.json");
    int rc;

    if (!pair || !single)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (access(pair, R_OK) == 0 || access(single, R_OK) == 0)
        rc = lw_tokenizer_open(out, path, err);
    else
        rc = lw_tokenizer_open(out, c->tokenizer, err);
    free(pair);
    free(single);
    return rc;
}

static void passed_over(void *user, const char *path, const struct lw_error *why)
{
    (void)user;
    (void)path;
    lw_usage_end(why->code, why);
}

static int sample(struct options *o, struct lw_error *err)
{
    const struct lw_backend *backend = NULL;
    struct lw_device *device = NULL;
    struct lw_tokenizer *t = NULL;
    struct lw_model *g = NULL;
    char *dir = NULL, *path = NULL;
    struct lw_train_state state;
    struct lw_config c;
    int rc = lw_config_init(&c, err);

    if (rc || (rc = lw_run_find("runs", o->run, &dir, err)) ||
        (rc = lw_checkpoint_find_model(dir, &path, &state, passed_over, NULL, err)))
        goto out;
    if (!path) {
        rc = lw_fail(err, LW_EDATA, "%s has no checkpoint yet: leeway checkpoint %s writes one",
                     dir, dir);
        goto out;
    }
    if ((rc = lw_run_load_config(&c, dir, err)) || (rc = lw_config_finish(&c, false, err)) ||
        (rc = open_tokenizer(&t, &c, path, err)) ||
        (rc = open_model(&c, path, &backend, &device, &g, err)))
        goto out;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s, step %" PRIu64 "\n", dir, state.step);
    rc = write_text(g, t, o, err);
out:
    lw_model_free(g);
    lw_tokenizer_close(t);
    if (device)
        backend->close(device);
    lw_config_fini(&c);
    free(path);
    free(dir);
    return rc;
}

int lw_verb_sample(int argc, char **argv)
{
    static const struct option words[] = {{"prompt", required_argument, NULL, 'p'},
                                          {"tokens", required_argument, NULL, 'n'},
                                          {"temperature", required_argument, NULL, 't'},
                                          {"top-k", required_argument, NULL, 'k'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static const char usage[] =
        "usage: sample RUN [--prompt TEXT] [--tokens N] [--temperature X] [--top-k K] [--seed N]\n";
    struct options o = {.prompt = "",
                        .how = {.tokens = 200, .temperature = 0.8, .top_k = 40, .seed = 42}};
    struct lw_error err = {0};
    double number;
    int c, rc = 0;

    optind = 1;
    while (!rc && (c = lw_usage_option(argc, argv, "", words)) != -1) {
        switch (c) {
        case 'p':
            o.prompt = optarg;
            break;
        case 'n':
            rc = lw_usage_number("--tokens", optarg, 1, 1e9, true, &number, &err);
            o.how.tokens = (int)number;
            break;
        case 't':
            rc = lw_usage_number("--temperature", optarg, 0, 100, false, &o.how.temperature, &err);
            break;
        case 'k':
            rc = lw_usage_number("--top-k", optarg, 0, 1e9, true, &number, &err);
            o.how.top_k = (int)number;
            break;
        case 's':
            rc = lw_usage_number("--seed", optarg, 0, 9e15, true, &number, &err);
            o.how.seed = (uint64_t)number;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (!rc && argc - optind > 1)
        rc = lw_fail(&err, LW_EUSAGE, "one run at a time: \"%s\" is too much", argv[optind + 1]);
    o.run = argv[optind];
    return lw_usage_end(rc ? rc : sample(&o, &err), &err);
}

/* SPDX-License-Identifier: MIT
 *
 * Out of memory at any moment: whatever the engine is doing ends with a line that says so, nothing
 * is leaked, and what was on disk is as good as before.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/config/config.h"
#include "engine/drift/compare.h"
#include "engine/verbs.h"
#include "tests/chaos.h"
#include "tests/support.h"
#include "tests/train_support.h"

/* What is tried: 0, or a code or exit status and, on stderr or in err, words. */
typedef int trial(const char *folder, struct lw_error *err);

static long asked_of(trial *run, const char *folder, struct lw_error *err, long nth, int *code)
{
    long requests;

    *err = (struct lw_error){0};
    chaos_fail(nth);
    *code = run(folder, err);
    requests = chaos_requests();
    chaos_fail(0);
    return requests;
}

/* Fail one request after another, at most `most` of them, spread evenly. A failure may go
 * unnoticed where memory was only wanted (a cache, an event's line); else it has words. */
static void try_all(trial *run, const char *folder, long most)
{
    struct lw_error err;
    int code, failed = 0;
    long requests = asked_of(run, folder, &err, 0, &code), step;

    cr_assert_eq(code, 0, "without a failure: %s", err.text);
    cr_assert_gt(requests, 0, "nothing was asked of the allocator that fails");
    step = 1 + requests / most;
    for (long k = 1; k <= requests; k += step) {
        asked_of(run, folder, &err, k, &code);
        failed += code != 0;
        cr_assert(code == 0 || *err.text, "request %ld of %ld: code %d, no words", k, requests,
                  code);
    }
    cr_assert_gt(failed, 0, "no failure was noticed");
    asked_of(run, folder, &err, 0, &code);
    cr_assert_eq(code, 0, "after all failures: %s", err.text);
}

static int config(const char *folder, struct lw_error *err)
{
    struct lw_config c;
    char *text = NULL;
    int code = lw_config_init(&c, err);

    if (code)
        return code;
    code = lw_config_set(&c, "export_formats=[safetensors, onnx]", err);
    if (code == 0)
        code = lw_config_set(&c, "drift_thresholds={seq_length_js: [0.1, 0.3]}", err);
    if (code == 0)
        code = lw_config_finish(&c, false, err);
    if (code == 0)
        code = lw_config_save(&c, test_path(folder, "config.yaml"), err);
    if (code == 0 && !(text = lw_config_text(&c)))
        code = lw_fail(err, LW_EMEM, "text");
    free(text);
    lw_config_fini(&c);
    return code;
}

Test(chaos, configuration)
{
    try_all(config, test_folder(), 400);
}

/* A verb as from the command line, its streams kept from the test's. */
static int verb(int (*run)(int, char **), const char *folder, struct lw_error *err, char **argv)
{
    int argc = 0, code, out = dup(1), error = dup(2);
    int said = open(test_path(folder, "said"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    ssize_t n;

    cr_assert(out >= 0 && error >= 0 && said >= 0);
    fflush(stdout);
    fflush(stderr);
    dup2(said, 1);
    dup2(said, 2);
    while (argv[argc])
        argc++;
    code = run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(error, 2);
    n = pread(said, err->text, sizeof err->text - 1, 0);
    err->text[n > 0 ? n : 0] = 0;
    close(out);
    close(error);
    close(said);
    return code;
}

static int profile(const char *folder, struct lw_error *err)
{
    char *argv[] = {
        "profile",    (char *)test_path(folder, "text"),         "document_separator=\\n\\n",
        (char *)"-o", (char *)test_path(folder, "profile.json"), NULL};

    return verb(lw_verb_profile, folder, err, argv);
}

static int compare(const char *folder, struct lw_error *err)
{
    struct lw_drift_settings settings;
    struct lw_comparison c;
    struct lw_profile p;
    int code = lw_profile_load(&p, test_path(folder, "profile.json"), err);

    if (code)
        return code;
    lw_drift_settings_init(&settings, false, 0.1, 0.2);
    code = lw_drift_compare(&c, &p, &p, &settings, NULL, err);
    lw_profile_fini(&p);
    return code;
}

static void write_text(const char *folder)
{
    static char text[40 * 60 + 1];

    for (int i = 0; i < 60; i++)
        snprintf(text + strlen(text), 40, "%d words of document %d\n\n", i * 7, i);
    test_write(test_path(folder, "text"), text);
}

Test(chaos, profiles)
{
    const char *folder = test_folder();

    write_text(folder);
    try_all(profile, folder, 200);
    try_all(compare, folder, 200);
}

/* A run from its start, or from the checkpoint that the last one left. */
static int train_on(const char *folder, struct lw_error *err)
{
    struct lw_rank_link link = {.fd = -1};

    return lw_train_rank(folder, NULL, &link, err);
}

static const char *run_of(const char *folder, const char *const *settings)
{
    const char *run = test_path(folder, "run");

    train_config(run, settings);
    return run;
}

static const char *const text_run[] = {"d_model=16",       "num_layers=1",       "num_heads=1",
                                       "max_seq_len=16",   "batch_size=2",       "max_steps=4",
                                       "threads=1",        "checkpoint_every=2", "drift_every=2",
                                       "evaluate_every=2", "epochs=1000",        NULL};

Test(chaos, training, .timeout = 300)
{
    const char *run = run_of(test_folder(), text_run);
    char drop[64 + 512];

    /* each trial but the first finds what the one before it left: checkpoints are thrown away now
     * and then, so that starts fail as well as resumes */
    try_all(train_on, run, 150);
    snprintf(drop, sizeof drop, "rm -rf '%s'/checkpoints", run);
    cr_assert_eq(system(drop), 0);
    try_all(train_on, run, 150);
}

static int export_as(const char *folder, char *option, struct lw_error *err)
{
    char *argv[] = {"export", (char *)test_path(folder, "run"), option,
                    (char *)test_path(folder, "out"), NULL};

    return verb(lw_verb_export, folder, err, argv);
}

static int export_model(const char *folder, struct lw_error *err)
{
    return export_as(folder, "--safetensors", err);
}

static int export_events(const char *folder, struct lw_error *err)
{
    return export_as(folder, "--tensorboard", err);
}

Test(chaos, export, .timeout = 300)
{
    const char *folder = test_folder();
    const char *run = run_of(folder, text_run);
    struct lw_error err = {0};

    cr_assert_eq(train_on(run, &err), 0, "%s", err.text);
    try_all(export_model, folder, 150);
    if (export_events(folder, &err) == 0 || !strstr(err.text, "needs protobuf-c"))
        try_all(export_events, folder, 150);
}

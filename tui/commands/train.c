/* SPDX-License-Identifier: MIT */
#include "tui/commands/train.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/drift/check_config.h"
#include "engine/run/folder.h"
#include "engine/run/start.h"
#include "tui/commands/guarded.h"
#include "tui/commands/ranks.h"
#include "tui/plain.h"
#include "tui/session.h"

#define DETACHED_WAIT_S 10.0

const struct lw_option lw_train_options[] = {
    {"detach", 'd', NULL, "start the run, print its folder and return"},
    {"plain", 0, NULL, "lines of text instead of the console; Ctrl-C stops the run"},
    {"run-dir", 0, "DIR", "the run's own folder, new or empty"},
    {"outlive-kernel", 0, NULL, "with --detach: go on when the notebook that started it is gone"},
    {"low-bandwidth", 0, NULL, "for slow lines: 16 colours or ASCII, a frame in 5 s"},
    LW_COMMON_OPTIONS,
};

void lw_train_print_fields(void)
{
    struct winsize w;

    printf("\n");
    lw_config_help(stdout, !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col ? w.ws_col : 100);
}

int lw_train_fail(const struct lw_verb *self, const struct lw_config *c, const struct lw_error *err)
{
    const struct lw_strings *problems = lw_config_problems(c);
    char line[1024];

    if (err->code != LW_EUSAGE || !problems->count)
        return lw_verb_fail(self, err);
    for (int i = 0; i < problems->count; i++) {
        lw_text_clean(problems->item[i], strlen(problems->item[i]), line, sizeof line);
        fprintf(stderr, "leeway %s: %s\n", self->name, line);
    }
    return LW_EXIT_USAGE;
}

/* What is said once is said by rank 0. */
static bool first_of_ranks(void)
{
    struct lw_launch launch;
    struct lw_error ignored;

    return lw_launch_look(&launch, &ignored) || launch.rank == 0;
}

int lw_train_settle(struct lw_config *c, const struct lw_args *args, int first,
                    struct lw_error *err)
{
    const struct lw_strings *remarks;
    int rc = 0;

    for (int i = first; i < args->words && !rc; i++)
        rc = lw_config_set(c, args->word[i], err);
    if (!rc)
        rc = lw_config_finish(c, lw_config_wants_gpu(c), err);
    if (!rc)
        rc = lw_drift_check_config(c, err);
    remarks = lw_config_remarks(c);
    for (int i = 0; i < remarks->count && !rc && first_of_ranks(); i++)
        fprintf(stderr, "leeway: %s\n", remarks->item[i]);
    return rc;
}

int lw_train_start(const struct lw_verb *self, const struct lw_args *args, struct lw_config *c,
                   const char *dir, bool existing)
{
    bool detach = lw_args_get(args, "detach"), console;
    static struct lw_guarded guarded;
    struct lw_start how = {.run_dir = dir, .existing = existing};
    struct lw_started run = {.lifeline = -1};
    struct lw_error err = {0};
    struct lw_launch launch;
    struct lw_look look;
    bool alone; /* process 1: when we end, everything ends; so we stay as long as the run */
    int code;

    if (lw_args_get(args, "outlive-kernel") && !detach) {
        lw_fail(&err, LW_EUSAGE, "--outlive-kernel needs --detach");
        return lw_verb_fail(self, &err);
    }
    if (lw_launch_look(&launch, &err) || lw_look_parse(&look, args, &err))
        return lw_verb_fail(self, &err);
    if (launch.size > 1 && detach) {
        lw_fail(&err, LW_EUSAGE, "--detach: what started these %d ranks waits for them",
                launch.size);
        return lw_verb_fail(self, &err);
    }
    if (launch.rank) {
        lw_ranks_become(c, &err);
        return lw_verb_fail(self, &err);
    }
    if (lw_guarded_look(&guarded, c, lw_args_get(args, "outlive-kernel"), &how, &err))
        return lw_verb_fail(self, &err);
    alone = guarded.verdict.init == LW_INIT_SELF;
    detach = detach && !alone;
    console = !detach && !lw_args_get(args, "plain") && launch.size == 1 && lw_session_possible() &&
              !lw_guard_in_cell(&guarded.verdict);
    how.lifeline = !detach && !console;
    how.wait_s = detach ? DETACHED_WAIT_S : 0.0;
    if (lw_run_start(c, &how, &run, &err))
        return lw_verb_fail(self, &err);
    if (alone)
        signal(SIGCHLD, SIG_IGN); /* whatever is left to process 1 is reaped by the system */
    if (!detach)
        lw_guarded_probe(&guarded, run.dir, !console);
    if (detach) {
        printf("%s\n", run.dir);
        code = LW_EXIT_OK;
    } else if (console) {
        look.fresh = true;
        code = lw_session(self, (const char *const[]){run.dir}, 1, &look);
        if (alone && lw_run_alive(run.dir, &err) == 1)
            code = lw_plain(self, &run);
    } else {
        code = lw_plain(self, &run);
    }
    free(run.dir);
    return code;
}

/* The first word is a file unless it sets something. */
static bool is_assignment(const char *word)
{
    const char *eq = strchr(word, '='), *slash = strchr(word, '/');

    return eq && (!slash || eq < slash);
}

static int check_words(const struct lw_args *args, struct lw_error *err)
{
    char shown[128];

    if (args->words && !is_assignment(args->word[0]) && access(args->word[0], F_OK) != 0) {
        lw_text_clean(args->word[0], strlen(args->word[0]), shown, sizeof shown);
        if (lw_config_has(args->word[0]))
            return lw_fail(err, LW_EUSAGE, "%s is a field: write %s=VALUE", shown, shown);
        return lw_fail(err, LW_EUSAGE, "there is no configuration file %s", shown);
    }
    for (int i = 1; i < args->words; i++)
        if (!is_assignment(args->word[i])) {
            lw_text_clean(args->word[i], strlen(args->word[i]), shown, sizeof shown);
            return lw_fail(err, LW_EUSAGE,
                           "'%s' is no key=value: one configuration file, first, then key=value",
                           shown);
        }
    return 0;
}

/* The run that resume_from names, in the words or the file, as a path; NULL: a new one begins. */
static int resumed_run(const struct lw_config *c, const struct lw_args *args, char **out,
                       struct lw_error *err)
{
    static const char field[] = "resume_from=";
    const char *value = c->resume_from ? c->resume_from : "";
    struct lw_config only;
    char *word;
    int rc;

    for (int i = 0; i < args->words; i++)
        if (!strncmp(args->word[i], field, strlen(field)))
            value = args->word[i] + strlen(field);
    if (asprintf(&word, "%s%s", field, value) < 0)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_config_init(&only, err);
    if (!rc)
        rc = lw_config_set(&only, word, err);
    if (!rc)
        rc = lw_config_finish(&only, false, err);
    *out = only.resume_from;
    only.resume_from = NULL;
    lw_config_fini(&only);
    free(word);
    return rc;
}

/* A run of files that are not there would fail in a second, and leave its folder behind: all that
 * are missing are told before it is made. */
static int check_files(const struct lw_verb *self, const struct lw_config *c)
{
    const struct {
        const char *field, *path;
    } files[] = {
        {"data", c->data},
        {"validation_data", c->validation_data},
        {"tokenizer", c->tokenizer && strcmp(c->tokenizer, "bytes") != 0 ? c->tokenizer : NULL},
        {"init_from", c->init_from},
        {"reference_profile", c->reference_profile},
    };
    int missing = 0;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char shown[512];

        if (!files[i].path || access(files[i].path, F_OK) == 0)
            continue;
        lw_text_clean(files[i].path, strlen(files[i].path), shown, sizeof shown);
        fprintf(stderr, "leeway %s: %s: there is no file or folder %s\n", self->name,
                files[i].field, shown);
        missing++;
    }
    return missing ? LW_EXIT_USAGE : LW_EXIT_OK;
}

/* What is no configuration may have been meant as data. */
static void hint_data(const struct lw_verb *self, const char *file)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    char shown[512];

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (lw_path_ends(file, endings[i]))
            return;
    if (access(file, F_OK) < 0)
        return;
    lw_text_clean(file, strlen(file), shown, sizeof shown);
    fprintf(stderr, "leeway %s: the first word is a configuration; to train on it: data=%s\n",
            self->name, shown);
}

int lw_cmd_train(const struct lw_verb *self, struct lw_args *args)
{
    int first = args->words && !is_assignment(args->word[0]), code, rc;
    const char *file = first ? args->word[0] : NULL, *dir = lw_args_get(args, "run-dir");
    struct lw_error err = {0};
    struct lw_config c;
    char *resume = NULL;

    if (check_words(args, &err))
        return lw_verb_fail(self, &err);
    rc = lw_config_init(&c, &err);
    if (!rc && file)
        rc = lw_config_load(&c, file, &err);
    if (rc && err.code != LW_EMEM) /* a folder, a file that may not be read: the wrong word */
        rc = err.code = LW_EUSAGE;
    if (!rc)
        rc = resumed_run(&c, args, &resume, &err);
    if (!rc && !resume)
        rc = lw_train_settle(&c, args, first, &err);
    if (!rc && resume && dir)
        rc = lw_fail(&err, LW_EUSAGE,
                     "--run-dir: a run is resumed in its own folder: leave one of the two out");
    if (rc) {
        code = lw_train_fail(self, &c, &err);
        if (file)
            hint_data(self, file);
    } else if (resume) {
        code = lw_train_resume(self, args, resume, file, first);
    } else if ((code = check_files(self, &c)) == LW_EXIT_OK) {
        code = lw_train_start(self, args, &c, dir, false);
    }
    free(resume);
    lw_config_fini(&c);
    return code;
}

/* SPDX-License-Identifier: MIT
 *
 * From what was given to a whole: presets, what follows from other fields, relations.
 */
#include <config.h>

#include "engine/config/field.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Was every one of these fields read without a problem? Relations are only told of those. */
static bool sound(const struct lw_config *c, const char *const *names)
{
    for (; *names; names++)
        if (c->failed[lw_field_index(*names)])
            return false;
    return true;
}

#define SOUND(c, ...) sound(c, (const char *const[]){__VA_ARGS__, NULL})

/* A problem with a field, told at the place it was set. */
static void problem_at(struct lw_config *c, const char *field, const char *text)
{
    char where[320];

    lw_config_where(c, lw_field_index(field), where, sizeof(where));
    lw_config_problem(c, "%s: %s", where, text);
}

#define PROBLEM(c, field, ...)                                                                     \
    do {                                                                                           \
        char text_[512];                                                                           \
        snprintf(text_, sizeof(text_), __VA_ARGS__);                                               \
        problem_at(c, field, text_);                                                               \
    } while (0)

static bool given(const struct lw_config *c, const char *field)
{
    return lw_config_origin(c, field) >= LW_ORIGIN_FILE;
}

bool lw_config_is_lm(const struct lw_config *c)
{
    return c->task == LW_TASK_LM_TINY || c->task == LW_TASK_LM;
}

bool lw_config_is_vision(const struct lw_config *c)
{
    return c->task == LW_TASK_VISION_TINY || c->task == LW_TASK_VISION_CLASSIFICATION;
}

bool lw_config_is_built_in(const struct lw_config *c)
{
    return c->task == LW_TASK_LM_TINY || c->task == LW_TASK_CLS_TINY ||
           c->task == LW_TASK_VISION_TINY;
}

static void choose_task(struct lw_config *c)
{
    if (c->data && !given(c, "task") && !c->failed[lw_field_index("task")]) {
        c->task = LW_TASK_LM;
        lw_config_mark(c, lw_field_index("task"), LW_ORIGIN_PRESET, 0, "data was given");
    }
}

static int apply_preset(struct lw_config *c, bool gpu, struct lw_error *err)
{
    bool sized = false;

    for (int i = 0; i < lw_setting_count; i++) {
        const struct lw_setting *s = &lw_settings[i];
        int field = lw_field_index(s->field), rc;
        char why[64];

        if (s->task != c->task || (s->gpu >= 0 && s->gpu != gpu) || (s->size && c->init_from))
            continue;
        if (c->origin[field] >= LW_ORIGIN_FILE || c->failed[field])
            continue;
        rc = lw_field_set_text(c, &lw_fields[field], s->value, strlen(s->value), true, err);
        if (rc < 0)
            return lw_wrap(err, "preset %s: %s", lw_task_name(s->task), s->field);
        snprintf(why, sizeof(why), "preset %s%s", lw_task_name(s->task),
                 s->gpu == 0   ? " on a CPU"
                 : s->gpu == 1 ? " on a GPU"
                               : "");
        lw_config_mark(c, field, LW_ORIGIN_PRESET, 0, why);
        sized = sized || s->size;
    }
    if (c->task == LW_TASK_LM && !c->init_from && !given(c, "d_model") && !given(c, "num_layers"))
        lw_config_remark(c,
                         "no size was given: %s of %d layers, %d wide, for a %s; d_model, "
                         "num_layers and num_heads choose another",
                         sized ? "a small model" : "GPT-2 124M", c->num_layers, c->d_model,
                         gpu ? "GPU" : "CPU");
    return 0;
}

/* What init_from brings counts, whatever somebody types: that is said. A file's are not told of,
 * for a run's own config.yaml has them all. */
static void say_init_from(struct lw_config *c)
{
    static const char *const sizes[] = {"d_model", "num_layers", "num_heads",
                                        "d_ff",    "vocab_size", "patch_size"};
    char list[96] = "";
    size_t used = 0;

    for (size_t i = 0; c->init_from && i < sizeof sizes / sizeof *sizes; i++)
        if (lw_config_origin(c, sizes[i]) == LW_ORIGIN_ARGUMENT)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
                                     sizes[i]);
    if (used)
        lw_config_remark(c, "%s: init_from's own count, not what is given here", list);
}

static void settle(struct lw_config *c)
{
    if (c->d_ff == 0 && c->d_model <= INT_MAX / 4)
        c->d_ff = 4 * c->d_model;
    if (c->model == LW_MODEL_AUTO)
        c->model = lw_config_is_vision(c) ? LW_MODEL_VIT : LW_MODEL_GPT;
    if (!c->run_name) {
        c->run_name = strdup(lw_task_name(c->task));
        for (char *p = c->run_name; p && *p; p++)
            if (*p == '_')
                *p = '-';
    }
}

/* A path from where the command was given, so that a resume elsewhere finds the same file. */
static int make_absolute(char **path, struct lw_error *err)
{
    const char *home = getenv("HOME");
    char cwd[PATH_MAX], *whole;
    size_t size;

    if (!*path || **path == '/')
        return 0;
    if (!strncmp(*path, "~/", 2) && home) {
        snprintf(cwd, sizeof(cwd), "%s", home);
        size = strlen(cwd) + strlen(*path) + 1;
        whole = malloc(size);
        if (whole)
            snprintf(whole, size, "%s%s", cwd, *path + 1);
    } else {
        const char *rest = *path;

        if (!getcwd(cwd, sizeof(cwd)))
            return lw_fail_errno(err, "cannot tell the current folder");
        while (!strncmp(rest, "./", 2))
            rest += 2;
        size = strlen(cwd) + strlen(rest) + 2;
        whole = malloc(size);
        if (whole)
            snprintf(whole, size, "%s%s%s", strcmp(cwd, "/") ? cwd : "", "/", rest);
    }
    if (!whole)
        return lw_fail(err, LW_EMEM, "out of memory");
    free(*path);
    *path = whole;
    return 0;
}

static int make_paths_absolute(struct lw_config *c, struct lw_error *err)
{
    for (int i = 0; i < lw_field_count; i++) {
        char **path = (char **)((char *)c + lw_fields[i].at);
        int rc;

        if (lw_fields[i].type != LW_FIELD_PATH || !*path)
            continue;
        if (lw_fields[i].fallback && !strcmp(*path, lw_fields[i].fallback))
            continue;
        rc = make_absolute(path, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_later(struct lw_config *c, struct lw_error *err)
{
    struct lw_config fresh;
    int rc = lw_config_init(&fresh, err);

    for (int i = 0; rc == 0 && i < lw_field_count; i++)
        if (lw_fields[i].later && !c->failed[i] && !lw_field_same(c, &fresh, &lw_fields[i]))
            PROBLEM(c, lw_fields[i].name, "is not available in this version: %s",
                    lw_fields[i].later);
    lw_config_fini(&fresh);
    return rc;
}

static void check_device(struct lw_config *c)
{
    const char *d = c->device;

    if (!strcmp(d, "auto") || !strcmp(d, "cpu"))
        return;
    if (!strcmp(d, "cuda") ||
        (!strncmp(d, "cuda:", 5) && d[5] && strspn(d + 5, "0123456789") == strlen(d + 5)))
        return;
    PROBLEM(c, "device", "must be auto, cpu, cuda or cuda:N, not \"%.40s\"", d);
}

static void check_model(struct lw_config *c)
{
    if (SOUND(c, "d_model", "num_heads") && c->d_model % c->num_heads)
        PROBLEM(c, given(c, "num_heads") ? "num_heads" : "d_model",
                "d_model %d cannot be cut into %d heads: make one a multiple of the other",
                c->d_model, c->num_heads);
    if (SOUND(c, "vocab_size", "tokenizer") && c->vocab_size && c->vocab_size < 257 &&
        !strcmp(c->tokenizer, "bytes"))
        PROBLEM(c, "vocab_size", "must be at least 257 for bytes (256 and a separator), not %d",
                c->vocab_size);
}

static void check_three(struct lw_config *c, const char *field, const struct lw_numbers *x)
{
    if (x->count > 0 && x->count != 1 && x->count != 3)
        PROBLEM(c, field, "needs one number, or three: not %d", x->count);
}

/* What only images, only classes or only language models have. */
static void check_kind(struct lw_config *c)
{
    if (!SOUND(c, "task", "model", "sample_every"))
        return;
    if ((c->model == LW_MODEL_VIT) != lw_config_is_vision(c))
        PROBLEM(c, "model", "%s is not for task %s: leave it out",
                c->model == LW_MODEL_VIT ? "vit" : "gpt", lw_task_name(c->task));
    if (!lw_config_is_lm(c) && c->sample_every.unit != LW_EVERY_OFF)
        PROBLEM(c, "sample_every", "a classifier writes no text: leave it out");
    if (!lw_config_is_vision(c) && c->augment)
        PROBLEM(c, "augment", "is for images: leave it out");
    if (!lw_config_is_vision(c) && SOUND(c, "image_mean") && c->image_mean.count)
        PROBLEM(c, "image_mean", "is for images: leave it out");
    if (!lw_config_is_vision(c) && SOUND(c, "image_std") && c->image_std.count)
        PROBLEM(c, "image_std", "is for images: leave it out");
    if (lw_config_is_built_in(c) && c->num_classes && !lw_config_is_lm(c) && c->num_classes != 4)
        PROBLEM(c, "num_classes", "%s brings 4 classes, not %d: leave it out",
                lw_task_name(c->task), c->num_classes);
    if (lw_config_is_lm(c) && c->num_classes)
        PROBLEM(c, "num_classes", "a language model has no classes: leave it out");
    if (SOUND(c, "image_mean"))
        check_three(c, "image_mean", &c->image_mean);
    if (SOUND(c, "image_std"))
        check_three(c, "image_std", &c->image_std);
    if (lw_config_is_vision(c) && SOUND(c, "image_size", "patch_size") && c->image_size &&
        c->patch_size && c->image_size % c->patch_size)
        PROBLEM(c, "patch_size", "%d does not divide image_size %d", c->patch_size, c->image_size);
}

static void check_data(struct lw_config *c)
{
    /* The task of the same kind with data of its own, or without. */
    static const int others[] = {
        [LW_TASK_LM_TINY] = LW_TASK_LM,
        [LW_TASK_LM] = LW_TASK_LM_TINY,
        [LW_TASK_CLS_TINY] = LW_TASK_TEXT_CLASSIFICATION,
        [LW_TASK_TEXT_CLASSIFICATION] = LW_TASK_CLS_TINY,
        [LW_TASK_VISION_TINY] = LW_TASK_VISION_CLASSIFICATION,
        [LW_TASK_VISION_CLASSIFICATION] = LW_TASK_VISION_TINY,
    };
    bool validated, built_in = lw_config_is_built_in(c);
    int other = others[c->task];

    if (!SOUND(c, "task", "data", "validation_data", "validation_split"))
        return;
    if (!built_in && !c->data)
        PROBLEM(c, "task", "%s needs data=%s; %s brings its own", lw_task_name(c->task),
                c->task == LW_TASK_VISION_CLASSIFICATION ? "FOLDER" : "FILE", lw_task_name(other));
    if (built_in && c->data)
        PROBLEM(c, "data", "%s brings its own data: use task %s, or leave data out",
                lw_task_name(c->task), lw_task_name(other));
    if (built_in && c->validation_data)
        PROBLEM(c, "validation_data", "%s brings its own: use task %s, or leave it out",
                lw_task_name(c->task), lw_task_name(other));
    validated = built_in || c->validation_data || c->validation_split > 0;
    if (SOUND(c, "early_stopping_patience", "evaluate_every") && c->early_stopping_patience &&
        (!validated || c->evaluate_every.unit == LW_EVERY_OFF))
        PROBLEM(c, "early_stopping_patience",
                "needs evaluations: set evaluate_every and validation_split or validation_data");
}

static void check_drift(struct lw_config *c)
{
    if (SOUND(c, "drift_warn", "drift_alert") && c->drift_warn > c->drift_alert)
        PROBLEM(c, "drift_warn", "must not be above drift_alert (%g), not %g", c->drift_alert,
                c->drift_warn);
    if (!SOUND(c, "shift", "shift_at", "data"))
        return;
    if (c->shift != LW_CONFIG_SHIFT_NONE && !c->shift_at)
        PROBLEM(c, "shift", "needs shift_at, the step that it begins at");
    if (c->shift_at && c->shift == LW_CONFIG_SHIFT_NONE)
        PROBLEM(c, "shift_at",
                "needs shift, which says what drifts: length, vocabulary, brightness or classes");
    if (c->shift != LW_CONFIG_SHIFT_NONE && c->data)
        PROBLEM(c, "shift", "is for generated data: leave data out, or shift");
    if (c->shift == LW_CONFIG_SHIFT_BRIGHTNESS && !lw_config_is_vision(c))
        PROBLEM(c, "shift", "brightness is what images have: use length or vocabulary");
    if ((c->shift == LW_CONFIG_SHIFT_LENGTH || c->shift == LW_CONFIG_SHIFT_VOCABULARY) &&
        lw_config_is_vision(c))
        PROBLEM(c, "shift", "images have no length and no vocabulary: use brightness or classes");
    if (c->shift == LW_CONFIG_SHIFT_CLASSES && lw_config_is_lm(c))
        PROBLEM(c, "shift", "a language model has no classes: use length or vocabulary");
}

static void check_rest(struct lw_config *c)
{
    if (SOUND(c, "batch_size", "max_seq_len", "gradient_accumulation_steps") &&
        (double)c->batch_size * c->max_seq_len * c->gradient_accumulation_steps > 1e12)
        PROBLEM(c, "batch_size", "more than 10^12 tokens a step");
    if (SOUND(c, "run_name") && c->run_name && strlen(c->run_name) > 100)
        PROBLEM(c, "run_name", "must not be longer than 100 bytes: it names a folder");
}

/* All problems, as far as they fit, one a line. */
static int refuse(const struct lw_config *c, struct lw_error *err)
{
    char text[sizeof(err->text)];
    size_t used = 0;
    int i;

    for (i = 0; i < c->problems.count; i++) {
        size_t n = strlen(c->problems.item[i]);

        if (used + n + 40 > sizeof(text))
            break;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "\n" : "",
                                 c->problems.item[i]);
    }
    if (i < c->problems.count || c->problems_left_out)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "\nand %d more",
                                 c->problems.count - i + c->problems_left_out);
    text[used] = '\0';
    return lw_fail(err, LW_EUSAGE, "%s", text);
}

bool lw_config_sees_gpu(void)
{
    const char *only = getenv("LEEWAY_BACKEND");

    return HAVE_CUDA && !(only && *only && strcmp(only, "cuda")) && !access("/dev/nvidiactl", F_OK);
}

bool lw_config_wants_gpu(const struct lw_config *c)
{
    return !strncmp(c->device, "cuda", 4) || (!strcmp(c->device, "auto") && lw_config_sees_gpu());
}

int lw_config_finish(struct lw_config *c, bool gpu, struct lw_error *err)
{
    int rc;

    choose_task(c);
    rc = apply_preset(c, gpu, err);
    if (rc == 0)
        rc = make_paths_absolute(c, err);
    if (rc < 0)
        return rc;
    settle(c);
    say_init_from(c);
    rc = check_later(c, err);
    if (rc < 0)
        return rc;
    check_device(c);
    check_model(c);
    check_kind(c);
    check_data(c);
    check_drift(c);
    check_rest(c);
    if (c->problems.count || c->problems_left_out)
        return refuse(c, err);
    return c->run_name ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

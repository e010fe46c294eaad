/* SPDX-License-Identifier: MIT
 *
 * What a run is told to do. One table of fields (fields.c) drives everything here: loading YAML,
 * key=value arguments, validation that reports every problem at once, saving the resolved whole,
 * help text and completion.
 *
 * The life of a configuration:
 *     lw_config_init, lw_config_load (a file, optional), lw_config_set (each key=value),
 *     lw_config_finish (presets, relations between fields), use, lw_config_fini.
 * Loading and setting collect problems instead of stopping at the first; lw_config_finish fails
 * when there are any, and lw_config_problems gives them all.
 */
#ifndef LW_CONFIG_CONFIG_H
#define LW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/error.h"

enum lw_task {
    LW_TASK_LM_TINY,
    LW_TASK_CLS_TINY,
    LW_TASK_VISION_TINY,
    LW_TASK_LM,
    LW_TASK_TEXT_CLASSIFICATION,
    LW_TASK_VISION_CLASSIFICATION,
};

enum lw_model_kind { LW_MODEL_AUTO, LW_MODEL_GPT, LW_MODEL_VIT };
enum lw_schedule { LW_SCHEDULE_COSINE, LW_SCHEDULE_CONSTANT, LW_SCHEDULE_LINEAR };
enum lw_precision { LW_PRECISION_AUTO, LW_PRECISION_FP32, LW_PRECISION_BF16, LW_PRECISION_FP8 };
enum lw_config_attention {
    LW_CONFIG_ATTENTION_AUTO,
    LW_CONFIG_ATTENTION_CUDNN,
    LW_CONFIG_ATTENTION_TILED,
    LW_CONFIG_ATTENTION_MATH,
};
enum lw_config_recompute {
    LW_CONFIG_RECOMPUTE_NONE,
    LW_CONFIG_RECOMPUTE_GELU,
    LW_CONFIG_RECOMPUTE_GELU_NORM,
};
enum lw_config_compile {
    LW_CONFIG_COMPILE_NONE,
    LW_CONFIG_COMPILE_DEFAULT,
    LW_CONFIG_COMPILE_REDUCE_OVERHEAD,
    LW_CONFIG_COMPILE_MAX_AUTOTUNE,
};
enum lw_config_augment {
    LW_CONFIG_AUGMENT_NONE,
    LW_CONFIG_AUGMENT_CROP,
    LW_CONFIG_AUGMENT_FLIP,
    LW_CONFIG_AUGMENT_BOTH, /* the two are bits */
    LW_CONFIG_AUGMENT_AUTO, /* what the data bears; settled when it is opened */
};
enum lw_strategy { LW_STRATEGY_AUTO, LW_STRATEGY_DDP, LW_STRATEGY_FSDP };
enum lw_drift_mode { LW_DRIFT_CALIBRATED, LW_DRIFT_REFERENCE };
enum lw_config_shift {
    LW_CONFIG_SHIFT_NONE,
    LW_CONFIG_SHIFT_LENGTH,
    LW_CONFIG_SHIFT_VOCABULARY,
    LW_CONFIG_SHIFT_BRIGHTNESS,
    LW_CONFIG_SHIFT_CLASSES
};

/* How often something happens. */
enum lw_every_unit { LW_EVERY_OFF, LW_EVERY_EPOCH, LW_EVERY_STEPS, LW_EVERY_SECONDS };

struct lw_every {
    enum lw_every_unit unit;
    int64_t value; /* steps or seconds; 1 for an epoch; 0 for off */
};

struct lw_strings {
    char **item;
    int count;
};

enum { LW_NUMBERS_OF_DATA = -1 }; /* "data" instead of numbers: found when it is opened */

struct lw_numbers {
    double *item;
    int count; /* or LW_NUMBERS_OF_DATA, and item is NULL */
};

struct lw_threshold {
    char *score;
    double warn, alert;
};

struct lw_thresholds {
    struct lw_threshold *item;
    int count;
};

/* Where a field's value comes from; later ones win. */
enum lw_origin {
    LW_ORIGIN_DEFAULT,
    LW_ORIGIN_PRESET, /* the task's preset */
    LW_ORIGIN_FILE,
    LW_ORIGIN_ARGUMENT, /* key=value */
    LW_ORIGIN_CHANGED,  /* lw_config_change: the guard, the model that init_from names, ... */
};

enum { LW_FIELD_LIMIT = 96 }; /* room for the table; a test keeps it true */

/* Strings are owned, UTF-8, NULL where a field is "none". Paths are absolute once finished. */
struct lw_config {
    int task; /* enum lw_task */
    char *data, *validation_data, *reference_profile;
    char *tokenizer; /* "bytes" or a path */
    int model;       /* enum lw_model_kind; decided once finished */
    char *init_from;

    int d_model, num_layers, num_heads;
    int d_ff; /* 4 * d_model once finished, unless given */
    double dropout;
    int vocab_size; /* 0: by tokenizer */
    int max_seq_len;
    int image_size, patch_size, num_classes; /* 0: by data */
    struct lw_numbers image_mean, image_std; /* empty: ImageNet's */
    int augment;                             /* enum lw_config_augment */

    double learning_rate, warmup_ratio, min_lr_ratio;
    int lr_schedule; /* enum lw_schedule */
    double weight_decay, beta1, beta2, epsilon;
    double max_grad_norm; /* 0: no clipping */
    int batch_size, gradient_accumulation_steps;
    int epochs;
    int64_t max_steps; /* 0: none */
    bool shuffle;

    struct lw_every evaluate_every;
    double validation_split;
    int early_stopping_patience; /* 0: off */
    double early_stopping_min_delta;
    struct lw_every checkpoint_every;
    int keep_checkpoints;
    char *resume_from;
    struct lw_every sample_every;
    char *sample_prompt;

    char *device;     /* "auto", "cpu", "cuda" or "cuda:N" */
    int threads;      /* 0: from affinity and cgroup */
    int precision;    /* enum lw_precision */
    int attention;    /* enum lw_config_attention */
    int recompute;    /* enum lw_config_recompute */
    int compile_mode; /* enum lw_config_compile */
    int strategy;     /* enum lw_strategy */
    int devices;      /* 0: auto */
    int num_nodes;
    int64_t random_seed; /* >= 0 */
    bool deterministic;

    struct lw_every drift_every;
    int64_t drift_window; /* items; 0: all since the last check */
    double drift_warn, drift_alert;
    int drift_mode; /* enum lw_drift_mode */
    int drift_false_alarm_every;
    struct lw_thresholds drift_thresholds;
    int length_bins;
    int length_max;        /* 0: by mode */
    int64_t profile_items; /* 0: all */
    char *document_separator;
    int64_t shift_at; /* 0: none */
    int shift;        /* enum lw_config_shift */

    bool export_bundle;
    struct lw_strings export_formats;
    char *export_dir;
    char *run_name, *runs_dir, *notes;

    /* What follows is the room's own bookkeeping; read it through the functions below. */
    unsigned char origin[LW_FIELD_LIMIT]; /* enum lw_origin */
    bool failed[LW_FIELD_LIMIT];          /* its value was refused: a problem says so */
    int line[LW_FIELD_LIMIT];             /* in the file, from 1; 0: not from a file */
    char *why[LW_FIELD_LIMIT];            /* comment behind the field in the saved file */
    char *file;                           /* what was loaded, for messages */
    char *preamble;                       /* comment lines at the head of the saved file */
    struct lw_strings remarks, problems;
    int problems_left_out;
};

/* All defaults. Fails only with LW_EMEM and holds nothing then; lw_config_fini is still allowed. */
LW_NODISCARD int lw_config_init(struct lw_config *c, struct lw_error *err);
void lw_config_fini(struct lw_config *c);

/* Read a YAML file (or text, named name in messages). Bad fields become problems, each with its
 * line; 0 is returned for them too, so that key=value arguments are looked at as well. Fails with
 * LW_EIO when the file cannot be read and LW_EMEM. Comment lines at the head of the file and
 * comments behind values are kept for lw_config_save. */
LW_NODISCARD int lw_config_load(struct lw_config *c, const char *path, struct lw_error *err);
LW_NODISCARD int lw_config_parse(struct lw_config *c, const char *text, size_t size,
                                 const char *name, struct lw_error *err);

/* One "key=value" argument, stronger than any file. Lists and maps are written as in YAML:
 * 'drift_thresholds={seq_length_js: [0.05, 0.1]}'. */
LW_NODISCARD int lw_config_set(struct lw_config *c, const char *assignment, struct lw_error *err);

/* Apply the task's preset to what nobody set, settle what depends on other fields, check every
 * relation. gpu says whether training will run on one (the default size of task lm depends on
 * it). LW_EUSAGE when there are problems (err has the first ones; lw_config_problems all). */
LW_NODISCARD int lw_config_finish(struct lw_config *c, bool gpu, struct lw_error *err);

/* Is there a field of this name? */
bool lw_config_has(const char *field);

/* What kind of task it is: a language model, or classes of texts or of images. */
bool lw_config_is_lm(const struct lw_config *c);
bool lw_config_is_vision(const struct lw_config *c);

/* Does the task bring its own data? */
bool lw_config_is_built_in(const struct lw_config *c);

/* Is there a GPU that this build could train on? Only a look at the driver's device file: whether
 * it can really be used is known when the engine opens it. */
bool lw_config_sees_gpu(void);

/* Will `device` mean a GPU, as far as can be told without opening it? For lw_config_finish. */
bool lw_config_wants_gpu(const struct lw_config *c);

/* Every problem found so far, one line each ("config.yaml:12: d_modl: unknown field, ..."). */
const struct lw_strings *lw_config_problems(const struct lw_config *c);

/* What was decided for the user and should be said once (stderr, events.log), one line each. */
const struct lw_strings *lw_config_remarks(const struct lw_config *c);

/* Who set a field; LW_ORIGIN_DEFAULT for a name that is no field. */
enum lw_origin lw_config_origin(const struct lw_config *c, const char *field);

/* Change a field of a finished configuration, from its text form, and say why: the reason is saved
 * as a comment behind it. For the guard, for what init_from or the tokenizer decides. */
LW_NODISCARD int lw_config_change(struct lw_config *c, const char *field, const char *value,
                                  const char *why, struct lw_error *err);

/* Add one comment line ("host: box", "data: 4.3 MB, hash ...") to the head of the saved file. */
LW_NODISCARD int lw_config_note(struct lw_config *c, struct lw_error *err, const char *fmt, ...)
    LW_PRINTF(3, 4);

/* The resolved whole as YAML, in memory the caller frees (NULL when out of memory), or written
 * to path so that a crash leaves the old file or the new. Loading it gives the same fields. */
char *lw_config_text(const struct lw_config *c);
LW_NODISCARD int lw_config_save(const struct lw_config *c, const char *path, struct lw_error *err);

/* One field as text, as it would be saved; -1 for an unknown name. */
int lw_config_get(const struct lw_config *c, const char *field, char *out, size_t size);

/* Names of fields, in the order of the table: NULL past the end. For completion and help. */
const char *lw_config_field_name(int index);
const char *lw_config_field_help(int index);

/* The words a field can be (choices, and such as "auto" or "none"), NULL past the end. */
const char *lw_config_field_choice(int index, int choice);

/* All fields with type, default and meaning, as text for --help and the manual page; width is
 * the terminal's, 0: one line a field, tab separated. */
void lw_config_help(FILE *out, int width);

/* Words for enum values, for people: "lm_tiny", "cosine"; "?" when out of range. */
const char *lw_task_name(int task);
const char *lw_config_attention_name(int attention);
const char *lw_precision_name(int precision);

/* "off", "epoch", "250" or "10m" into out (at least 32 bytes). */
void lw_every_text(struct lw_every every, char *out, size_t size);

#endif

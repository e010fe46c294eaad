/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/config/config.h"
#include "engine/config/field.h"
#include "engine/config/nearest.h"
#include "tests/support.h"

static struct lw_config c;
static struct lw_error err;

static void init(void)
{
    cr_assert_eq(lw_config_init(&c, &err), 0, "%s", err.text);
}

static void fini(void)
{
    lw_config_fini(&c);
}

TestSuite(config, .init = init, .fini = fini);

static void parse(const char *text)
{
    cr_assert_eq(lw_config_parse(&c, text, strlen(text), "c.yaml", &err), 0, "%s", err.text);
}

static void set(const char *assignment)
{
    cr_assert_eq(lw_config_set(&c, assignment, &err), 0, "%s", err.text);
}

static void finish(void)
{
    cr_assert_eq(lw_config_finish(&c, false, &err), 0, "%s", err.text);
}

/* Is there a problem that has both texts in it? */
static int has_problem(const char *a, const char *b)
{
    const struct lw_strings *p = lw_config_problems(&c);

    for (int i = 0; i < p->count; i++)
        if (strstr(p->item[i], a) && strstr(p->item[i], b))
            return 1;
    return 0;
}

static void expect_problem(const char *a, const char *b)
{
    cr_assert(has_problem(a, b), "no problem tells of %s ... %s; first: %s", a, b,
              c.problems.count ? c.problems.item[0] : "none");
}

Test(config, defaults_are_those_of_the_contract)
{
    cr_assert_eq(c.task, LW_TASK_LM_TINY);
    cr_assert_eq(c.d_model, 768);
    cr_assert_eq(c.max_seq_len, 1024);
    cr_assert_eq(c.learning_rate, 6e-4);
    cr_assert_eq(c.beta2, 0.95);
    cr_assert_eq(c.max_steps, 0);
    cr_assert_eq(c.checkpoint_every.unit, LW_EVERY_SECONDS);
    cr_assert_eq(c.checkpoint_every.value, 600);
    cr_assert_eq(c.sample_every.unit, LW_EVERY_OFF);
    cr_assert_eq(c.export_formats.count, 2);
    cr_assert_str_eq(c.export_formats.item[1], "onnx");
    cr_assert_str_eq(c.tokenizer, "bytes");
    cr_assert_null(c.data);
    cr_assert(c.shuffle);
}

Test(config, file_then_arguments)
{
    parse("# mine\ntask: lm\ndata: /d/kjv.txt\nd_model: 256  # narrow\nnum_heads: 4\n"
          "evaluate_every: 250\ncheckpoint_every: 90s\nshuffle: no\nnotes: \"two\\nlines\"\n");
    set("d_model=512");
    set("max_steps=1e3");
    set("document_separator=\\n\\n");
    finish();
    cr_assert_eq(c.d_model, 512);
    cr_assert_eq(c.d_ff, 2048);
    cr_assert_eq(c.num_heads, 4);
    cr_assert_eq(c.max_steps, 1000);
    cr_assert_eq(c.evaluate_every.unit, LW_EVERY_STEPS);
    cr_assert_eq(c.evaluate_every.value, 250);
    cr_assert_eq(c.checkpoint_every.value, 90);
    cr_assert_not(c.shuffle);
    cr_assert_str_eq(c.notes, "two\nlines");
    cr_assert_str_eq(c.document_separator, "\n\n");
    cr_assert_eq(c.model, LW_MODEL_GPT);
    cr_assert_eq(lw_config_origin(&c, "d_model"), LW_ORIGIN_ARGUMENT);
    cr_assert_eq(lw_config_origin(&c, "num_heads"), LW_ORIGIN_FILE);
}

Test(config, json_is_yaml)
{
    parse("{\"task\": \"lm\", \"data\": \"/x\", \"d_model\": 64, \"num_heads\": 4,\n"
          " \"shuffle\": false, \"export_formats\": [\"safetensors\", \"onnx\"]}");
    finish();
    cr_assert_eq(c.d_model, 64);
    cr_assert_str_eq(c.data, "/x");
}

Test(config, preset_yields_to_what_was_given)
{
    set("num_layers=2");
    finish();
    cr_assert_eq(c.num_layers, 2);
    cr_assert_eq(c.d_model, 128);
    cr_assert_eq(c.max_seq_len, 128);
    cr_assert_eq(lw_config_origin(&c, "d_model"), LW_ORIGIN_PRESET);
    cr_assert_str_eq(c.run_name, "lm-tiny");
}

Test(config, data_means_lm_and_its_size_is_said)
{
    set("data=/d/x.txt");
    finish();
    cr_assert_eq(c.task, LW_TASK_LM);
    cr_assert_lt(c.d_model, 768);
    cr_assert_eq(lw_config_remarks(&c)->count, 1);
    cr_assert(strstr(lw_config_remarks(&c)->item[0], "small model"));
}

Test(config, on_a_gpu_lm_is_gpt2)
{
    set("data=/d/x.txt");
    cr_assert_eq(lw_config_finish(&c, true, &err), 0);
    cr_assert_eq(c.d_model, 768);
    cr_assert_eq(c.num_layers, 12);
    cr_assert(strstr(lw_config_remarks(&c)->item[0], "GPT-2 124M"));
}

Test(config, init_from_keeps_its_own_size)
{
    set("data=/d/x.txt");
    set("init_from=gpt2-tiny");
    finish();
    cr_assert_eq(lw_config_origin(&c, "d_model"), LW_ORIGIN_DEFAULT);
    cr_assert_eq(c.init_from[0], '/');
    cr_assert_eq(lw_config_remarks(&c)->count, 0);
}

Test(config, all_problems_at_once_with_their_lines)
{
    parse("d_modl: 4\n"                 /* 1 */
          "num_layers: many\n"          /* 2 */
          "dropout: 1.0\n"              /* 3 */
          "num_layers: 3\n"             /* 4 */
          "lr_schedule: cosin\n"        /* 5 */
          "shuffle: perhaps\n"          /* 6 */
          "evaluate_every: sometimes\n" /* 7 */
          "batch_size: [1, 2]\n"        /* 8 */
          "export_formats: [png]\n"     /* 9 */
          "learning_rate: 0\n"          /* 10 */
          "batch_size: 2.5\n");         /* 11 */
    set("warmup_ratio=2");
    set("drift_every=999999999999999d"); /* more seconds than 64 bits count */
    set("nonsense");
    set("hotness=3");
    cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE);
    expect_problem("c.yaml:1: d_modl", "did you mean d_model?");
    expect_problem("c.yaml:2: num_layers", "whole number, not \"many\"");
    expect_problem("c.yaml:3: dropout", "below 1");
    expect_problem("c.yaml:4: num_layers", "given twice, first in line 2");
    expect_problem("c.yaml:5: lr_schedule", "did you mean cosine?");
    expect_problem("c.yaml:6: shuffle", "true or false");
    expect_problem("drift_every", "not \"999999999999999d\"");
    expect_problem("c.yaml:7: evaluate_every", "epoch");
    expect_problem("c.yaml:8: batch_size", "single value, not a list");
    expect_problem("c.yaml:9: export_formats", "png");
    expect_problem("c.yaml:10: learning_rate", "above 0");
    expect_problem("c.yaml:11: batch_size", "given twice");
    expect_problem("warmup_ratio", "at most 1");
    expect_problem("nonsense", "field=value");
    expect_problem("hotness", "unknown field");
    cr_assert(strstr(err.text, "c.yaml:1: d_modl"));
}

Test(config, relations_name_line_and_remedy)
{
    parse("task: lm\nd_model: 100\nnum_heads: 7\nvocab_size: 100\nearly_stopping_patience: 2\n"
          "validation_split: 0\n");
    cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE);
    expect_problem("c.yaml:3: num_heads", "cannot be cut into 7 heads");
    expect_problem("c.yaml:4: vocab_size", "257");
    expect_problem("c.yaml:5: early_stopping_patience", "needs evaluations");
    expect_problem("c.yaml:1: task", "needs data=");
}

Test(config, a_wrong_value_causes_no_second_problem)
{
    set("num_heads=zero");
    set("d_model=100");
    cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE);
    cr_assert_eq(lw_config_problems(&c)->count, 1, "%s", err.text);
}

Test(config, no_devices_is_not_a_word_for_all_of_them)
{
    set("devices=0");
    cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE);
    expect_problem("devices: ", "or auto, not 0");
}

Test(config, drift_fields_must_fit_together)
{
    static const char *const wrong[][3] = {
        {"drift_warn=0.3", "drift_warn", "must not be above drift_alert"},
        {"shift=length", "shift", "needs shift_at"},
        {"shift_at=100", "shift_at", "needs shift"},
        {"drift_thresholds={token_js: [0.3, 0.1]}", "drift_thresholds", "two rising numbers"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        lw_config_fini(&c);
        init();
        set(wrong[i][0]);
        cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE, "%s", wrong[i][0]);
        expect_problem(wrong[i][1], wrong[i][2]);
    }
    lw_config_fini(&c);
    init();
    set("shift=length");
    set("shift_at=100");
    set("data=some.txt");
    cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE);
    expect_problem("shift", "generated data");
}

Test(config, later_versions_are_refused_politely)
{
    static const char *const later[][2] = {
        {"precision=fp8", "use bf16 or fp32"},
        {"export_formats=[safetensors, torchscript]", "there are safetensors and onnx"},
    };

    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        char name[32];

        lw_config_fini(&c);
        init();
        set(later[i][0]);
        cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE, "%s", later[i][0]);
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(later[i][0], "="), later[i][0]);
        expect_problem(name, later[i][1]);
        expect_problem(name, "not available in this version");
        cr_assert_eq(lw_config_problems(&c)->count, 1, "%s", err.text);
    }
}

/* What augment was before it had parts still means the same; data stands where numbers can. */
Test(config, augment_and_the_data_s_own_numbers)
{
    static const char *const words[][2] = {
        {"augment=true", "true"},  {"augment=yes", "true"}, {"augment=Off", "false"},
        {"augment=crop", "crop"},  {"augment=flip", "flip"}, {"augment=crop+flip", "crop+flip"},
    };
    char text[64];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        lw_config_fini(&c);
        init();
        set(words[i][0]);
        lw_config_get(&c, "augment", text, sizeof(text));
        cr_expect_str_eq(text, words[i][1]);
    }
    cr_expect_eq(c.augment, LW_CONFIG_AUGMENT_CROP | LW_CONFIG_AUGMENT_FLIP);
    set("task=vision_tiny");
    set("image_mean=data");
    cr_assert_eq(lw_config_finish(&c, false, &err), 0, "%s", err.text);
    cr_expect_eq(c.image_mean.count, LW_NUMBERS_OF_DATA);
    lw_config_get(&c, "image_mean", text, sizeof(text));
    cr_expect_str_eq(text, "data");
    cr_assert_eq(lw_config_change(&c, "image_mean", "[0.1, 0.2, 0.3]", "why", &err), 0);
    cr_expect_eq(c.image_mean.count, 3);
}

/* What a task is not for is refused by name, and it is one problem. */
Test(config, fields_belong_to_kinds_of_tasks)
{
    static const char *const wrong[][4] = {
        {"task=vision_classification", "epochs=1", "task", "needs data=FOLDER"},
        {"task=vision_tiny", "data=/x", "data", "use task vision_classification"},
        {"task=cls_tiny", "validation_data=/x", "validation_data", "use task text_classification"},
        {"task=vision_tiny", "model=gpt", "model", "not for task vision_tiny"},
        {"task=lm_tiny", "model=vit", "model", "not for task lm_tiny"},
        {"task=lm_tiny", "augment=true", "augment", "for images"},
        {"task=lm_tiny", "image_mean=data", "image_mean", "for images"},
        {"task=cls_tiny", "num_classes=2", "num_classes", "brings 4 classes, not 2"},
        {"task=vision_tiny", "num_classes=7", "num_classes", "brings 4 classes, not 7"},
        {"task=vision_tiny", "image_mean=mine", "image_mean", "data or a list"},
        {"task=vision_tiny", "augment=flop", "augment", "did you mean flip"},
        {"task=cls_tiny", "sample_every=epoch", "sample_every", "writes no text"},
        {"task=lm_tiny", "num_classes=3", "num_classes", "no classes"},
        {"task=vision_tiny", "image_mean=[0.1, 0.2]", "image_mean", "one number, or three"},
        {"task=vision_tiny", "patch_size=5 image_size=32", "patch_size", "does not divide"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char first[64], *rest;

        lw_config_fini(&c);
        init();
        set(wrong[i][0]);
        snprintf(first, sizeof(first), "%s", wrong[i][1]);
        rest = strstr(first, " image_size");
        if (rest) {
            *rest = '\0';
            set(rest + 1);
        }
        set(first);
        cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE, "%s", wrong[i][1]);
        expect_problem(wrong[i][2], wrong[i][3]);
        cr_assert_eq(lw_config_problems(&c)->count, 1, "%s: %s", wrong[i][1], err.text);
    }
}

Test(config, saved_and_loaded_it_is_the_same)
{
    struct lw_config again;
    char *first, *second;

    parse("# leeway test\n# host: box\ntask: lm\ndata: /d/a b.txt  # the good book\n"
          "sample_prompt: \"say \\\"\\u009b\\e[2J\\\" #1: \xc3\xa4\"\nnotes: \"- yes: no\\n\"\n"
          "max_seq_len: 64\nlearning_rate: 0.00123456789\nrandom_seed: 1234567890123\n"
          "sample_every: 2h\n");
    set("run_name=off");
    finish();
    cr_assert_eq(lw_config_change(&c, "threads", "3", "from the cgroup", &err), 0);
    cr_assert_eq(lw_config_note(&c, &err, "data: %d MB", 4), 0);
    first = lw_config_text(&c);
    cr_assert(strstr(first, "# leeway test\n# host: box\n# data: 4 MB\n"));
    cr_assert(strstr(first, "threads: 3  # from the cgroup\n"));
    cr_assert(strstr(first, "# the good book\n"));
    cr_assert(strstr(first, "d_model: 384  # preset lm on a CPU\n"));
    cr_assert_eq(lw_config_init(&again, &err), 0);
    cr_assert_eq(lw_config_parse(&again, first, strlen(first), "saved", &err), 0);
    cr_assert_eq(lw_config_finish(&again, true, &err), 0, "%s", err.text);
    cr_assert_str_eq(again.sample_prompt, c.sample_prompt);
    cr_assert_str_eq(again.notes, "- yes: no\n");
    cr_assert_str_eq(again.run_name, "off");
    cr_assert_eq(again.random_seed, 1234567890123);
    cr_assert_eq(again.learning_rate, 0.00123456789);
    second = lw_config_text(&again);
    cr_assert_str_eq(first, second);
    free(first);
    free(second);
    lw_config_fini(&again);
}

Test(config, every_default_survives_saving)
{
    char *text = lw_config_text(&c);
    struct lw_config again;

    cr_assert_eq(lw_config_init(&again, &err), 0);
    cr_assert_eq(lw_config_parse(&again, text, strlen(text), "saved", &err), 0);
    cr_assert_eq(lw_config_problems(&again)->count, 0, "%s",
                 again.problems.count ? again.problems.item[0] : "");
    for (int i = 0; i < lw_field_count; i++) {
        cr_assert(lw_field_same(&c, &again, &lw_fields[i]), "%s", lw_fields[i].name);
        cr_assert_eq(again.origin[i], LW_ORIGIN_FILE);
    }
    free(text);
    lw_config_fini(&again);
}

Test(config, broken_yaml_says_where)
{
    parse("task: lm\n  d_model: [1, 2\n");
    cr_assert_eq(lw_config_problems(&c)->count, 1);
    expect_problem("c.yaml:", "not YAML here");
}

Test(config, invalid_utf8_says_where)
{
    parse("task: lm\nnotes: \"\xff\"\n");
    expect_problem("c.yaml:2", "UTF-8");
}

Test(config, other_documents_are_refused)
{
    parse("- a\n- b\n");
    expect_problem("c.yaml:1", "field: value");
}

Test(config, one_document_only)
{
    parse("d_model: 64\n---\nd_model: 32\n");
    expect_problem("c.yaml:2", "second YAML document");
}

Test(config, an_empty_file_is_fine)
{
    parse("");
    parse("# nothing\n");
    finish();
}

Test(config, a_missing_file_and_a_folder)
{
    cr_assert_eq(lw_config_load(&c, "/nowhere/c.yaml", &err), LW_EIO);
    cr_assert(strstr(err.text, "/nowhere/c.yaml"));
    cr_assert_neq(lw_config_load(&c, "/", &err), 0);
}

Test(config, hostile_text_is_cleaned_in_problems)
{
    parse("\"\\e]52;c;x\\a\": 1\nlr_schedule: \"\\e[2J\"\n");
    cr_assert_eq(lw_config_problems(&c)->count, 2);
    for (int i = 0; i < 2; i++)
        cr_assert_null(strchr(c.problems.item[i], '\x1b'));
}

Test(config, arguments_must_be_utf8)
{
    set("notes=\xff");
    expect_problem("notes", "UTF-8");
}

Test(config, an_argument_given_twice)
{
    set("d_model=64");
    set("d_model=32");
    expect_problem("d_model", "given twice on the command line");
}

Test(config, problems_are_bounded)
{
    for (int i = 0; i < 1000; i++)
        set("bogus=1");
    cr_assert_eq(lw_config_finish(&c, false, &err), LW_EUSAGE);
    cr_assert_leq(lw_config_problems(&c)->count, 100);
    cr_assert(strstr(err.text, "more"));
}

Test(config, an_alias_is_resolved_and_a_cycle_ends)
{
    parse("image_mean: &a [*a]\n");
    cr_assert_eq(lw_config_problems(&c)->count, 1);
}

Test(config, help_has_every_field)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    lw_config_help(out, 80);
    fclose(out);
    for (int i = 0; lw_config_field_name(i); i++)
        cr_assert(strstr(text, lw_config_field_name(i)), "%s", lw_config_field_name(i));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        cr_assert_leq(strlen(line), 80, "%s", line);
    free(text);
}

Test(config, nearest_words)
{
    static const char *const words[] = {"train", "attach", "watch", "stop"};

    cr_assert_eq(lw_edit_distance("kitten", "sitting"), 3);
    cr_assert_eq(lw_edit_distance("ab", "ba"), 1);
    cr_assert_eq(lw_edit_distance("", "abc"), 3);
    cr_assert_str_eq(lw_nearest("trian", words, 4), "train");
    cr_assert_null(lw_nearest("elephant", words, 4));
}

Test(config, one_value_as_text)
{
    char text[64];

    cr_assert_eq(lw_config_get(&c, "checkpoint_every", text, sizeof(text)), 0);
    cr_assert_str_eq(text, "10m");
    cr_assert_eq(lw_config_get(&c, "bogus", text, sizeof(text)), -1);
}

/* SPDX-License-Identifier: MIT */
#include "engine/config/field.h"

#include <string.h>

static const char use_bf16[] = "use bf16 or fp32";

static const struct lw_word tasks[] = {
    {"lm_tiny", LW_TASK_LM_TINY, NULL},
    {"cls_tiny", LW_TASK_CLS_TINY, NULL},
    {"vision_tiny", LW_TASK_VISION_TINY, NULL},
    {"lm", LW_TASK_LM, NULL},
    {"text_classification", LW_TASK_TEXT_CLASSIFICATION, NULL},
    {"vision_classification", LW_TASK_VISION_CLASSIFICATION, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word models[] = {
    {"auto", LW_MODEL_AUTO, NULL},
    {"gpt", LW_MODEL_GPT, NULL},
    {"vit", LW_MODEL_VIT, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word schedules[] = {
    {"cosine", LW_SCHEDULE_COSINE, NULL},
    {"constant", LW_SCHEDULE_CONSTANT, NULL},
    {"linear", LW_SCHEDULE_LINEAR, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word precisions[] = {
    {"auto", LW_PRECISION_AUTO, NULL},
    {"fp32", LW_PRECISION_FP32, NULL},
    {"bf16", LW_PRECISION_BF16, NULL},
    {"fp8", LW_PRECISION_FP8, use_bf16},
    {NULL, 0, NULL},
};

static const struct lw_word attentions[] = {
    {"auto", LW_CONFIG_ATTENTION_AUTO, NULL},
    {"cudnn", LW_CONFIG_ATTENTION_CUDNN, NULL},
    {"tiled", LW_CONFIG_ATTENTION_TILED, NULL},
    {"math", LW_CONFIG_ATTENTION_MATH, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word recomputes[] = {
    {"none", LW_CONFIG_RECOMPUTE_NONE, NULL},
    {"gelu", LW_CONFIG_RECOMPUTE_GELU, NULL},
    {"gelu+norm", LW_CONFIG_RECOMPUTE_GELU_NORM, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word compile_modes[] = {
    {"none", LW_CONFIG_COMPILE_NONE, NULL},
    {"default", LW_CONFIG_COMPILE_DEFAULT, NULL},
    {"reduce-overhead", LW_CONFIG_COMPILE_REDUCE_OVERHEAD, NULL},
    {"max-autotune", LW_CONFIG_COMPILE_MAX_AUTOTUNE, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word strategies[] = {
    {"auto", LW_STRATEGY_AUTO, NULL},
    {"ddp", LW_STRATEGY_DDP, NULL},
    {"fsdp", LW_STRATEGY_FSDP, NULL}, /* what is possible, the guard decides */
    {"fsdp_native", LW_STRATEGY_FSDP, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word drift_modes[] = {
    {"calibrated", LW_DRIFT_CALIBRATED, NULL},
    {"reference", LW_DRIFT_REFERENCE, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word shifts[] = {
    {"none", LW_CONFIG_SHIFT_NONE, NULL},
    {"length", LW_CONFIG_SHIFT_LENGTH, NULL},
    {"vocabulary", LW_CONFIG_SHIFT_VOCABULARY, NULL},
    {"brightness", LW_CONFIG_SHIFT_BRIGHTNESS, NULL},
    {"classes", LW_CONFIG_SHIFT_CLASSES, NULL},
    {NULL, 0, NULL},
};

static const struct lw_word augments[] = {
    {"false", LW_CONFIG_AUGMENT_NONE, NULL},      {"true", LW_CONFIG_AUGMENT_AUTO, NULL},
    {"crop", LW_CONFIG_AUGMENT_CROP, NULL},       {"flip", LW_CONFIG_AUGMENT_FLIP, NULL},
    {"crop+flip", LW_CONFIG_AUGMENT_BOTH, NULL}, {NULL, 0, NULL},
};

static const struct lw_word of_data[] = {{"data", LW_NUMBERS_OF_DATA, NULL}, {NULL, 0, NULL}};

static const struct lw_word formats[] = {
    {"safetensors", 0, NULL},
    {"onnx", 1, NULL},
    {"torchscript", 2, "there are safetensors and onnx"},
    {NULL, 0, NULL},
};

#define F(member, kind)                                                                            \
    .name = #member, .type = LW_FIELD_##kind, .at = offsetof(struct lw_config, member)

const struct lw_field lw_fields[] = {
    {F(task, CHOICE), .fallback = "lm_tiny", .words = tasks, .group = "Task and data",
     .help = "what to learn, and a preset with it: those called tiny bring their own data",
     .shown = "lm_tiny; lm when data is given"},
    {F(data, PATH), .zero = "none",
     .help = "file or folder to train on: text, JSONL or token shards; a CSV file with text and label; "
             "images in IDX, CIFAR's binary, or PNG and JPEG in a folder a class",
     .shown = "built in"},
    {F(validation_data, PATH), .zero = "none", .help = "file or folder to validate on",
     .shown = "part of data"},
    {F(document_separator, STRING), .zero = "none", .flags = LW_FIELD_ESCAPES,
     .help = "text that parts documents in a text file, such as \"\\n\\n\""},
    {F(reference_profile, PATH), .zero = "none",
     .help = "drift: a profile to compare with", .shown = "the training data"},
    {F(tokenizer, PATH), .fallback = "bytes",
     .help = "bytes, or a folder with vocab.json and merges.txt, or with tokenizer.json"},
    {F(model, CHOICE), .fallback = "auto", .words = models, .group = "Model",
     .help = "kind of model", .shown = "by task"},
    {F(init_from, PATH), .zero = "none",
     .help = "folder with model.safetensors and config.json in Hugging Face's layout, GPT-2 or ViT"},
    {F(d_model, INT), .fallback = "768", .min = 1, .max = 65536,
     .help = "width of the residual stream"},
    {F(num_layers, INT), .fallback = "12", .min = 1, .max = 1024, .help = "blocks"},
    {F(num_heads, INT), .fallback = "12", .min = 1, .max = 1024,
     .help = "attention heads; must divide d_model"},
    {F(d_ff, INT), .fallback = "0", .min = 1, .max = 1048576, .zero = "auto",
     .help = "width of the feed-forward layer", .shown = "4 * d_model"},
    {F(dropout, FLOAT), .fallback = "0", .min = 0, .max = 1, .flags = LW_FIELD_BELOW_MAX,
     .help = "chance of dropping a value"},
    {F(vocab_size, INT), .fallback = "0", .min = 2, .max = 1048576, .zero = "auto",
     .help = "tokens the model knows", .shown = "by tokenizer"},
    {F(max_seq_len, INT), .fallback = "1024", .min = 1, .max = 1048576,
     .help = "tokens in a sequence"},
    {F(image_size, INT), .fallback = "0", .min = 1, .max = 4096, .zero = "auto",
     .group = "Images", .help = "pixels along an edge: images of another size are resized", .shown = "by data"},
    {F(patch_size, INT), .fallback = "0", .min = 1, .max = 512, .zero = "auto",
     .help = "pixels along the edge of a patch", .shown = "7 of 28 pixels, 4 up to 64, else 16, or near that"},
    {F(num_classes, INT), .fallback = "0", .min = 2, .max = 1048576, .zero = "auto",
     .help = "classes to tell apart", .shown = "by data"},
    {F(image_mean, NUMBERS), .min = -1000000.0, .max = 1000000.0, .words = of_data,
     .help = "mean of each channel on [0, 1], taken off; [0] is for all three, data the training "
             "data's own",
     .shown = "ImageNet's"},
    {F(image_std, NUMBERS), .min = 0, .max = 1000000.0, .flags = LW_FIELD_ABOVE_MIN,
     .words = of_data,
     .help = "deviation of each channel, divided by; data: the training data's own",
     .shown = "ImageNet's"},
    {F(augment, CHOICE), .fallback = "false", .words = augments, .flags = LW_FIELD_YES_NO,
     .help = "train on shifted (crop) or mirrored (flip) images; true is crop+flip, and crop for "
             "IDX"},
    {F(learning_rate, FLOAT), .fallback = "6e-4", .min = 0, .max = 1000,
     .flags = LW_FIELD_ABOVE_MIN, .group = "Optimizer", .help = "peak learning rate"},
    {F(lr_schedule, CHOICE), .fallback = "cosine", .words = schedules,
     .help = "decay after warm-up, counted in optimizer steps"},
    {F(warmup_ratio, FLOAT), .fallback = "0.1", .min = 0, .max = 1,
     .help = "part of the steps that warm up linearly"},
    {F(min_lr_ratio, FLOAT), .fallback = "0", .min = 0, .max = 1,
     .help = "where decay ends, as a part of learning_rate"},
    {F(weight_decay, FLOAT), .fallback = "0.1", .min = 0, .max = 100,
     .help = "AdamW: decay of matrices"},
    {F(beta1, FLOAT), .fallback = "0.9", .min = 0, .max = 1, .flags = LW_FIELD_BELOW_MAX,
     .help = "AdamW: memory of the gradient"},
    {F(beta2, FLOAT), .fallback = "0.95", .min = 0, .max = 1, .flags = LW_FIELD_BELOW_MAX,
     .help = "AdamW: memory of its square"},
    {F(epsilon, FLOAT), .fallback = "1e-8", .min = 0, .max = 1, .flags = LW_FIELD_ABOVE_MIN,
     .help = "AdamW: added to the denominator"},
    {F(max_grad_norm, FLOAT), .fallback = "1", .min = 0, .max = 1000000000.0, .zero = "off",
     .help = "global L2 norm that gradients are clipped to"},
    {F(batch_size, INT), .fallback = "8", .min = 1, .max = 1048576, .group = "Length and batches",
     .help = "sequences or images in a micro-batch, per rank"},
    {F(gradient_accumulation_steps, INT), .fallback = "1", .min = 1, .max = 1048576,
     .help = "micro-batches to a step"},
    {F(epochs, INT), .fallback = "10", .min = 1, .max = 1000000000,
     .help = "passes over the data; max_steps may end sooner"},
    {F(max_steps, SIZE), .fallback = "0", .min = 1, .max = 1e15, .zero = "none",
     .help = "optimizer steps; epochs may end sooner"},
    {F(shuffle, BOOL), .fallback = "true", .help = "false: the data in its own order"},
    {F(random_seed, SIZE), .fallback = "42", .min = 0, .max = 9e15,
     .help = "seed of everything that is drawn"},
    {F(deterministic, BOOL), .fallback = "false", .help = "same seed, same bits, run after run"},
    {F(evaluate_every, EVERY), .fallback = "epoch", .min = 1, .max = 1e15,
     .group = "Evaluation and checkpoints",
     .help = "how often to validate: off, epoch, steps such as 250, or a time such as 10m"},
    {F(validation_split, FLOAT), .fallback = "0.1", .min = 0, .max = 1, .flags = LW_FIELD_BELOW_MAX,
     .help = "part of data that validates when there is no validation_data"},
    {F(early_stopping_patience, INT), .fallback = "0", .min = 1, .max = 1000000000, .zero = "off",
     .help = "evaluations without improvement that end the run"},
    {F(early_stopping_min_delta, FLOAT), .fallback = "0", .min = 0, .max = 1000000000.0,
     .help = "loss that counts as improvement"},
    {F(checkpoint_every, EVERY), .fallback = "10m", .min = 1, .max = 1e15,
     .help = "how often to save: off, epoch, steps, or a time such as 10m"},
    {F(keep_checkpoints, INT), .fallback = "3", .min = 1, .max = 1000000,
     .help = "newest checkpoints that are kept, besides the best one"},
    {F(resume_from, PATH), .zero = "none", .help = "a run to go on with"},
    {F(sample_every, EVERY), .fallback = "off", .min = 1, .max = 1e15,
     .help = "how often to write text from the model into events.log"},
    {F(sample_prompt, STRING), .zero = "none", .flags = LW_FIELD_ESCAPES,
     .help = "what that text begins with"},
    {F(device, STRING), .fallback = "auto", .group = "Machine",
     .help = "auto, cpu, cuda or cuda:N"},
    {F(threads, INT), .fallback = "0", .min = 1, .max = 4096, .zero = "auto", .help = "CPU threads",
     .shown = "what this process may use"},
    {F(precision, CHOICE), .fallback = "auto", .words = precisions,
     .help = "arithmetic of matrices; auto is bf16 on a GPU that has it, else fp32"},
    {F(attention, CHOICE), .fallback = "auto", .words = attentions,
     .help = "auto, cudnn (GPU), tiled (CPU: online softmax) or math (T x T written out)"},
    {F(recompute, CHOICE), .fallback = "none", .words = recomputes,
     .help = "what backward computes again to save memory"},
    {F(compile_mode, CHOICE), .fallback = "default", .words = compile_modes,
     .help = "none (op by op), default (fused ops); on a GPU also reduce-overhead (CUDA graphs) and "
             "max-autotune (the fastest of many matrix products)"},
    {F(strategy, CHOICE), .fallback = "auto", .words = strategies,
     .help = "how several devices share the work"},
    {F(devices, INT), .fallback = "auto", .min = 1, .max = 1024, .zero = "auto",
     .flags = LW_FIELD_BY_WORD, .help = "ranks on this machine"},
    {F(num_nodes, INT), .fallback = "1", .min = 1, .max = 65536,
     .help = "machines"},
    {F(drift_every, EVERY), .fallback = "epoch", .min = 1, .max = 1e15, .group = "Drift",
     .help = "how often to score drift: off, epoch, steps, or a time such as 10m"},
    {F(drift_window, SIZE), .fallback = "0", .min = 1, .max = 1e15, .zero = "all",
     .help = "items that a check looks at, the newest ones", .shown = "all since the last check"},
    {F(drift_warn, FLOAT), .fallback = "0.1", .min = 0, .max = 1,
     .help = "distance that warns"},
    {F(drift_alert, FLOAT), .fallback = "0.2", .min = 0, .max = 1,
     .help = "distance that alerts"},
    {F(drift_mode, CHOICE), .fallback = "calibrated", .words = drift_modes,
     .help = "calibrated, or reference"},
    {F(drift_false_alarm_every, INT), .fallback = "500", .min = 1, .max = 1000000000,
     .help = "checks between two false alarms"},
    {F(drift_thresholds, THRESHOLDS), .min = 0, .max = 1e9,
     .help = "warn and alert of single scores: {seq_length_js: [0.05, 0.1]}", .shown = "none"},
    {F(length_bins, INT), .fallback = "10", .min = 2, .max = 1024,
     .help = "bins of the length histogram"},
    {F(length_max, INT), .fallback = "0", .min = 1, .max = 1000000000, .zero = "auto",
     .help = "where the length histogram ends", .shown = "by mode"},
    {F(profile_items, SIZE), .fallback = "0", .min = 1, .max = 1e15, .zero = "all",
     .help = "items a profile looks at"},
    {F(shift_at, SIZE), .fallback = "0", .min = 1, .max = 1e15, .zero = "none",
     .help = "generated data: the step that drift begins at"},
    {F(shift, CHOICE), .fallback = "none", .words = shifts,
     .help = "generated data: what drifts then"},
    {F(export_bundle, BOOL), .fallback = "false", .group = "Exports, names and notes",
     .help = "write a bundle (leeway export --bundle) when the run has come to its end"},
    {F(export_formats, WORDS), .fallback = "[safetensors, onnx]", .words = formats,
     .help = "formats of the model in a bundle"},
    {F(export_dir, STRING), .fallback = "exports",
     .help = "folder of that bundle, in the run's own unless it begins with /"},
    {F(run_name, STRING), .zero = "none", .help = "name of the run", .shown = "the task"},
    {F(runs_dir, STRING), .fallback = "runs", .help = "folder of runs"},
    {F(notes, STRING), .fallback = "", .help = "anything; kept"},
};

const int lw_field_count = sizeof(lw_fields) / sizeof(lw_fields[0]);

_Static_assert(sizeof(lw_fields) / sizeof(lw_fields[0]) <= LW_FIELD_LIMIT,
               "struct lw_config has room for fewer fields");

int lw_field_index(const char *name)
{
    for (int i = 0; i < lw_field_count; i++)
        if (!strcmp(lw_fields[i].name, name))
            return i;
    return -1;
}

bool lw_config_has(const char *field)
{
    return lw_field_index(field) >= 0;
}

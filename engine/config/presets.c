/* SPDX-License-Identifier: MIT
 *
 * What a task brings along where nobody set it.
 */
#include "engine/config/field.h"

const struct lw_setting lw_settings[] = {
    /* 0.8 M parameters on the built-in text: falls visibly within seconds on two cores. */
    {LW_TASK_LM_TINY, -1, 1, "d_model", "128"},
    {LW_TASK_LM_TINY, -1, 1, "num_layers", "4"},
    {LW_TASK_LM_TINY, -1, 1, "num_heads", "4"},
    {LW_TASK_LM_TINY, -1, 1, "max_seq_len", "128"},
    {LW_TASK_LM_TINY, -1, 0, "batch_size", "8"},
    {LW_TASK_LM_TINY, -1, 0, "learning_rate", "3e-3"},
    {LW_TASK_LM_TINY, -1, 0, "min_lr_ratio", "0.1"},
    {LW_TASK_LM_TINY, -1, 0, "max_steps", "2000"},
    {LW_TASK_LM_TINY, -1, 0, "evaluate_every", "50"},
    {LW_TASK_LM_TINY, -1, 0, "sample_every", "500"},
    {LW_TASK_LM_TINY, -1, 0, "drift_every", "50"},

    /* 0.2 M parameters on built-in images: above 95 % in less than a minute on two cores. */
    {LW_TASK_VISION_TINY, -1, 1, "d_model", "64"},
    {LW_TASK_VISION_TINY, -1, 1, "num_layers", "4"},
    {LW_TASK_VISION_TINY, -1, 1, "num_heads", "4"},
    {LW_TASK_VISION_TINY, -1, 1, "patch_size", "8"},
    {LW_TASK_VISION_TINY, -1, 0, "batch_size", "32"},
    {LW_TASK_VISION_TINY, -1, 0, "learning_rate", "2e-3"},
    {LW_TASK_VISION_TINY, -1, 0, "max_steps", "1000"},
    {LW_TASK_VISION_TINY, -1, 0, "evaluate_every", "100"},

    /* The same for built-in texts. */
    {LW_TASK_CLS_TINY, -1, 1, "d_model", "64"},
    {LW_TASK_CLS_TINY, -1, 1, "num_layers", "3"},
    {LW_TASK_CLS_TINY, -1, 1, "num_heads", "4"},
    {LW_TASK_CLS_TINY, -1, 1, "max_seq_len", "64"},
    {LW_TASK_CLS_TINY, -1, 0, "batch_size", "32"},
    {LW_TASK_CLS_TINY, -1, 0, "learning_rate", "2e-3"},
    {LW_TASK_CLS_TINY, -1, 0, "max_steps", "1000"},
    {LW_TASK_CLS_TINY, -1, 0, "evaluate_every", "100"},

    /* 10.6 M parameters: a curve within minutes on a CPU. */
    {LW_TASK_LM, 0, 1, "d_model", "384"},
    {LW_TASK_LM, 0, 1, "num_layers", "6"},
    {LW_TASK_LM, 0, 1, "num_heads", "6"},
    {LW_TASK_LM, 0, 1, "max_seq_len", "256"},
    {LW_TASK_LM, 0, 0, "learning_rate", "1e-3"},

    /* 0.3 and 2.0 M parameters: digits, and sentences, within minutes on a CPU. */
    {LW_TASK_VISION_CLASSIFICATION, 0, 1, "d_model", "96"},
    {LW_TASK_VISION_CLASSIFICATION, 0, 1, "num_layers", "4"},
    {LW_TASK_VISION_CLASSIFICATION, 0, 1, "num_heads", "4"},
    {LW_TASK_VISION_CLASSIFICATION, 0, 0, "batch_size", "32"},
    {LW_TASK_VISION_CLASSIFICATION, 0, 0, "learning_rate", "1e-3"},
    {LW_TASK_TEXT_CLASSIFICATION, 0, 1, "d_model", "192"},
    {LW_TASK_TEXT_CLASSIFICATION, 0, 1, "num_layers", "4"},
    {LW_TASK_TEXT_CLASSIFICATION, 0, 1, "num_heads", "6"},
    {LW_TASK_TEXT_CLASSIFICATION, 0, 1, "max_seq_len", "256"},
    {LW_TASK_TEXT_CLASSIFICATION, 0, 0, "learning_rate", "1e-3"},
};

const int lw_setting_count = sizeof(lw_settings) / sizeof(lw_settings[0]);

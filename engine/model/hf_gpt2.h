/* SPDX-License-Identifier: MIT
 *
 * GPT-2 folders in Hugging Face's layout: config.json and model.safetensors, or shards with
 * model.safetensors.index.json. Names are read with and without "transformer.", and written with.
 */
#ifndef LW_MODEL_HF_GPT2_H
#define LW_MODEL_HF_GPT2_H

#include "engine/base/error.h"
#include "engine/model/model.h"

/* config.json of the folder as a spec; dropout is its resid_pdrop. What we can't compute (another
 * activation, cross attention, unusual attention scales) is LW_EDATA and says so. */
LW_NODISCARD int lw_hf_gpt2_spec(const char *folder, struct lw_model_spec *out,
                                 struct lw_error *err);

/* Read the folder's weights into a prepared model, GPT-2 or ViT. All missing, extra and misshapen
 * tensors are listed in one LW_EDATA, and nothing is loaded then. Mask buffers and poolers are
 * ignored. A language model's lm_head.weight is taken to be wte: where it differs, note (may be
 * NULL) says so. A classifier gets a new head, drawn by seed, where the folder has none or one of
 * other classes, and note says so. note is "" otherwise. */
LW_NODISCARD int lw_hf_load(const char *folder, struct lw_model *g, uint64_t seed, char *note,
                            size_t note_size, struct lw_error *err);

/* The same with seed 0. */
LW_NODISCARD int lw_hf_gpt2_load(const char *folder, struct lw_model *g, char *note,
                                 size_t note_size, struct lw_error *err);

/* Write config.json alone, or with model.safetensors in that dtype (LW_F32, LW_F16, LW_BF16), so
 * that transformers loads the folder. Each file is written aside, synced and renamed. bos/eos is
 * the id of the separator between documents, or -1 for none. */
LW_NODISCARD int lw_hf_gpt2_save_config(const char *folder, const struct lw_model_spec *spec,
                                        enum lw_dtype type, int separator, struct lw_error *err);
/* The JSON files that the model's kind has: lw_hf_gpt2_save_config, or hf_vit.h's. */
LW_NODISCARD int lw_hf_save_config(const char *folder, const struct lw_model_spec *spec,
                                   enum lw_dtype type, int separator, struct lw_error *err);
LW_NODISCARD int lw_hf_gpt2_save(const char *folder, struct lw_model *g, enum lw_dtype type,
                                 int separator, struct lw_error *err);

#endif

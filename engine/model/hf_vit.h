/* SPDX-License-Identifier: MIT
 *
 * ViT folders in Hugging Face's layout (ViTForImageClassification): config.json,
 * preprocessor_config.json and model.safetensors, or shards with an index. Names of both
 * generations of transformers are read, with and without "vit."; the older ones are written, which
 * every version loads. hf_gpt2.h's lw_hf_load reads the weights.
 */
#ifndef LW_MODEL_HF_VIT_H
#define LW_MODEL_HF_VIT_H

#include "engine/base/error.h"
#include "engine/model/model.h"

/* config.json as a spec, mean and deviation from preprocessor_config.json: *normalised false and
 * both zero where there is none. What we can't compute is LW_EDATA and says so. */
LW_NODISCARD int lw_hf_vit_spec(const char *folder, struct lw_model_spec *out, bool *normalised,
                                struct lw_error *err);

/* Write both JSON files so that transformers loads the folder. */
LW_NODISCARD int lw_hf_vit_save_config(const char *folder, const struct lw_model_spec *spec,
                                       enum lw_dtype type, struct lw_error *err);

/* The newer generation's name of a tensor; false where it has none of its own. */
bool lw_hf_vit_newer_name(const char *name, char *out, size_t size);

#endif

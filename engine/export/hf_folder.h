/* SPDX-License-Identifier: MIT
 *
 * A checkpoint as a folder in Hugging Face's layout, which transformers loads as it is:
 * model.safetensors and config.json as the checkpoint has them (names and layouts are theirs
 * already), and what belongs to them: a language model's
 * generation_config.json, a text model's tokenizer, a ViT's preprocessor_config.json.
 */
#ifndef LW_EXPORT_HF_FOLDER_H
#define LW_EXPORT_HF_FOLDER_H

#include "engine/base/error.h"
#include "engine/model/model.h"

/* Where the ids that the model was trained on come from. */
enum lw_export_ids {
    LW_IDS_UNKNOWN, /* token shards: their tokenizer is not ours to know */
    LW_IDS_BYTES,   /* 256 bytes, and 256 between documents */
    LW_IDS_FILES,   /* the tokenizer's files lie in the checkpoint */
};

/* Write the folder, made if need be; each file is whole or as it was before. */
LW_NODISCARD int lw_hf_folder_write(const char *folder, const char *checkpoint,
                                    const struct lw_model_spec *spec, enum lw_export_ids ids,
                                    struct lw_error *err);

#endif

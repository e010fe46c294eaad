/* SPDX-License-Identifier: MIT
 *
 * Reading the JSON files beside a model's weights: values that must be there, values that must
 * mean what we compute, and all that is wrong with them at once.
 */
#ifndef LW_MODEL_HF_JSON_H
#define LW_MODEL_HF_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "engine/base/error.h"
#include "engine/model/problems.h"

/* The object in folder/name; *path (the caller's to free) is for messages. optional: *root is NULL
 * where there is no such file. */
LW_NODISCARD int lw_hf_json_open(const char *folder, const char *name, bool optional, json_t **root,
                                 char **path, struct lw_error *err);

bool lw_hf_absent(const json_t *value); /* not there, or null */

/* A size that must be there, under one name or an older one (NULL: none); 1 where it is wrong. */
int lw_hf_size(const json_t *root, const char *name, const char *older, struct lw_problems *p);
float lw_hf_real(const json_t *root, const char *name, double otherwise, struct lw_problems *p);

/* What we can't compute must have the value that means "off". */
void lw_hf_expect(const json_t *root, const char *name, bool wanted, struct lw_problems *p);
void lw_hf_expect_text(const json_t *root, const char *name, const char *const *known,
                       struct lw_problems *p);
/* Is it that kind of model ("gpt2", "vit")? Where it is another one that leeway knows, the problem
 * says which task goes on with it. */
bool lw_hf_expect_kind(const json_t *root, const char *kind, struct lw_problems *p);

/* How many classes id2label or num_labels tell of; 2, transformers' default, where neither does. */
int lw_hf_classes(const json_t *root, struct lw_problems *p);

/* id2label and label2id of classes that are called so (NULL: LABEL_0, …). */
int lw_hf_set_labels(json_t *root, int classes, const char *const *labels);

/* Write an object as folder/name, whole or not at all. root is taken over; NULL: out of memory. */
LW_NODISCARD int lw_hf_json_save(const char *folder, const char *name, json_t *root,
                                 struct lw_error *err);

const char *lw_hf_torch_type(int type); /* enum lw_dtype: "bfloat16" */

#endif

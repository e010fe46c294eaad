/* SPDX-License-Identifier: MIT
 *
 * A bundle: a folder that holds a trained model for whoever takes it from here.
 *
 *     artifacts/     model.safetensors (a folder that transformers loads), model.onnx,
 *                    drift_report.json, dashboard.png
 *     configs/       config.yaml, task.json
 *     metrics.csv    metadata.json    README.md    inference.py
 *
 * What cannot be made is named, in metadata.json too, and the rest is there.
 */
#ifndef LW_TRAIN_BUNDLE_H
#define LW_TRAIN_BUNDLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "engine/train/export.h"

/* Formats are those of the run's export_formats. The first failure's code, after the rest was
 * written. */
LW_NODISCARD int lw_bundle_write(struct lw_export *e, const char *folder, struct lw_error *err);

/* bundle_hashes.c: SHA-256 of data, checkpoint and model files; what has none is null, and `missing`
 * gets why. The caller's to free. */
json_t *lw_bundle_hashes(struct lw_export *e, const char *folder, json_t *missing);

/* bundle_texts.c: what people read and run. */
void lw_bundle_readme(FILE *out, const struct lw_export *e, bool onnx);
void lw_bundle_inference(FILE *out, const struct lw_export *e);

#endif

/* SPDX-License-Identifier: MIT
 *
 * logits FOLDER OUT.safetensors [BATCH LENGTH]: what leeway's own model computes on the CPU for
 * some tokens, beside the tokens, so that others can be compared with it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/export/safetensors.h"
#include "engine/model/gpt.h"
#include "engine/model/hf_gpt2.h"

static int save(const char *path, int batch, int length, int vocabulary, const int32_t *tokens,
                const float *logits, struct lw_error *err)
{
    const int64_t shape[] = {batch, length, vocabulary};
    const size_t count = (size_t)batch * (size_t)length;
    struct lw_safetensors_writer *w;
    int rc = lw_safetensors_writer_new(&w, path, err);

    if (rc)
        return rc;
    if (!(rc = lw_safetensors_declare(w, "input_ids", LW_I32, 2, shape, err)) &&
        !(rc = lw_safetensors_declare(w, "logits", LW_F32, 3, shape, err)) &&
        !(rc = lw_safetensors_begin(w, err)) &&
        !(rc = lw_safetensors_write(w, tokens, count * sizeof *tokens, err)) &&
        !(rc = lw_safetensors_write(w, logits, count * (size_t)vocabulary * sizeof *logits, err)))
        rc = lw_safetensors_finish(w, err);
    lw_safetensors_writer_free(w);
    return rc;
}

int main(int argc, char **argv)
{
    const struct lw_device_options options = {.threads = 2, .precision = LW_F32};
    struct lw_gpt_plan plan = {.attention = LW_ATTENTION_AUTO};
    struct lw_device *device = NULL;
    struct lw_gpt *g = NULL;
    struct lw_gpt_spec spec;
    struct lw_error err = {0};
    int32_t *tokens = NULL;
    float *logits = NULL;
    size_t count;
    int rc;

    if (argc != 3 && argc != 5) {
        fputs("usage: logits FOLDER OUT.safetensors [BATCH LENGTH]\n", stderr);
        return 2;
    }
    if ((rc = lw_hf_gpt2_spec(argv[1], &spec, &err)))
        goto out;
    plan.eval_batch = argc == 5 ? atoi(argv[3]) : 2;
    plan.eval_length = argc == 5 ? atoi(argv[4]) : spec.positions;
    count = (size_t)plan.eval_batch * (size_t)plan.eval_length;
    tokens = malloc(count * sizeof *tokens);
    logits = malloc(count * (size_t)spec.vocabulary * sizeof *logits);
    for (size_t i = 0; tokens && i < count; i++)
        tokens[i] = (int32_t)((i * 2654435761u + i / 7) % (size_t)spec.vocabulary);
    if (!tokens || !logits)
        rc = lw_fail(&err, LW_EMEM, "out of memory");
    else if (!(rc = lw_backend_cpu.open(&device, &options, &err)) &&
             !(rc = lw_gpt_create(&g, &spec, &lw_backend_cpu, device, 1, &err)) &&
             !(rc = lw_gpt_prepare(g, &plan, &err)) &&
             !(rc = lw_hf_gpt2_load(argv[1], g, NULL, 0, &err)) &&
             !(rc = lw_gpt_logits(g, plan.eval_batch, plan.eval_length, tokens, logits, &err)))
        rc = save(argv[2], plan.eval_batch, plan.eval_length, spec.vocabulary, tokens, logits,
                  &err);
out:
    if (rc)
        fprintf(stderr, "logits: %s\n", err.text);
    lw_gpt_free(g);
    if (device)
        lw_backend_cpu.close(device);
    free(tokens);
    free(logits);
    return rc != 0;
}

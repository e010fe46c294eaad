/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "engine/run/folder.h"
#include "engine/train/bundle.h"

static const char *name_of(const struct lw_export *e)
{
    const char *slash = strrchr(e->run, '/');

    return slash ? slash + 1 : e->run;
}

static void numbers(FILE *out, const struct lw_export *e)
{
    const struct lw_gpt_spec *s = &e->spec;

    fprintf(out,
            "| | |\n|---|---|\n| model | GPT-2, %d layers, %d heads, width %d, %.2fM parameters |\n"
            "| vocabulary | %d, texts of at most %d tokens |\n| trained | %" PRIu64
            " steps, %.3g epochs, %" PRIu64 " tokens |\n",
            s->layers, s->heads, s->channels, (double)lw_gpt_parameters(s) * 1e-6, s->vocabulary,
            s->positions, e->state.step, e->state.epoch, e->state.tokens);
    if (isfinite(e->state.train_loss))
        fprintf(out, "| training loss | %.4f |\n", e->state.train_loss);
    if (isfinite(e->state.val_loss))
        fprintf(out, "| validation loss | %.4f (best: %.4f at step %" PRIu64 ") |\n",
                e->state.val_loss, e->state.stop.best, e->state.stop.best_step);
}

void lw_bundle_readme(FILE *out, const struct lw_export *e, bool onnx)
{
    fprintf(out, "# %s\n\nTrained with leeway " PACKAGE_VERSION ", task `%s`.\n\n", name_of(e),
            lw_task_name(e->config.task));
    numbers(out, e);
    if (onnx)
        fputs("\n## Use it\n\n"
              "    pip install numpy onnxruntime\n"
              "    python inference.py \"Once upon a time\"\n",
              out);
    fputs("\nIn Python, with transformers:\n\n"
          "    from transformers import AutoModelForCausalLM\n"
          "    model = AutoModelForCausalLM.from_pretrained(\"artifacts\")\n\n"
          "Training goes on from it with `leeway train init_from=artifacts data=...`.\n\n"
          "## What is here\n\n"
          "* `artifacts/`: the model (`model.safetensors` with its configuration and tokenizer, "
          "`model.onnx`), the drift\n  report, a picture of the run\n"
          "* `configs/`: `config.yaml`, from which the run can be repeated, and `task.json`\n"
          "* `metrics.csv`: a row a step\n"
          "* `metadata.json`: formats, versions, hashes, and what is missing and why\n",
          out);
}

/* The lines of inference.py that turn a prompt into ids and ids into text. */
static const struct {
    const char *needs, *import, *open, *ids, *show;
} language[] = {
    [LW_IDS_BYTES] = {"", "", "",
                      "list((sys.argv[1] if len(sys.argv) > 1 else \"\").encode()) or [256]",
                      "bytes(i for i in ids if i < 256).decode(errors=\"replace\")"},
    [LW_IDS_FILES] = {", tokenizers", "import tokenizers\n",
                      "tokenizer = tokenizers.ByteLevelBPETokenizer(\n"
                      "    os.path.join(artifacts, \"vocab.json\"), os.path.join(artifacts, "
                      "\"merges.txt\"))\n",
                      "tokenizer.encode(\" \".join(sys.argv[1:]) or \"\\n\").ids",
                      "tokenizer.decode(ids)"},
    [LW_IDS_UNKNOWN] = {"", "", "", "[int(i) for i in sys.argv[1:]] or [0]", "*ids"},
};

void lw_bundle_inference(FILE *out, const struct lw_export *e)
{
    fprintf(out,
            "#!/usr/bin/env python3\n"
            "\"\"\"Text from artifacts/model.onnx: inference.py [%s]. Needs numpy, "
            "onnxruntime%s.\"\"\"\n"
            "import os\nimport sys\n\nimport numpy\nimport onnxruntime\n%s\n"
            "artifacts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "
            "\"artifacts\")\n"
            "session = onnxruntime.InferenceSession(os.path.join(artifacts, \"model.onnx\"))\n"
            "%s"
            "ids = %s\n"
            "draw = numpy.random.default_rng(42)\n"
            "for _ in range(100):\n"
            "    window = numpy.array([ids[-%d:]], dtype=numpy.int64)\n"
            "    logits = session.run([\"logits\"], {\"input_ids\": window})[0][0, -1]\n"
            "    likely = numpy.argsort(logits)[-40:]\n"
            "    chance = numpy.exp((logits[likely] - logits.max()).astype(float) / 0.8)\n"
            "    ids.append(int(draw.choice(likely, p=chance / chance.sum())))\n"
            "print(%s)\n",
            e->ids == LW_IDS_UNKNOWN ? "ID..." : "PROMPT", language[e->ids].needs,
            language[e->ids].import, language[e->ids].open, language[e->ids].ids, e->spec.positions,
            language[e->ids].show);
}

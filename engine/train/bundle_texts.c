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
    const struct lw_model_spec *s = &e->spec;

    fprintf(out,
            "| | |\n|---|---|\n| model | %s, %d layers, %d heads, width %d, %.2fM parameters |\n",
            lw_export_model(e), s->layers, s->heads, s->channels,
            (double)lw_model_parameters(s) * 1e-6);
    if (s->image_size)
        fprintf(out, "| images | %d x %d, in patches of %d x %d |\n", s->image_size, s->image_size,
                s->patch_size, s->patch_size);
    else
        fprintf(out, "| vocabulary | %d, texts of at most %d tokens |\n", s->vocabulary,
                s->positions);
    if (s->classes)
        fprintf(out, "| classes | %d |\n", s->classes);
    fprintf(out, "| trained | %" PRIu64 " steps, %.3g epochs, %" PRIu64 " %s |\n", e->state.step,
            e->state.epoch, e->state.tokens, s->image_size ? "images" : "tokens");
    if (isfinite(e->state.train_loss))
        fprintf(out, "| training loss | %.4f |\n", e->state.train_loss);
    if (isfinite(e->state.val_loss))
        fprintf(out, "| validation loss | %.4f (best: %.4f at step %" PRIu64 ") |\n",
                e->state.val_loss, e->state.stop.best, e->state.stop.best_step);
}

/* The lines of inference.py that turn a text into ids and ids into text. */
static const struct {
    const char *needs, *import, *open, *ids, *show;
} language[] = {
    [LW_IDS_BYTES] = {"", "", "", "list(\" \".join(sys.argv[1:]).encode()) or [256]",
                      "bytes(i for i in ids if i < 256).decode(errors=\"replace\")"},
    [LW_IDS_FILES] = {", tokenizers", "import tokenizers\n",
                      "tokenizer = tokenizers.ByteLevelBPETokenizer(\n"
                      "    os.path.join(artifacts, \"vocab.json\"), os.path.join(artifacts, "
                      "\"merges.txt\"))\n",
                      "tokenizer.encode(\" \".join(sys.argv[1:]) or \"\\n\").ids",
                      "tokenizer.decode(ids)"},
    [LW_IDS_UNKNOWN] = {"", "", "", "[int(i) for i in sys.argv[1:]] or [0]", "*ids"},
};

static const char *class_of(const struct lw_export *e)
{
    return e->spec.image_size ? "AutoModelForImageClassification"
           : e->spec.classes  ? "AutoModelForSequenceClassification"
                              : "AutoModelForCausalLM";
}

/* The task that takes somebody's own data. */
static const char *task_of(const struct lw_export *e)
{
    return lw_task_name(e->spec.image_size ? LW_TASK_VISION_CLASSIFICATION
                        : e->spec.classes  ? LW_TASK_TEXT_CLASSIFICATION
                                           : LW_TASK_LM);
}

void lw_bundle_readme(FILE *out, const struct lw_export *e, bool onnx)
{
    fprintf(out, "# %s\n\nTrained with leeway " PACKAGE_VERSION ", task `%s`.\n\n", name_of(e),
            lw_task_name(e->config.task));
    numbers(out, e);
    fputs("\n## Use it\n", out);
    if (onnx)
        fprintf(out, "\n    pip install numpy onnxruntime%s\n    python inference.py %s\n",
                e->spec.image_size          ? " pillow"
                : language[e->ids].needs[0] ? " tokenizers"
                                            : "",
                e->spec.image_size         ? "image.png"
                : e->ids == LW_IDS_UNKNOWN ? "17 42 4711"
                                           : "\"Once upon a time\"");
    fprintf(out,
            "\nIn Python, with transformers:\n\n    from transformers import %s\n"
            "    model = %s.from_pretrained(\"artifacts\")\n\n"
            "Training goes on from it with `leeway train init_from=artifacts task=%s data=...`.\n",
            class_of(e), class_of(e), task_of(e));
    fputs("\n## What is here\n\n"
          "* `artifacts/`: the model in its formats, the drift report, a picture of the run\n"
          "* `configs/`: `config.yaml`, from which the run can be repeated, and `task.json`\n"
          "* `metrics.csv`: a row a step\n"
          "* `metadata.json`: formats, versions, hashes, and what is missing and why\n",
          out);
}

/* What all three programs begin with. */
static void begin(FILE *out, const char *what, const char *needs, const char *standard,
                  const char *import)
{
    fprintf(out,
            "#!/usr/bin/env python3\n\"\"\"%s Needs numpy, onnxruntime%s.\"\"\"\n%simport os\n"
            "import sys\n\nimport numpy\nimport onnxruntime\n%s\n"
            "artifacts = os.path.join(os.path.dirname(os.path.abspath(__file__)), \"artifacts\")\n"
            "session = onnxruntime.InferenceSession(os.path.join(artifacts, \"model.onnx\"))\n",
            what, needs, standard, import);
}

static void write_text(FILE *out, const struct lw_export *e)
{
    begin(out,
          e->ids == LW_IDS_UNKNOWN ? "Goes on with ids: inference.py ID..."
                                   : "Goes on with a text: inference.py TEXT.",
          language[e->ids].needs, "", language[e->ids].import);
    fprintf(out,
            "%sids = %s\n"
            "draw = numpy.random.default_rng(42)\n"
            "for _ in range(100):\n"
            "    window = numpy.array([ids[-%d:]], dtype=numpy.int64)\n"
            "    logits = session.run([\"logits\"], {\"input_ids\": window})[0][0, -1]\n"
            "    likely = numpy.argsort(logits)[-40:]\n"
            "    chance = numpy.exp((logits[likely] - logits.max()).astype(float) / 0.8)\n"
            "    ids.append(int(draw.choice(likely, p=chance / chance.sum())))\n"
            "print(%s)\n",
            language[e->ids].open, language[e->ids].ids, e->spec.positions, language[e->ids].show);
}

/* The end of both classifiers: the five likeliest. */
static void classes(FILE *out)
{
    fputs("labels = json.load(open(os.path.join(artifacts, \"config.json\")))[\"id2label\"]\n"
          "chance = numpy.exp(logits - logits.max())\n"
          "for i in numpy.argsort(-logits)[:5]:\n"
          "    print(f\"{chance[i] / chance.sum():7.2%}  {labels[str(i)]}\")\n",
          out);
}

static void judge_text(FILE *out, const struct lw_export *e)
{
    begin(out, "Which class a text is of: inference.py TEXT.", language[e->ids].needs,
          "import json\n", language[e->ids].import);
    fprintf(out,
            "%sids = numpy.array([(%s)[:%d]], dtype=numpy.int64)\n"
            "logits = session.run([\"logits\"], {\"input_ids\": ids})[0][0]\n",
            language[e->ids].open, language[e->ids].ids, e->spec.positions);
    classes(out);
}

static void judge_image(FILE *out, const struct lw_export *e)
{
    const struct lw_model_spec *s = &e->spec;

    begin(out, "Which class an image is of: inference.py FILE.", ", pillow", "import json\n",
          "from PIL import Image\n");
    fprintf(out,
            "if len(sys.argv) != 2:\n    sys.exit(\"usage: inference.py FILE\")\n"
            "image = Image.open(sys.argv[1]).convert(\"RGB\").resize((%d, %d), Image.BILINEAR)\n"
            "pixels = numpy.asarray(image, dtype=numpy.float32) / 255\n"
            "pixels = (pixels - [%.7g, %.7g, %.7g]) / [%.7g, %.7g, %.7g]\n"
            "pixels = pixels.transpose(2, 0, 1)[None].astype(numpy.float32)\n"
            "logits = session.run([\"logits\"], {\"pixel_values\": pixels})[0][0]\n",
            s->image_size, s->image_size, (double)s->mean[0], (double)s->mean[1],
            (double)s->mean[2], (double)s->deviation[0], (double)s->deviation[1],
            (double)s->deviation[2]);
    classes(out);
}

void lw_bundle_inference(FILE *out, const struct lw_export *e)
{
    if (e->spec.image_size)
        judge_image(out, e);
    else if (e->spec.classes)
        judge_text(out, e);
    else
        write_text(out, e);
}

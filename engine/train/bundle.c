/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "engine/train/bundle.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/aside.h"
#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/ask_console.h"
#include "engine/train/checkpoint.h"

struct bundle {
    struct lw_export *e;
    const char *folder;
    json_t *formats, *missing;
    char path[8][1024]; /* of the last calls of at() */
    int turn;
    int rc; /* of the first failure, whose text err has */
    struct lw_error *err;
};

/* folder/name, valid until the eighth next call. */
static const char *at(struct bundle *b, const char *folder, const char *name)
{
    char *path = b->path[b->turn++ % 8];

    snprintf(path, sizeof b->path[0], "%s/%s", folder, name);
    return path;
}

/* name is not there; a failure, or only nothing to be had. */
static void lack(struct bundle *b, const char *name, int rc, const char *why)
{
    lw_export_say(b->e, "%s is missing: %s", name, why);
    json_object_set_new(b->missing, name, json_string(why));
    if (rc && !b->rc)
        b->rc = lw_fail(b->err, rc, "%s: %s is missing: %s", b->folder, name, why);
}

static void expect(struct bundle *b, const char *name, int rc, const struct lw_error *err)
{
    if (rc)
        lack(b, name, rc, err->text);
}

static void quiet(void *user, const char *line)
{
    (void)user;
    (void)line;
}

/* One of the formats of the table, to where a bundle has it. */
static bool add_format(struct bundle *b, const char *name, const char *target, const char *file)
{
    const struct lw_export_format *f = lw_export_formats;
    void (*say)(void *user, const char *line) = b->e->say;
    struct lw_error err = {0};
    int rc;

    while (f->name && strcmp(f->name, name) != 0)
        f++;
    b->e->say = quiet; /* the bundle says it as a whole */
    rc = f->name ? f->write(b->e, at(b, b->folder, target), &err)
                 : lw_fail(&err, LW_EMISSING, "there is no format %s", name);
    b->e->say = say;
    expect(b, file, rc, &err);
    if (!rc)
        json_array_append_new(b->formats, json_string(name));
    return !rc;
}

static bool wants(const struct lw_export *e, const char *format)
{
    for (int i = 0; i < e->config.export_formats.count; i++)
        if (!strcmp(e->config.export_formats.item[i], format))
            return true;
    return false;
}

static void copy(struct bundle *b, const char *name, const char *target)
{
    struct lw_error err = {0};

    expect(b, target, lw_copy_file(at(b, b->e->run, name), at(b, b->folder, target), &err), &err);
}

static void add_report(struct bundle *b)
{
    const char *name = "artifacts/drift_report.json";
    const char *reference = at(b, b->e->run, "profile-reference.json");
    const char *current = at(b, b->e->run, "profile-current.json");
    const char *const words[] = {"drift", reference, current, "--json", NULL};
    struct lw_error err = {0};
    int code;

    if (access(reference, F_OK) || access(current, F_OK)) {
        lack(b, name, 0, "the run has no profiles to compare");
        return;
    }
    code = lw_ask_console(words, at(b, b->folder, name), "0345", &err);
    if (code < 0 || code == 1 || code == 2)
        lack(b, name, 0, err.text);
}

/* Report and picture are not formats of the model: a bundle without them is whole. */
static void add_picture(struct bundle *b)
{
    const char *name = "artifacts/dashboard.png", *path = at(b, b->folder, name);
    const char *const words[] = {"export", b->e->run, "--png", path, NULL};
    struct lw_error err = {0};
    int code = lw_ask_console(words, NULL, "0", &err);

    if (code)
        lack(b, name, 0, err.text);
}

static void save_json(struct bundle *b, const char *name, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(7)) : NULL;
    char *line = NULL;
    struct lw_error err = {0};
    int rc;

    if (!text || asprintf(&line, "%s\n", text) < 0)
        rc = lw_fail(&err, LW_EMEM, "out of memory");
    else
        rc = lw_replace_file(at(b, b->folder, name), line, strlen(line), 1, &err);
    expect(b, name, rc, &err);
    free(line);
    free(text);
    json_decref(root);
}

static const char *modality(const struct lw_export *e)
{
    return e->spec.image_size ? "images" : "text";
}

static void add_task(struct bundle *b)
{
    static const char *const ids[] = {
        [LW_IDS_UNKNOWN] = "of token shards", [LW_IDS_BYTES] = "bytes", [LW_IDS_FILES] = "bpe"};
    const struct lw_model_spec *s = &b->e->spec;
    json_t *root = json_pack("{s:s, s:s, s:s}", "task", lw_task_name(b->e->config.task), "modality",
                             modality(b->e), "model", s->image_size ? "vit" : "gpt");

    if (root && s->classes)
        json_object_set_new(root, "classes", json_integer(s->classes));
    if (root && s->image_size) {
        json_object_set_new(root, "image_size", json_integer(s->image_size));
        json_object_set_new(
            root, "image_mean",
            json_pack("[f, f, f]", (double)s->mean[0], (double)s->mean[1], (double)s->mean[2]));
        json_object_set_new(root, "image_std",
                            json_pack("[f, f, f]", (double)s->deviation[0], (double)s->deviation[1],
                                      (double)s->deviation[2]));
    } else if (root) {
        json_object_set_new(root, "vocabulary", json_integer(s->vocabulary));
        json_object_set_new(root, "positions", json_integer(s->positions));
        json_object_set_new(root, "tokenizer", json_string(ids[b->e->ids]));
    }
    save_json(b, "configs/task.json", root);
}

/* Null for what is not known. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static void add_metadata(struct bundle *b)
{
    const struct lw_export *e = b->e;
    const struct lw_train_state *s = &e->state;
    const char *slash = strrchr(e->run, '/');
    json_t *hashes = lw_bundle_hashes(b->e, b->folder, b->missing);
    char when[32];

    lw_clock_iso(when, sizeof when);
    save_json(b, "metadata.json",
              json_pack("{s:s, s:s, s:s, s:s, s:O, s:O, s:{s:s, s:i, s:i}, s:o, s:{s:I, s:f, "
                        "s:I, s:I}, s:{s:o, s:o, s:o, s:I}}",
                        "created", when, "run", slash ? slash + 1 : e->run, "task",
                        lw_task_name(e->config.task), "modality", modality(e), "formats",
                        b->formats, "missing", b->missing, "versions", "leeway", PACKAGE_VERSION,
                        "onnx_opset", 17, "onnx_ir", 8, "hashes", hashes, "trained", "steps",
                        (json_int_t)s->step, "epochs", s->epoch, "tokens", (json_int_t)s->tokens,
                        "parameters", (json_int_t)lw_model_parameters(&e->spec), "loss", "train",
                        number(s->train_loss), "validation", number(s->val_loss), "best_validation",
                        number(s->stop.best_step ? s->stop.best : NAN), "best_step",
                        (json_int_t)s->stop.best_step));
}

/* A text that one of bundle_texts.c writes. */
static void add_text(struct bundle *b, const char *name, bool onnx, bool program)
{
    struct lw_error err = {0};
    struct lw_aside file;
    int rc = lw_aside_open(&file, at(b, b->folder, name), &err);

    if (!rc) {
        if (program)
            lw_bundle_inference(file.file, b->e);
        else
            lw_bundle_readme(file.file, b->e, onnx);
        rc = lw_aside_finish(&file, &err);
    }
    if (!rc && program && chmod(at(b, b->folder, name), 0755) < 0)
        rc = lw_fail_errno(&err, "cannot make %s a program", name);
    expect(b, name, rc, &err);
}

static void add_all(struct bundle *b)
{
    bool onnx = false;

    if (wants(b->e, "safetensors"))
        add_format(b, "safetensors", "artifacts", "artifacts/model.safetensors");
    if (wants(b->e, "onnx"))
        onnx = add_format(b, "onnx", "artifacts/model.onnx", "artifacts/model.onnx");
    copy(b, LW_RUN_CONFIG, "configs/config.yaml");
    copy(b, LW_RUN_METRICS, "metrics.csv");
    add_task(b);
    add_report(b);
    add_picture(b);
    if (onnx)
        add_text(b, "inference.py", onnx, true);
    else
        lack(b, "inference.py", 0, "it would run model.onnx");
    add_text(b, "README.md", onnx, false);
    add_metadata(b);
}

int lw_bundle_write(struct lw_export *e, const char *folder, struct lw_error *err)
{
    struct bundle b = {.e = e, .folder = folder, .err = err};
    int rc;

    if (strlen(folder) > 900)
        return lw_fail(err, LW_EUSAGE, "the bundle's folder has too long a name");
    if ((rc = lw_make_folders(at(&b, folder, "artifacts"), err)) ||
        (rc = lw_make_folders(at(&b, folder, "configs"), err)))
        return rc;
    b.formats = json_array();
    b.missing = json_object();
    add_all(&b);
    lw_export_say(e, "%s: a bundle of step %" PRIu64, folder, e->state.step);
    json_decref(b.formats);
    json_decref(b.missing);
    return b.rc;
}

/* SPDX-License-Identifier: MIT */
#include "engine/train/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/hash.h"
#include "engine/model/hf_gpt2.h"
#include "engine/model/store.h"
#include "engine/run/folder.h"

#define HASH_SEED 0x73746570 /* "step" */

/* Hash and size of a whole file. */
static int look_at(const char *path, struct lw_state_file *f, struct lw_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    struct stat st;
    void *map;

    if (fd < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) < 0) {
        rc = lw_fail_errno(err, "cannot read %s", path);
        goto out;
    }
    f->bytes = (uint64_t)st.st_size;
    f->hash = 0;
    if (!f->bytes)
        goto out;
    map = mmap(NULL, f->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        rc = lw_fail_errno(err, "cannot read %s", path);
        goto out;
    }
    madvise(map, f->bytes, MADV_SEQUENTIAL);
    f->hash = lw_hash(map, f->bytes, HASH_SEED);
    munmap(map, f->bytes);
out:
    close(fd);
    return rc;
}

static int remember(struct lw_train_state *state, const char *dir, const char *name,
                    struct lw_error *err)
{
    struct lw_state_file *f = &state->file[state->files];
    char *path = lw_path_join(dir, name);
    int rc;

    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    snprintf(f->name, sizeof f->name, "%s", name);
    rc = look_at(path, f, err);
    if (!rc)
        state->files++;
    free(path);
    return rc;
}

/* What a ViT has beside its config.json. */
static int remember_processor(struct lw_train_state *state, const char *dir,
                              const struct lw_model_spec *spec, struct lw_error *err)
{
    return spec->image_size ? remember(state, dir, "preprocessor_config.json", err) : 0;
}

/* Copy one of the tokenizer's files, if there is one, to this name. */
static int carry(struct lw_train_state *state, const char *source, const char *to, const char *name,
                 struct lw_error *err)
{
    char *target = lw_path_join(to, name), *data = NULL;
    size_t size;
    int rc = 0;

    if (!target)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (access(source, R_OK) == 0 && !(rc = lw_read_file(source, 0, &data, &size, err)) &&
             !(rc = lw_replace_file(target, data, size, 1, err)))
        rc = remember(state, to, name, err);
    free(data);
    free(target);
    return rc;
}

/* A tokenizer is a folder of files, or one file, whatever it is called. */
static int carry_tokenizer(struct lw_train_state *state, const char *tokenizer, const char *to,
                           struct lw_error *err)
{
    static const char *const names[] = {"vocab.json", "merges.txt", "tokenizer.json"};
    struct stat st;
    int rc = 0;

    if (!tokenizer || stat(tokenizer, &st) < 0)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return carry(state, tokenizer, to, "tokenizer.json", err);
    for (size_t i = 0; !rc && i < sizeof names / sizeof *names; i++) {
        char *source = lw_path_join(tokenizer, names[i]);

        rc = source ? carry(state, source, to, names[i], err)
                    : lw_fail(err, LW_EMEM, "out of memory");
        free(source);
    }
    return rc;
}

static int write_drift(const char *dir, struct lw_train_state *state, struct lw_drift_watch *drift,
                       struct lw_error *err)
{
    char *path;
    int rc;

    if (!drift)
        return 0;
    path = lw_path_join(dir, LW_DRIFT_STATE);
    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_drift_save(drift, path, err);
    free(path);
    return rc ? rc : remember(state, dir, LW_DRIFT_STATE, err);
}

static int write_files(const char *dir, struct lw_train_state *state, struct lw_model *g,
                       struct lw_drift_watch *drift, const char *tokenizer, int separator,
                       struct lw_error *err)
{
    char *model = lw_path_join(dir, LW_CHECKPOINT_MODEL);
    char *optimizer = lw_path_join(dir, LW_CHECKPOINT_OPTIMIZER);
    char *text = lw_path_join(dir, LW_CHECKPOINT_STATE);
    int rc;

    state->files = 0;
    if (!model || !optimizer || !text)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!(rc = lw_save_weights(lw_model_params(g), model, LW_F32, err)) &&
             !(rc = remember(state, dir, LW_CHECKPOINT_MODEL, err)) &&
             !(rc = lw_save_moments(lw_model_params(g), optimizer, err)) &&
             !(rc = remember(state, dir, LW_CHECKPOINT_OPTIMIZER, err)) &&
             !(rc = lw_hf_save_config(dir, lw_model_spec(g), LW_F32, separator, err)) &&
             !(rc = remember(state, dir, "config.json", err)) &&
             !(rc = remember_processor(state, dir, lw_model_spec(g), err)) &&
             !(rc = carry_tokenizer(state, tokenizer, dir, err)) &&
             !(rc = write_drift(dir, state, drift, err)) && !(rc = lw_state_save(state, text, err)))
        rc = lw_sync_folder(dir, err);
    free(model);
    free(optimizer);
    free(text);
    return rc;
}

/* Give aside its name. A folder that has the name already (left from before a resume that went
 * further back) makes way first. */
static int take_name(const char *aside, const char *path, struct lw_error *err)
{
    char *old = NULL;
    int rc = 0;

    if (rename(aside, path) == 0)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return lw_fail_errno(err, "cannot rename %s to %s", aside, path);
    if (asprintf(&old, "%s.tmp", path) < 0)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_remove_tree(old, err);
    if (!rc && (rename(path, old) < 0 || rename(aside, path) < 0))
        rc = lw_fail_errno(err, "cannot rename %s to %s", aside, path);
    if (!rc)
        rc = lw_remove_tree(old, err);
    free(old);
    return rc;
}

int lw_checkpoint_write(const char *run_dir, struct lw_train_state *state, struct lw_model *g,
                        struct lw_drift_watch *drift, const char *tokenizer, int separator,
                        struct lw_error *err)
{
    char *root = lw_path_join(run_dir, LW_RUN_CHECKPOINTS), *path = NULL, *aside = NULL;
    struct lw_error ignored;
    int rc;

    if (!root || asprintf(&path, "%s/step-%06" PRIu64, root, state->step) < 0 ||
        asprintf(&aside, "%s/.step-%06" PRIu64 ".tmp", root, state->step) < 0) {
        rc = lw_fail(err, LW_EMEM, "out of memory");
        goto out;
    }
    rc = lw_remove_tree(aside, err);
    if (!rc)
        rc = lw_make_folders(aside, err);
    if (!rc)
        rc = write_files(aside, state, g, drift, tokenizer, separator, err);
    if (!rc)
        rc = take_name(aside, path, err);
    if (!rc)
        rc = lw_sync_folder(root, err);
    else if (lw_remove_tree(aside, &ignored))
        lw_wrap(err, "and %s stays behind", aside);
out:
    free(root);
    free(path);
    free(aside);
    return rc;
}

static int check(const char *path, bool whole, struct lw_train_state *state, struct lw_error *err)
{
    char *name = lw_path_join(path, LW_CHECKPOINT_STATE);
    int rc;

    if (!name)
        return lw_fail(err, LW_EMEM, "out of memory");
    lw_state_init(state);
    rc = lw_state_load(state, name, err);
    free(name);
    for (int i = 0; !rc && i < state->files; i++) {
        struct lw_state_file now;

        if (!whole && !strcmp(state->file[i].name, LW_CHECKPOINT_OPTIMIZER))
            continue;
        name = lw_path_join(path, state->file[i].name);
        if (!name)
            return lw_fail(err, LW_EMEM, "out of memory");
        rc = look_at(name, &now, err);
        if (!rc && now.bytes != state->file[i].bytes)
            rc = lw_fail(err, LW_EDATA, "%s is damaged: %" PRIu64 " bytes, not %" PRIu64, name,
                         now.bytes, state->file[i].bytes);
        else if (!rc && now.hash != state->file[i].hash)
            rc = lw_fail(err, LW_EDATA, "%s is damaged: its content has changed", name);
        free(name);
    }
    return rc;
}

int lw_checkpoint_check(const char *path, struct lw_train_state *state, struct lw_error *err)
{
    return check(path, true, state, err);
}

int lw_checkpoint_check_model(const char *path, struct lw_train_state *state, struct lw_error *err)
{
    return check(path, false, state, err);
}

int lw_checkpoint_load(const char *path, struct lw_model *g, struct lw_error *err)
{
    char *model = lw_path_join(path, LW_CHECKPOINT_MODEL);
    char *optimizer = lw_path_join(path, LW_CHECKPOINT_OPTIMIZER);
    int rc;

    if (!model || !optimizer)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!(rc = lw_load_weights(lw_model_params(g), model, err)))
        rc = lw_load_moments(lw_model_params(g), optimizer, err);
    free(model);
    free(optimizer);
    return rc;
}

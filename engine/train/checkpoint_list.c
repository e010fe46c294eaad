/* SPDX-License-Identifier: MIT
 *
 * Which checkpoints there are: finding the newest good one, removing old ones. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/checkpoint.h"

static bool parse_name(const char *name, uint64_t *step)
{
    char *end;

    if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9')
        return false;
    errno = 0;
    *step = strtoull(name + 5, &end, 10);
    return !*end && !errno;
}

static int newest_first(const void *a, const void *b)
{
    const struct lw_checkpoint *x = a, *y = b;

    return x->step < y->step ? 1 : x->step > y->step ? -1 : 0;
}

static int add(struct lw_checkpoint_list *list, const char *root, const char *name, uint64_t step)
{
    struct lw_checkpoint *grown =
        realloc(list->item, (size_t)(list->count + 1) * sizeof *list->item);

    if (!grown)
        return -1;
    list->item = grown;
    grown[list->count].step = step;
    grown[list->count].path = lw_path_join(root, name);
    if (!grown[list->count].path)
        return -1;
    list->count++;
    return 0;
}

int lw_checkpoint_list(const char *run_dir, struct lw_checkpoint_list *list, struct lw_error *err)
{
    char *root = lw_path_join(run_dir, LW_RUN_CHECKPOINTS);
    struct dirent *entry;
    uint64_t step;
    DIR *dir;
    int rc = 0;

    memset(list, 0, sizeof *list);
    if (!root)
        return lw_fail(err, LW_EMEM, "out of memory");
    dir = opendir(root);
    if (!dir && errno != ENOENT)
        rc = lw_fail_errno(err, "cannot read %s", root);
    while (dir && !rc && (entry = readdir(dir)))
        if (parse_name(entry->d_name, &step) && add(list, root, entry->d_name, step) < 0)
            rc = lw_fail(err, LW_EMEM, "out of memory");
    if (dir)
        closedir(dir);
    free(root);
    if (rc)
        lw_checkpoint_list_free(list);
    else if (list->count)
        qsort(list->item, (size_t)list->count, sizeof *list->item, newest_first);
    return rc;
}

void lw_checkpoint_list_free(struct lw_checkpoint_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->item[i].path);
    free(list->item);
    memset(list, 0, sizeof *list);
}

/* lw_checkpoint_check or lw_checkpoint_check_model, and who hears of damaged ones. */
typedef int check_function(const char *path, struct lw_train_state *state, struct lw_error *err);
typedef void bad_function(void *user, const char *path, const struct lw_error *why);

static int find(const char *run_dir, check_function *check, char **path,
                struct lw_train_state *state, bad_function *bad, void *user, struct lw_error *err)
{
    struct lw_checkpoint_list list;
    struct lw_error why = {0}, newest = {0};
    int rc = lw_checkpoint_list(run_dir, &list, err), i;

    *path = NULL;
    if (rc)
        return rc;
    for (i = 0; i < list.count; i++) {
        rc = check(list.item[i].path, state, &why);
        if (!rc)
            break;
        if (rc == LW_EMEM) { /* that says nothing of the checkpoint */
            lw_checkpoint_list_free(&list);
            return lw_fail(err, rc, "%s", why.text);
        }
        if (!i)
            newest = why;
        if (bad)
            bad(user, list.item[i].path, &why);
    }
    if (i < list.count) {
        *path = list.item[i].path;
        list.item[i].path = NULL;
    } else if (list.count) {
        rc = lw_fail(err, LW_EDATA, "no checkpoint of %s can be used; the newest: %s", run_dir,
                     newest.text);
    }
    lw_checkpoint_list_free(&list);
    return rc;
}

int lw_checkpoint_find(const char *run_dir, char **path, struct lw_train_state *state,
                       bad_function *bad, void *user, struct lw_error *err)
{
    return find(run_dir, lw_checkpoint_check, path, state, bad, user, err);
}

int lw_checkpoint_find_model(const char *run_dir, char **path, struct lw_train_state *state,
                             bad_function *bad, void *user, struct lw_error *err)
{
    return find(run_dir, lw_checkpoint_check_model, path, state, bad, user, err);
}

/* Folders that a writer or a removal left when it was killed. */
static void remove_leftovers(const char *run_dir)
{
    char *root = lw_path_join(run_dir, LW_RUN_CHECKPOINTS);
    DIR *dir = root ? opendir(root) : NULL;
    struct dirent *entry;
    struct lw_error err;

    bool stuck = false; /* a read-only disk: the next prune tries again */

    while (dir && !stuck && (entry = readdir(dir))) {
        size_t n = strlen(entry->d_name);
        char *path;

        if (n < 4 || strcmp(entry->d_name + n - 4, ".tmp") != 0)
            continue;
        path = lw_path_join(root, entry->d_name);
        stuck = path && lw_remove_tree(path, &err);
        free(path);
    }
    if (dir)
        closedir(dir);
    free(root);
}

/* Take the name away first, so that half a checkpoint never bears one. */
static int remove_checkpoint(const char *path)
{
    struct lw_error err;
    char *gone;
    int rc;

    if (asprintf(&gone, "%s.tmp", path) < 0)
        return -1;
    rc = rename(path, gone) < 0 ? -1 : lw_remove_tree(gone, &err);
    free(gone);
    return rc;
}

void lw_checkpoint_prune(const char *run_dir, int keep, uint64_t best)
{
    struct lw_checkpoint_list list;
    struct lw_error err;

    remove_leftovers(run_dir);
    if (keep <= 0 || lw_checkpoint_list(run_dir, &list, &err))
        return;
    for (int i = keep; i < list.count; i++)
        if (list.item[i].step != best && remove_checkpoint(list.item[i].path))
            break;
    lw_checkpoint_list_free(&list);
}

void lw_checkpoint_set_aside(const char *path)
{
    struct lw_error err;
    char *name;

    if (asprintf(&name, "%s.damaged", path) < 0)
        return;
    if (lw_remove_tree(name, &err) || rename(path, name) < 0)
        errno = 0; /* it stays, and is passed over again */
    free(name);
}

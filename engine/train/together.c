/* SPDX-License-Identifier: MIT
 *
 * Several ranks: meeting, agreeing, starting from the same bits. Alone, all of this is nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/rank.h"

static void lost(void *user, const char *text)
{
    struct lw_rank *r = user;

    if (r->link->lost)
        r->link->lost(r->link, text);
}

int lw_rank_join(struct lw_rank *r, struct lw_error *err)
{
    struct lw_launch launch;
    struct lw_comm_options o = {.launch = &launch, .user = r};
    int rc = lw_launch_look(&launch, err);

    r->ranks = 1;
    if (rc || launch.size == 1)
        return rc;
    if (r->link->lost)
        o.lost = lost;
    rc = lw_comm_open(&r->comm, &o, err);
    if (rc)
        return rc;
    r->rank = lw_comm_rank(r->comm);
    r->ranks = lw_comm_size(r->comm);
    return 0;
}

static void late(void *user, const char *text)
{
    lw_events_add(user, LW_EVENT_WARN, "%s", text);
}

void lw_rank_look_after(struct lw_rank *r)
{
    if (!r->comm)
        return;
    lw_comm_at(r->comm, LW_AT_STEP, r->state.step + 1);
    lw_comm_watch(r->comm, r->rank ? NULL : late, r->events);
}

int lw_rank_agree(struct lw_rank *r, int *word, struct lw_error *err)
{
    return r->comm ? lw_comm_broadcast(r->comm, word, sizeof *word, err) : 0;
}

/* The first rank that has something against it, in the same words on all. */
static int agree_on(struct lw_rank *r, const struct lw_error *mine, struct lw_error *err)
{
    struct verdict {
        int code;
        char text[500];
    } own = {.code = mine->code}, *all;
    int rc;

    snprintf(own.text, sizeof own.text, "%.490s", mine->text);
    all = calloc((size_t)r->ranks, sizeof *all);
    if (!all)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_comm_gather(r->comm, &own, sizeof own, all, err);
    for (int i = 0; !rc && i < r->ranks; i++)
        if (all[i].code)
            rc = lw_fail(err, all[i].code, "%s", all[i].text);
    if (rc)
        lw_comm_leave(r->comm);
    free(all);
    return rc;
}

/* A file of rank 0's as text for all. */
static int share_file(struct lw_rank *r, const char *path, char **text, size_t *size,
                      struct lw_error *err)
{
    uint64_t length = 0;
    int rc = 0;

    *text = NULL;
    if (!r->rank) {
        rc = lw_read_file(path, 0, text, size, err);
        length = *size;
    }
    if (!rc)
        rc = lw_comm_broadcast(r->comm, &length, sizeof length, err);
    if (!rc && r->rank && !(*text = calloc(1, (size_t)length + 1)))
        rc = lw_fail(err, LW_EMEM, "out of memory");
    if (!rc)
        rc = lw_comm_broadcast(r->comm, *text, (size_t)length, err);
    *size = (size_t)length;
    return rc;
}

static int share_folder(struct lw_rank *r, struct lw_error *err)
{
    char path[4096] = "";
    int rc;

    if (!r->rank)
        snprintf(path, sizeof path, "%s", r->dir);
    rc = lw_comm_broadcast(r->comm, path, sizeof path, err);
    if (rc || !r->rank)
        return rc;
    path[sizeof path - 1] = '\0';
    r->dir = r->own_dir = strdup(path);
    return r->dir ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

/* How many ranks there are is the launcher's to say, whatever the guard made of these. */
static bool is_launchers(const char *field)
{
    return !strcmp(field, "strategy") || !strcmp(field, "devices") || !strcmp(field, "num_nodes");
}

/* What this rank was started with against what rank 0 was. */
static int compare(struct lw_rank *r, const char *own, struct lw_error *err)
{
    struct lw_config mine;
    char here[400], there[400];
    const char *name;
    int rc = lw_config_init(&mine, err);

    if (!rc)
        rc = lw_config_load(&mine, own, err);
    if (!rc)
        rc = lw_config_finish(&mine, false, err);
    for (int i = 0; !rc && (name = lw_config_field_name(i)); i++) {
        lw_config_get(&mine, name, here, sizeof here);
        lw_config_get(&r->config, name, there, sizeof there);
        if (is_launchers(name))
            continue;
        if (strcmp(here, there) != 0)
            rc = lw_fail(err, LW_EUSAGE,
                         "the ranks' configurations differ: %s is %.150s on rank %d and %.150s on "
                         "rank 0: start all ranks with the same",
                         name, here, r->rank, there);
    }
    lw_config_fini(&mine);
    return rc;
}

int lw_rank_share(struct lw_rank *r, const char *own, struct lw_error *err)
{
    struct lw_error verdict = {0, ""};
    char *text = NULL, *path = NULL;
    size_t size = 0;
    int rc;

    if (!r->comm)
        return 0;
    rc = share_folder(r, err);
    if (!rc && !(path = lw_path_join(r->dir, LW_RUN_CONFIG)))
        rc = lw_fail(err, LW_EMEM, "out of memory");
    if (!rc)
        rc = share_file(r, path, &text, &size, err);
    if (!rc && r->rank) {
        rc = lw_config_parse(&r->config, text, size, LW_RUN_CONFIG, err);
        if (!rc)
            rc = lw_config_finish(&r->config, false, err);
        if (!rc && own && compare(r, own, &verdict) && !verdict.code)
            verdict.code = LW_EUSAGE;
    }
    free(path);
    free(text);
    return rc ? rc : agree_on(r, &verdict, err);
}

/* Each rank's record in `record` against rank 0's. */
static int compare_records(struct lw_rank *r, const char *what, const char *record,
                           struct lw_error *err)
{
    struct lw_error verdict = {0, ""};
    char first[200];
    int rc;

    snprintf(first, sizeof first, "%s", record);
    rc = lw_comm_broadcast(r->comm, first, sizeof first, err);
    if (rc)
        return rc;
    if (strcmp(first, record) != 0)
        lw_fail(&verdict, LW_EUSAGE, "%s is %.190s on rank %d and %.190s on rank 0", what, record,
                r->rank, first);
    return agree_on(r, &verdict, err);
}

int lw_rank_join_devices(struct lw_rank *r, struct lw_error *err)
{
    int rc;

    if (!r->comm)
        return 0;
    rc = compare_records(r, "the device", r->info.backend, err);
    if (!rc)
        rc = lw_group_join(&r->group, r->comm, r->backend, r->device, err);
    if (!rc)
        lw_events_add(r->events, LW_EVENT_INFO, "%d ranks, gradients summed by %s", r->ranks,
                      r->backend->group_id ? "NCCL" : lw_comm_plane(r->comm));
    return rc;
}

int lw_rank_open_data_in_turn(struct lw_rank *r, struct lw_error *err)
{
    char record[200];
    int rc = 0;

    if (!r->comm)
        return lw_rank_open_data(r, err);
    if (r->rank)
        rc = lw_comm_barrier(r->comm, err);
    if (!rc)
        rc = lw_rank_open_data(r, err);
    if (!rc && !r->rank)
        rc = lw_comm_barrier(r->comm, err);
    if (rc)
        return rc;
    snprintf(record, sizeof record, "%s, %" PRId64 " %s", r->data.hash, r->data.count,
             r->data.unit);
    return compare_records(r, "the training data", record, err);
}

int lw_rank_share_state(struct lw_rank *r, struct lw_error *err)
{
    struct {
        struct lw_train_state state;
        uint64_t saved_step;
        int resumed;
    } all = {.state = r->state, .saved_step = r->saved_step, .resumed = r->resumed != NULL};
    int rc;

    if (!r->comm)
        return 0;
    rc = lw_comm_broadcast(r->comm, &all, sizeof all, err);
    if (rc || !r->rank)
        return rc;
    r->state = all.state;
    r->saved_step = all.saved_step;
    if (all.resumed && !(r->resumed = strdup("rank 0's")))
        return lw_fail(err, LW_EMEM, "out of memory");
    return 0;
}

int lw_rank_share_model(struct lw_rank *r, struct lw_error *err)
{
    const struct lw_params *p = lw_model_params(r->model);
    const struct {
        void *buffer;
        size_t bytes;
        bool wanted;
    } all[] = {
        {p->flat.weights, p->count * lw_dtype_size(p->weight_type), true},
        {p->flat.master, p->count * sizeof(float), p->flat.master != NULL},
        {p->flat.m, p->count * sizeof(float), r->resumed != NULL},
        {p->flat.v, p->count * sizeof(float), r->resumed != NULL},
    };
    int rc = 0;

    if (!r->comm)
        return 0;
    for (size_t i = 0; !rc && i < sizeof all / sizeof *all; i++)
        if (all[i].wanted)
            rc = r->backend->spread(r->device, all[i].buffer, all[i].bytes, err);
    lw_reducer_init(&r->reducer, r->backend, r->device, p->flat.grads);
    lw_model_set_hook(r->model, lw_reducer_hook, &r->reducer);
    return rc;
}

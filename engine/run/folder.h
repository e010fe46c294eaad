/* SPDX-License-Identifier: MIT
 *
 * The run folder: making one, who holds it, and finding the ones there are. The folder is the
 * whole interface between a run and everybody who looks at it; names of the files in it are here.
 */
#ifndef LW_RUN_FOLDER_H
#define LW_RUN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"
#include "engine/config/config.h"
#include "engine/run/status.h"

#define LW_RUN_CONFIG      "config.yaml"
#define LW_RUN_METRICS     "metrics.csv"
#define LW_RUN_DRIFT       "drift.csv"
#define LW_RUN_EVENTS      "events.log"
#define LW_RUN_CURRENT     "profile-current.json"
#define LW_RUN_REFERENCE   "profile-reference.json"
#define LW_RUN_STATUS      "status.json"
#define LW_RUN_CHECKPOINTS "checkpoints"
#define LW_RUN_CONTROL     "control"
#define LW_RUN_LOCK        "lock"

/* Make the folder of a new run and write config.yaml into it. With dir NULL the folder is
 * runs_dir/DATE-TIME-NAME, made unique when taken; dir itself must be new or empty. *made is the
 * path (absolute), freed by the caller. LW_EBUSY where a run is already there. Comment lines
 * with time, host, version and command line are added to c. */
LW_NODISCARD int lw_run_create(struct lw_config *c, const char *dir, char **made,
                               struct lw_error *err);

/* Read DIR/config.yaml into c, which lw_config_init has filled (see lw_config_load). */
LW_NODISCARD int lw_run_load_config(struct lw_config *c, const char *dir, struct lw_error *err);

/* Write c over DIR/config.yaml, with two more comment lines: what was done ("started"), when, where
 * and by which version, and this process's command line. */
LW_NODISCARD int lw_run_save_config(struct lw_config *c, const char *dir, const char *what,
                                    struct lw_error *err);

/* Take the lock for this process, and for no child of it (the descriptor closes on exec). LW_EBUSY
 * names the holder ("process 4711 on box"). Held until close(*fd) or the process's end, however
 * it ends. */
LW_NODISCARD int lw_run_lock(const char *dir, int *fd, struct lw_error *err);

/* Does a process hold the lock? Never takes it. 1, 0 (also where there is no such folder), or a
 * negative code: it cannot be told. */
int lw_run_alive(const char *dir, struct lw_error *err);

/* What a person gave for a run: a folder, or a name (or its unique beginning or end) under
 * runs_dir; NULL: the newest there. *dir is freed by the caller. LW_EUSAGE says what was not
 * found, with the nearest name. */
LW_NODISCARD int lw_run_find(const char *runs_dir, const char *what, char **dir,
                             struct lw_error *err);

/* Is path a folder that a run lives in (it has config.yaml, metrics.csv or status.json)? */
bool lw_run_is_folder(const char *path);

struct lw_run_info {
    char *dir;               /* path, raw: for opening, not for showing */
    char name[128];          /* last part of dir, cleaned for showing */
    bool alive;              /* by the lock */
    struct lw_status status; /* state is LW_STATE_LOST where it says alive and the lock does not */
    bool has_status;         /* false: missing or damaged, status holds only defaults */
};

struct lw_run_list {
    struct lw_run_info *item; /* newest first */
    int count;
};

/* Fill in alive, status and has_status of run->dir, as they are now. */
void lw_run_look(struct lw_run_info *run);

/* All runs in a folder of runs. A folder that is missing gives an empty list. */
LW_NODISCARD int lw_run_list(const char *runs_dir, struct lw_run_list *list, struct lw_error *err);
void lw_run_list_free(struct lw_run_list *list);

#endif

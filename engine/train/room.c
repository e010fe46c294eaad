/* SPDX-License-Identifier: MIT
 *
 * Room on the disk: how much a checkpoint takes and how much there is, and patience with a disk
 * that is full when a run ends. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/run/folder.h"
#include "engine/train/rank.h"

#define END_S   3600.0 /* for so long all the work is kept for a disk that is full, */
#define STOP_S  600.0  /* and for so long when somebody waits for the end */
#define PAUSE_S 60.0   /* at most between two attempts while nothing seems to change */
#define TICK_US 200000
#define BESIDE  (64 << 10) /* bytes of small files in a checkpoint */

struct room {
    uint64_t needed, free; /* bytes */
    bool known;
};

/* Weights and two moments as fp32, whatever the run computes in. */
static struct room look(const struct lw_rank *r)
{
    struct room room = {.needed = 12 * (uint64_t)lw_model_params(r->model)->exist + BESIDE};
    char *root = lw_path_join(r->dir, LW_RUN_CHECKPOINTS);
    struct statvfs disk;

    room.known = (root && statvfs(root, &disk) == 0) || statvfs(r->dir, &disk) == 0;
    if (room.known)
        room.free = (uint64_t)disk.f_bavail * disk.f_frsize;
    free(root);
    return room;
}

static bool is_short(const struct room *room)
{
    return room->known && room->free < room->needed;
}

static void put_bytes(uint64_t bytes, char *out, size_t size)
{
    if (bytes < 1000000000)
        snprintf(out, size, "%.1f MB", (double)bytes * 1e-6);
    else
        snprintf(out, size, "%.1f GB", (double)bytes * 1e-9);
}

static void put_room(const struct lw_rank *r, const struct room *room, char *out, size_t size)
{
    char needed[32], left[32];

    put_bytes(room->needed, needed, sizeof needed);
    put_bytes(room->free, left, sizeof left);
    snprintf(out, size, "it takes %s, %s are free in %s", needed, left, r->dir);
}

void lw_rank_refusal(const struct lw_rank *r, char *out, size_t size)
{
    struct room room = look(r);

    if (is_short(&room))
        put_room(r, &room, out, size);
    else
        snprintf(out, size, "%s", r->refusal.text);
}

void lw_rank_look_for_room(struct lw_rank *r)
{
    struct room room = look(r);
    char text[1024];

    if (r->rank || !is_short(&room))
        return;
    put_room(r, &room, text, sizeof text);
    lw_events_add(r->events, LW_EVENT_WARN,
                  "no room for a checkpoint: %s; training begins all the same", text);
}

static double patience(bool stopping)
{
    const char *text = getenv("LEEWAY_DISK_SECONDS");
    double s = text ? strtod(text, NULL) : 0.0;

    return s > 0.0 && s < 1e9 ? s : stopping ? STOP_S : END_S;
}

enum next { WAIT, TRY, LAST_TRY };

struct wait {
    double until, again, pause; /* until when, when to try next, and how long after that */
    bool stopping;              /* it waits because it was asked to stop */
    bool was_short;
};

/* Rank 0's mind: what comes next? */
static enum next decide(struct lw_rank *r, struct wait *w)
{
    struct room room = look(r);
    double now = lw_clock_now();
    bool room_again = w->was_short && !is_short(&room);
    char text[sizeof r->refusal.text], note[sizeof((struct lw_status *)0)->note];

    if (w->stopping ? lw_rank_asked_again(r) : r->finishing)
        return LAST_TRY;
    if (now >= w->until)
        return LAST_TRY;
    w->was_short = is_short(&room);
    if (room_again || now >= w->again || r->saved_step == r->state.step) {
        w->pause = w->pause * 2 < PAUSE_S ? w->pause * 2 : PAUSE_S;
        w->again = now + w->pause;
        return TRY;
    }
    lw_rank_refusal(r, text, sizeof text);
    snprintf(note, sizeof note, "no last checkpoint yet: %.*s", (int)sizeof note - 32, text);
    lw_rank_progress(r, w->stopping ? LW_STATE_STOPPING : LW_STATE_RUNNING, note, false);
    return WAIT;
}

/* A moment that does not count as run time. */
static void rest(struct lw_rank *r)
{
    double start = lw_clock_now();

    usleep(TICK_US);
    r->began += lw_clock_now() - start;
    r->mark += lw_clock_now() - start;
}

/* All ranks go through it; rank 0 watches, the others wait for its word. */
static int wait_for_room(struct lw_rank *r, struct wait *w, bool *last, struct lw_error *err)
{
    int word = WAIT, rc = 0;

    while (!rc && word == WAIT) {
        if (!r->rank)
            rest(r);
        if (!w->stopping)
            rc = lw_rank_commands(r, err);
        if (!rc && !r->rank)
            word = (int)decide(r, w);
        if (!rc)
            rc = lw_rank_agree(r, &word, err);
    }
    *last = word == LAST_TRY;
    return rc;
}

static void tell(struct lw_rank *r, const struct wait *w, double seconds)
{
    char text[sizeof r->refusal.text];

    lw_rank_refusal(r, text, sizeof text);
    lw_events_add(r->events, LW_EVENT_ERROR,
                  "waiting up to %.0f %s for the disk to take the last checkpoint: %s; a%s stop "
                  "ends that",
                  seconds < 120 ? seconds : seconds / 60, seconds < 120 ? "s" : "min", text,
                  w->stopping ? " second" : "");
}

int lw_rank_save_at_last(struct lw_rank *r, const char *why, const char *done, struct lw_error *err)
{
    struct wait w = {.stopping = r->finishing, .pause = 0.5};
    char text[sizeof err->text], kept[96] = "there is no other one";
    bool saved = false, last = false;
    int rc = lw_rank_save(r, why, &saved, err);

    if (!rc && !saved) {
        w.again = lw_clock_now() + w.pause;
        w.until = lw_clock_now() + patience(w.stopping);
        tell(r, &w, patience(w.stopping));
    }
    while (!rc && !saved && !last) {
        rc = wait_for_room(r, &w, &last, err);
        if (!rc)
            rc = lw_rank_save(r, why, &saved, err);
    }
    if (rc || saved)
        return rc;
    lw_rank_refusal(r, text, sizeof text);
    if (r->saved_step)
        snprintf(kept, sizeof kept,
                 "step-%06" PRIu64 " is the last good one, from which leeway resume goes on",
                 r->saved_step);
    return lw_fail(err, LW_EIO, "%s, but the checkpoint could not be written: %s; %s", done, text,
                   kept);
}

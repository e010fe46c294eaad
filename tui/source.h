/* SPDX-License-Identifier: MIT
 *
 * One thing that is looked at: a run folder, or any CSV file with a header. A source follows its
 * files as they grow and keeps a pyramid for each column, the newest events, and how the run
 * stands. All text in it is cleaned.
 */
#ifndef LW_TUI_SOURCE_H
#define LW_TUI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/run/status.h"
#include "tui/drift.h"
#include "tui/notices.h"
#include "tui/pyramid.h"

enum {
    LW_SOURCE_EVENTS = 512,     /* events kept */
    LW_SOURCE_TEXT = 384,       /* bytes of an event's text kept */
    LW_SOURCE_MEMORY = 6 << 20, /* bytes of buckets, all sources of a console together */
};

/* What rows can be laid out by. */
enum lw_by { LW_BY_STEP, LW_BY_EPOCH, LW_BY_TIME, LW_BYS };

struct lw_track {
    char name[96];
    struct lw_pyramid data; /* over the base axis: step, else epoch, else the row's number */
    bool text;              /* has had a cell that is no number, and no number yet */
};

struct lw_happening {
    char time[40];
    int level; /* 0 info, 1 warn, 2 alert, 3 error */
    char *text;
};

/* How a run stands, for showing; of a CSV only has_status = false. */
struct lw_standing {
    bool has_status;
    bool alive;  /* somebody holds the run's lock */
    bool active; /* starting, running, paused or stopping */
    bool paused, failed, ended;
    enum lw_run_state code;
    char state[16];   /* its name: "running" */
    int64_t step, of; /* of: 0 when not known */
    int64_t best_step;
    double epoch, eta, time, throughput; /* NaN: not known */
    double mfu;                          /* 0 to 1 */
    struct lw_status_gpu gpu;
    int ranks;                               /* entries of rank_throughput */
    double rank_throughput[LW_STATUS_RANKS]; /* NaN: not known */
    int slowest;                             /* rank; -1: not known */
    double updated;                          /* wall clock, seconds since 1970 */
    char device[128], host[64], note[160], error[1024];
};

struct lw_source {
    char *path; /* folder or file, raw: for opening, not for showing */
    char name[128];
    bool run;         /* a run folder */
    const char *unit; /* of a run: what it counts a second, "tok" or "img" */
    bool network;     /* on a file system where inotify says nothing */
    bool loading;     /* the first read is not through */
    struct lw_csv *csv;
    struct lw_track *track;
    int tracks;
    int by[LW_BYS]; /* column of step, epoch, time; -1: none */
    double base;    /* x of the newest row */
    int64_t rows;
    int generation; /* grows when the columns are new: whoever kept an index looks it up again */
    size_t limit;   /* bytes of buckets */
    struct lw_standing standing;
    struct lw_drift *drift; /* of a run; NULL of a CSV */
    struct lw_event_tail *tail;
    struct lw_happening *event; /* ring */
    int events, event_first;
    int64_t events_seen, acknowledged; /* in all, and how many of them */
    struct lw_notices notices;         /* of the guard */
    int64_t status_stamp;              /* of the file that standing was read from, nanoseconds */
    char problem[256];                 /* why it cannot be read just now; empty: it can */
};

/* Begin to follow path, sharing memory with sources - 1 others. LW_EUSAGE when there is no such
 * file or folder, or it is a folder without a run in it. */
LW_NODISCARD int lw_source_open(struct lw_source **out, const char *path, int sources,
                                struct lw_error *err);
void lw_source_close(struct lw_source *s);

enum lw_source_change {
    LW_CHANGED_DATA = 1,
    LW_CHANGED_STANDING = 2,
    LW_CHANGED_EVENTS = 4,
    LW_CHANGED_COLUMNS = 8,
    LW_CHANGED_DRIFT = 32,
    LW_MORE = 16, /* there is more to read: poll again soon */
};

/* Read what is new, at most about max_bytes of the CSV (0: all). Returns LW_CHANGED_... bits; what
 * goes wrong is in s->problem. */
unsigned lw_source_poll(struct lw_source *s, size_t max_bytes);

/* The name without the date that it begins with, where it does: "1630-gpt-small". */
const char *lw_source_short_name(const struct lw_source *s);

/* The track of a column by its name, NULL where there is none. */
struct lw_track *lw_source_track(const struct lw_source *s, const char *name);

/* Event i, 0 the oldest that is kept. */
const struct lw_happening *lw_source_event(const struct lw_source *s, int i);

/* The newest alert that nobody has acknowledged yet, NULL for none; and take them all for seen,
 * the notices too. */
const struct lw_happening *lw_source_alert(const struct lw_source *s);
void lw_source_acknowledge(struct lw_source *s);

/* Is there anything to acknowledge? */
bool lw_source_waits(const struct lw_source *s);

/* Can it be laid out by this? By step always: where there is no such column, by row. */
bool lw_source_has(const struct lw_source *s, enum lw_by by);

/* The word for an axis of this source: "step", "epoch", "row", "time". */
const char *lw_source_by_name(const struct lw_source *s, enum lw_by by);

/* Walks along the base axis, turning x into epochs or seconds. Cheap while x grows. */
struct lw_walk {
    const struct lw_pyramid *along; /* NULL: x itself */
    size_t at;
    double last;
};

void lw_walk_init(struct lw_walk *w, const struct lw_source *s, enum lw_by by);
double lw_walk(struct lw_walk *w, double x);

#endif

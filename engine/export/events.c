/* SPDX-License-Identifier: MIT */
#include "engine/export/events.h"

#include <stdlib.h>

#include "engine/export/events.pb-c.h"
#include "engine/export/record.h"

static void put(struct lw_event_file *f, const Lw__Events__Event *event)
{
    size_t size = lw__events__event__get_packed_size(event);

    if (size > f->room && !f->failed) {
        free(f->buffer);
        f->buffer = malloc(size * 2);
        f->room = f->buffer ? size * 2 : 0;
        f->failed = !f->buffer;
    }
    if (f->failed)
        return;
    lw__events__event__pack(event, f->buffer);
    lw_record_write(f->out, f->buffer, size);
}

void lw_event_begin(struct lw_event_file *f, FILE *out, double wall_time)
{
    Lw__Events__Event event = LW__EVENTS__EVENT__INIT;
    char version[] = "brain.Event:2";

    *f = (struct lw_event_file){.out = out};
    event.has_wall_time = 1;
    event.wall_time = wall_time;
    event.file_version = version;
    put(f, &event);
}

static void put_summary(struct lw_event_file *f, double wall_time, int64_t step,
                        Lw__Events__Value **value, size_t count)
{
    Lw__Events__Event event = LW__EVENTS__EVENT__INIT;
    Lw__Events__Summary summary = LW__EVENTS__SUMMARY__INIT;

    summary.n_value = count;
    summary.value = value;
    event.has_wall_time = event.has_step = 1;
    event.wall_time = wall_time;
    event.step = step;
    event.summary = &summary;
    put(f, &event);
}

void lw_event_scalars(struct lw_event_file *f, double wall_time, int64_t step,
                      const struct lw_event_scalar *list, int count)
{
    Lw__Events__Value *value = calloc((size_t)count + 1, sizeof *value);
    Lw__Events__Value **each = calloc((size_t)count + 1, sizeof *each);

    f->failed |= !value || !each;
    for (int i = 0; i < count && !f->failed; i++) {
        lw__events__value__init(&value[i]);
        value[i].tag = (char *)(uintptr_t)list[i].tag;
        value[i].has_simple_value = 1;
        value[i].simple_value = list[i].value;
        each[i] = &value[i];
    }
    if (count && !f->failed)
        put_summary(f, wall_time, step, each, (size_t)count);
    free(value);
    free(each);
}

void lw_event_histogram(struct lw_event_file *f, double wall_time, int64_t step,
                        const struct lw_event_histogram *h)
{
    Lw__Events__Value value = LW__EVENTS__VALUE__INIT, *each[1] = {&value};
    Lw__Events__Histogram histo = LW__EVENTS__HISTOGRAM__INIT;
    double *count = calloc((size_t)h->bins, sizeof *count);

    f->failed |= !count;
    for (int i = 0; i < h->bins && count; i++)
        histo.num += count[i] = (double)h->count[i];
    histo.has_min = histo.has_max = histo.has_num = histo.has_sum = histo.has_sum_squares = 1;
    histo.min = h->edge[0];
    histo.max = h->edge[h->bins];
    histo.sum = h->sum;
    histo.sum_squares = h->sum_squares;
    histo.n_bucket = histo.n_bucket_limit = (size_t)h->bins;
    histo.bucket = count;
    histo.bucket_limit = (double *)(uintptr_t)(h->edge + 1);
    value.tag = (char *)(uintptr_t)h->tag;
    value.histo = &histo;
    if (!f->failed)
        put_summary(f, wall_time, step, each, 1);
    free(count);
}

void lw_event_end(struct lw_event_file *f)
{
    free(f->buffer);
    f->buffer = NULL;
    f->room = 0;
}

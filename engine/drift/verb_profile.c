/* SPDX-License-Identifier: MIT
 *
 * leeway-engine profile DATA: what a data set looks like, as a file that drift is measured with. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/dataset.h"
#include "engine/data/items.h"
#include "engine/data/tokenizer.h"
#include "engine/drift/documents.h"
#include "engine/drift/settings.h"
#include "engine/drift/windows.h"
#include "engine/usage.h"
#include "engine/verbs.h"

#define PART ((int64_t)1 << 18) /* tokens read at a time */

static const char *const keys[] = {"tokenizer",   "document_separator", "max_seq_len",
                                   "length_bins", "length_max",         "profile_items",
                                   "drift_mode",  "image_size",         NULL};

static int read_all(const struct lw_dataset *data, struct lw_documents *d, struct lw_error *err)
{
    int64_t total = lw_dataset_info(data)->tokens;
    int32_t *ids = malloc((size_t)PART * sizeof *ids);
    int rc = ids ? 0 : lw_fail(err, LW_EMEM, "out of memory");

    for (int64_t at = 0; !rc && at < total && !lw_documents_full(d); at += PART) {
        int64_t n = total - at < PART ? total - at : PART;

        if (!(rc = lw_dataset_read(data, at, n, ids, err)))
            rc = lw_documents_add(d, ids, (size_t)n, err);
    }
    if (!rc)
        rc = lw_documents_end(d, err);
    free(ids);
    return rc;
}

static int write_out(const struct lw_profile *p, const char *path, lw_profile_namer *name,
                     struct lw_tokenizer *t, struct lw_error *err)
{
    char *text;
    size_t size;
    int rc;

    if (path) {
        if ((rc = lw_profile_save(p, path, name, t, err)))
            return rc;
        if (p->modality == LW_VISION) {
            printf("%s: %" PRIu64 " images, channel means %.3f %.3f %.3f\n", path, p->items,
                   lw_profile_channel_mean(p, 0), lw_profile_channel_mean(p, 1),
                   lw_profile_channel_mean(p, 2));
            return 0;
        }
        printf("%s: %" PRIu64 " documents of %.1f tokens in the mean, %" PRIu64 " tokens, %" PRIu32
               " different ones\n",
               path, p->items, lw_profile_length_mean(p), p->text.tokens.total,
               lw_tally_distinct(&p->text.tokens));
        return 0;
    }
    if ((rc = lw_profile_write(p, name, t, &text, &size, err)))
        return rc;
    if (fwrite(text, 1, size, stdout) != size || fflush(stdout))
        rc = lw_fail_errno(err, "cannot write the profile");
    free(text);
    return rc;
}

/* Images and their labels, one after another, as a run sees them before it normalises them. */
static int read_images(const struct lw_items *data, struct lw_profile *p, struct lw_error *err)
{
    const struct lw_items_info *info = lw_items_info(data);
    void *row = malloc(lw_items_row(data));
    const struct lw_images one = {.pixels = row,
                                  .count = 1,
                                  .channels = 3,
                                  .height = info->image_size,
                                  .width = info->image_size,
                                  .bytes = 1,
                                  .planar = true};
    int rc = row ? 0 : lw_fail(err, LW_EMEM, "out of memory");

    for (int64_t i = 0; !rc && i < info->items && (!p->limit || p->items < p->limit); i++) {
        int32_t label;

        if (!(rc = lw_items_read(data, i, row, &label, err)) &&
            !(rc = lw_profile_images(p, &one, err)))
            rc = lw_profile_outputs(p, LW_OUTPUT_LABELS, &label, 1, err);
    }
    free(row);
    return rc;
}

static int profile_images(const struct lw_config *c, const char *path, const char *out,
                          struct lw_error *err)
{
    const struct lw_items_options o = {.data = path, .image_size = c->image_size};
    struct lw_profile_options options;
    struct lw_items *data = NULL;
    struct lw_profile p = {0};
    int rc;

    lw_profile_options_from(&options, c);
    options.modality = LW_VISION;
    if (!(rc = lw_images_open(&o, &data, NULL, err)) &&
        !(rc = lw_profile_init(&p, &options, err)) && !(rc = read_images(data, &p, err)))
        rc = write_out(&p, out, NULL, NULL, err);
    lw_profile_fini(&p);
    lw_items_close(data);
    return rc;
}

static int profile(const struct lw_config *c, const char *path, const char *out,
                   struct lw_error *err)
{
    struct lw_dataset_options read = {.document_separator = c->document_separator};
    struct lw_profile_options options;
    struct lw_tokenizer *t = NULL;
    struct lw_dataset *data = NULL;
    struct lw_documents d = {0};
    struct lw_profile p = {0};
    bool ours;
    int rc;

    lw_profile_options_from(&options, c);
    if ((rc = lw_tokenizer_open(&t, c->tokenizer, err)) ||
        (rc = lw_dataset_open(&data, path, t, &read, err)) ||
        (rc = lw_profile_init(&p, &options, err)) ||
        (rc = lw_documents_init(&d, &p, lw_dataset_info(data)->separator, err)) ||
        (rc = read_all(data, &d, err)))
        goto out;
    /* Ids of a shard are another tokenizer's, unless one was named for it. */
    ours = !lw_dataset_info(data)->shards || lw_config_origin(c, "tokenizer") == LW_ORIGIN_ARGUMENT;
    rc = write_out(&p, out, ours ? lw_token_text : NULL, t, err);
out:
    lw_documents_fini(&d);
    lw_profile_fini(&p);
    lw_dataset_close(data);
    lw_tokenizer_close(t);
    return rc == LW_EMISSING ? profile_images(c, path, out, err) : rc;
}

int lw_verb_profile(int argc, char **argv)
{
    static const char usage[] = "usage: profile DATA [key=value ...] [-o FILE.json]\n";
    static const struct option words[] = {{"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *out = NULL;
    struct lw_error err = {0};
    struct lw_config c;
    int o, rc;

    optind = 1;
    while ((o = lw_usage_option(argc, argv, "o:h", words)) != -1) {
        if (o == 'h')
            return fputs(usage, stdout) < 0;
        if (o != 'o')
            return fputs(usage, stderr), 2;
        out = optarg;
    }
    if (optind >= argc || strchr(argv[optind], '='))
        return lw_usage_end(
            lw_fail(&err, LW_EUSAGE, "profile needs a file or folder of data first"), &err);
    rc = lw_config_init(&c, &err);
    if (!rc)
        rc = lw_drift_words(&c, argv + optind + 1, argc - optind - 1, keys, "profile", &err);
    if (!rc)
        rc = profile(&c, argv[optind], out, &err);
    lw_config_fini(&c);
    return lw_usage_end(rc, &err);
}

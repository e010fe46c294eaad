/* SPDX-License-Identifier: MIT */
#include "engine/data/sniff.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/data/files.h"
#include "engine/data/table.h"

#define HEAD         65536 /* of a file that is looked at */
#define CIFAR_LABELS 16    /* labels that must all be small before bytes are taken for CIFAR */

struct magic {
    const char *bytes;
    size_t n;
    const char *is; /* what it is and what to do; NULL: an image */
};

/* llm.c's other files begin with numbers of its own, little endian. */
static const struct magic magics[] = {
    {"\x89PNG\r\n\x1a\n", 8, NULL},
    {"\xff\xd8\xff", 3, NULL},
    {"GIF8", 4, NULL},
    {"\x8a\xd8\x34\x01", 4, "an llm.c evaluation file, not a token shard"},
    {"\xc8\xd7\x34\x01", 4, "an llm.c tokenizer file, not a token shard"},
    {"\xc6\xd7\x34\x01", 4, "an llm.c model, not data"},
    {"\x8f\xd8\x34\x01", 4, "an llm.c training state, not data"},
    {"\x01\x34\xd8\x88", 4, "a token shard in big-endian byte order: write it little-endian"},
    {"\x1f\x8b", 2, "compressed (gzip): unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, "compressed (zstd): unpack it first"},
    {"\xfd"
     "7zXZ",
     5, "compressed (xz): unpack it first"},
    {"BZh", 3, "compressed (bzip2): unpack it first"},
    {"PK\x03\x04", 4, "a zip archive: unpack it first"},
    {"PAR1", 4, "a Parquet file: convert it to JSONL or text first"},
    {"ARROW1", 6, "an Arrow file: convert it to JSONL or text first"},
    {"FEA1", 4, "a Feather file: convert it to JSONL or text first"},
    {"Obj\x01", 4, "an Avro file: convert it to JSONL or text first"},
    {"SQLite format 3", 16, "a SQLite database: export its texts to JSONL or CSV first"},
    {"\x89HDF", 4, "an HDF5 file: convert it to JSONL or text first"},
    {"\x93NUMPY", 6, "a NumPy file: convert it to JSONL, text or a token shard first"},
    {"%PDF-", 5, "a PDF: convert it to text first"},
    {"\x7f"
     "ELF",
     4, "a program, not data"},
    {"\xff\xfe", 2, "UTF-16 text: convert it to UTF-8 first"},
    {"\xfe\xff", 2, "UTF-16 text: convert it to UTF-8 first"},
};

struct head {
    unsigned char bytes[HEAD + 1]; /* ends in a NUL */
    size_t n;
    int64_t size; /* of the file */
};

static int read_head(const char *path, struct head *h, struct lw_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t got;

    if (fd < 0)
        return lw_fail_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) < 0 || (got = read(fd, h->bytes, HEAD)) < 0) {
        lw_fail_errno(err, "cannot read %s", path);
        close(fd);
        return LW_EIO;
    }
    close(fd);
    h->n = (size_t)got;
    h->bytes[h->n] = 0;
    h->size = st.st_size;
    return 0;
}

static int64_t big_endian(const unsigned char *p)
{
    return (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* IDX: two zeros, the type of a byte, the number of dimensions, the dimensions. */
static int is_idx(const struct head *h)
{
    int64_t product = 1, header;

    if (h->n < 8 || h->bytes[0] || h->bytes[1] || h->bytes[2] != 8 || h->bytes[3] < 1 ||
        h->bytes[3] > 4)
        return 0;
    header = 4 + 4 * (int64_t)h->bytes[3];
    for (int64_t at = 4; at < header && at + 4 <= (int64_t)h->n; at += 4) {
        product *= big_endian(h->bytes + at);
        if (product > h->size)
            return 0;
    }
    return product + header == h->size;
}

/* CIFAR binary: records of one or two labels and 3072 bytes. */
static int is_cifar(const struct head *h)
{
    int64_t record = h->size % 3073 == 0 ? 3073 : 3074;
    int64_t top = record == 3073 ? 10 : 20;

    if (h->size % record || h->size / record < 8)
        return 0;
    for (int64_t at = 0, seen = 0; at + 1 < (int64_t)h->n && seen < CIFAR_LABELS;
         at += record, seen++)
        if (h->bytes[at] >= top || (record == 3074 && h->bytes[at + 1] >= 100))
            return 0;
    return 1;
}

static int is_image(const char *path, const struct head *h)
{
    return is_idx(h) || (lw_path_ends(path, ".bin") && is_cifar(h));
}

/* Does the file begin with a line that is one JSON object? */
static int is_jsonl(const char *path, const struct head *h)
{
    const char *p = (const char *)h->bytes, *end;
    json_t *object;
    size_t n;

    if (lw_path_ends(path, ".jsonl") || lw_path_ends(path, ".ndjson"))
        return 1;
    p += lw_utf8_mark(p, h->n);
    p += strspn(p, " \t\r\n");
    if (*p != '{')
        return 0;
    end = strchr(p, '\n');
    if (!end && h->n == HEAD) /* a first record of more than we looked at: take its word */
        return p[1 + strspn(p + 1, " ")] == '"';
    n = end ? (size_t)(end - p) : strlen(p);
    object = json_loadb(p, n, JSON_ALLOW_NUL, NULL);
    n = json_is_object(object);
    json_decref(object);
    return (int)n;
}

static int find_shard(const char *path, const struct head *h, enum lw_format *format,
                      struct lw_error *err)
{
    struct lw_shard_header header;

    memcpy(&header, h->bytes, sizeof header);
    *format = header.magic == 20240520 ? LW_FORMAT_SHARD16 : LW_FORMAT_SHARD32;
    if (header.version == (*format == LW_FORMAT_SHARD16 ? 1 : 7))
        return 0;
    return lw_fail(err, LW_EDATA,
                   "%s is a token shard of version %d; leeway reads version 1 (uint16) and 7 "
                   "(uint32)",
                   path, header.version);
}

static int images(const char *path, struct lw_error *err)
{
    return lw_fail(err, LW_EMISSING,
                   "%s: these are images, not text: use task=vision_classification", path);
}

static int sniff(const char *path, struct head *h, enum lw_format *format, struct lw_error *err)
{
    int32_t first;
    int rc = read_head(path, h, err);

    if (rc)
        return rc;
    *format = LW_FORMAT_TEXT;
    if (h->n >= sizeof(struct lw_shard_header)) {
        memcpy(&first, h->bytes, sizeof first);
        if (first == 20240520 || first == 20240801)
            return find_shard(path, h, format, err);
    }
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];

        if (h->n < m->n || memcmp(h->bytes, m->bytes, m->n) != 0)
            continue;
        if (m->is && !(m->n < 4 && lw_path_ends(path, ".bin"))) /* two bytes may well be a token */
            return lw_fail(err, LW_EDATA, "%s is %s", path, m->is);
        if (!m->is)
            return images(path, err);
    }
    if (is_image(path, h))
        return images(path, err);
    if (lw_path_ends(path, ".bin") && h->size % 2)
        return lw_fail(err, LW_EDATA,
                       "%s is no token shard: it has no llm.c header, and as uint16 tokens its "
                       "size of %lld bytes would be even",
                       path, (long long)h->size);
    if (lw_path_ends(path, ".bin") && h->size)
        *format = LW_FORMAT_RAW16;
    else if (is_jsonl(path, h))
        *format = LW_FORMAT_JSONL;
    return 0;
}

static int is_tokens(enum lw_format f)
{
    return f == LW_FORMAT_SHARD16 || f == LW_FORMAT_SHARD32 || f == LW_FORMAT_RAW16;
}

/* In a folder of token files, other files (a script, the text they were made from) are left out. */
static int keep_tokens(struct lw_token_source *s, struct lw_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (!is_tokens(s->format[i])) {
            free(s->path[i]);
            s->ignored++;
            continue;
        }
        s->path[kept] = s->path[i];
        s->format[kept++] = s->format[i];
    }
    s->count = kept;
    for (size_t i = 1; i < kept; i++)
        if (s->format[i] != s->format[0])
            return lw_fail(err, LW_EDATA,
                           "%s and %s are token files of different kinds: put them in folders of "
                           "their own",
                           s->path[0], s->path[i]);
    return 0;
}

static int sniff_all(struct lw_token_source *s, struct lw_error *err)
{
    struct head *h = malloc(sizeof *h);
    struct lw_error later = {0};
    int tokens = 0, rc = 0;

    s->format = calloc(s->count, sizeof *s->format);
    if (!h || !s->format) {
        free(h);
        return lw_fail(err, LW_EMEM, "out of memory looking at %s", s->path[0]);
    }
    for (size_t i = 0; !rc && i < s->count; i++) {
        struct lw_error one = {0};

        rc = sniff(s->path[i], h, &s->format[i], &one);
        if (rc && !later.code)
            later = one;
        if (s->folder && rc == LW_EDATA && !lw_path_ends(s->path[i], ".bin"))
            rc = 0; /* no harm when it stands beside token files */
        tokens |= is_tokens(s->format[i]) && one.code == 0;
        if (one.code == 0 && !is_tokens(s->format[i]) && !s->note[0])
            lw_table_note(s->path[i], (const char *)h->bytes, h->n, s->format[i] == LW_FORMAT_JSONL,
                          s->note, sizeof s->note);
    }
    free(h);
    if (!rc && tokens)
        return keep_tokens(s, err);
    if (later.code && err)
        *err = later;
    return later.code;
}

int lw_token_source_open(struct lw_token_source *out, const char *path, struct lw_error *err)
{
    struct lw_token_source s = {0};
    struct lw_files files;
    int rc = lw_files_list(&files, path, err);

    if (rc)
        return rc;
    s.path = files.path;
    s.count = files.count;
    s.folder = files.folder;
    rc = s.count ? sniff_all(&s, err) : lw_fail(err, LW_EDATA, "folder %s holds no files", path);
    if (rc)
        lw_token_source_close(&s);
    else
        *out = s;
    return rc;
}

void lw_token_source_close(struct lw_token_source *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->path[i]);
    free(s->path);
    free(s->format);
}

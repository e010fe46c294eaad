/* SPDX-License-Identifier: MIT */
#include "engine/data/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/hash.h"

#define VERSION 1 /* of the layout and of what decides the ids */
#define ASIDE   ".writing-"

static const char magic[8] = {'l', 'w', 't', 'o', 'k', 'e', 'n', 's'};

static int scratch(void)
{
    const char *dir = getenv("TMPDIR");
    char *path = lw_path_join(dir && *dir ? dir : "/tmp", ASIDE "XXXXXX");
    int fd = path ? mkostemp(path, O_CLOEXEC) : -1;

    if (fd >= 0)
        unlink(path);
    else
        fd = memfd_create("tokens", MFD_CLOEXEC);
    free(path);
    return fd;
}

static FILE *stream(int fd)
{
    FILE *f = fd >= 0 ? fdopen(fd, "w+") : NULL;

    if (!f && fd >= 0)
        close(fd);
    if (f)
        setvbuf(f, NULL, _IOFBF, 1 << 18);
    return f;
}

int lw_cache_create(struct lw_cache_file *c, const char *dir, uint64_t key, int width,
                    struct lw_error *err)
{
    memset(c, 0, sizeof *c);
    memcpy(c->header.magic, magic, sizeof magic);
    c->header.version = VERSION;
    c->header.width = (uint32_t)width;
    c->header.key = key;
    c->header.max_id = -1;
    c->where = dir ? dir : "the folder for temporary files";
    if (dir) {
        c->aside = lw_path_join(dir, ASIDE "XXXXXX");
        c->tokens = c->aside ? stream(mkostemp(c->aside, O_CLOEXEC)) : NULL;
    } else {
        c->tokens = stream(scratch());
    }
    if (c->tokens)
        c->documents = stream(scratch());
    if (!c->tokens || !c->documents) {
        lw_fail_errno(err, "cannot write tokens in %s", c->where);
        if (!c->tokens && c->aside) {
            free(c->aside); /* it was never made */
            c->aside = NULL;
        }
        lw_cache_discard(c);
        return LW_EIO;
    }
    fwrite(&c->header, sizeof c->header, 1, c->tokens); /* room; the real one comes at the end */
    return 0;
}

static void note_failure(struct lw_cache_file *c)
{
    if (!c->failed && (ferror(c->tokens) || ferror(c->documents)))
        c->failed = errno ? errno : EIO;
}

void lw_cache_put(struct lw_cache_file *c, const uint32_t *ids, size_t n, int first)
{
    uint16_t narrow[1024];

    if (first) {
        uint64_t at = (uint64_t)c->header.tokens;

        fwrite(&at, sizeof at, 1, c->documents);
        c->header.documents++;
    }
    c->header.tokens += (int64_t)n;
    for (size_t i = 0; i < n; i++)
        c->header.max_id = ids[i] > c->header.max_id ? ids[i] : c->header.max_id;
    if (c->header.width == 4)
        fwrite(ids, sizeof *ids, n, c->tokens);
    for (size_t at = 0; c->header.width == 2 && at < n;) {
        size_t some = n - at < 1024 ? n - at : 1024;

        for (size_t i = 0; i < some; i++)
            narrow[i] = (uint16_t)ids[at + i];
        fwrite(narrow, sizeof *narrow, some, c->tokens);
        at += some;
    }
    note_failure(c);
}

int lw_cache_check(const struct lw_cache_file *c, struct lw_error *err)
{
    if (!c->failed)
        return 0;
    errno = c->failed;
    return lw_fail_errno(err, "cannot write tokens in %s", c->where);
}

static void append_documents(struct lw_cache_file *c)
{
    size_t used = (size_t)(c->header.tokens * c->header.width) + sizeof c->header, n;
    char block[4096] = {0};

    fwrite(block, 1, (8 - used % 8) % 8, c->tokens);
    rewind(c->documents);
    while ((n = fread(block, 1, sizeof block, c->documents)) > 0)
        fwrite(block, 1, n, c->tokens);
    c->header.check = lw_hash(&c->header, offsetof(struct lw_cache_header, check), VERSION);
    rewind(c->tokens);
    fwrite(&c->header, sizeof c->header, 1, c->tokens);
    fflush(c->tokens);
    note_failure(c);
}

/* Map a whole token file. */
static int map(struct lw_store *s, int fd, uint64_t key, int width)
{
    struct lw_cache_header h;
    struct lw_error ignored;
    struct stat st;
    int64_t ids, size;
    char *p;

    if (fstat(fd, &st) < 0 || pread(fd, &h, sizeof h, 0) != sizeof h ||
        memcmp(h.magic, magic, sizeof magic) || h.version != VERSION || h.key != key ||
        h.width != (uint32_t)width || h.tokens < 0 || h.documents < 0 ||
        h.check != lw_hash(&h, offsetof(struct lw_cache_header, check), VERSION))
        return 0;
    ids = (int64_t)((sizeof h + (size_t)(h.tokens * width) + 7) / 8 * 8);
    size = ids + h.documents * 8;
    if (st.st_size != size)
        return 0;
    p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return 0;
    s->map = p;
    s->map_size = (size_t)size;
    s->width = width;
    s->document = (const uint64_t *)(const void *)(p + ids);
    s->info.documents = h.documents;
    s->info.invalid_bytes = h.invalid_bytes;
    s->info.max_id = h.max_id;
    return lw_store_add(s, h.tokens, p + sizeof h, -1, 0, NULL, &ignored) == 0;
}

int lw_cache_finish(struct lw_cache_file *c, const char *path, struct lw_store *s,
                    struct lw_error *err)
{
    append_documents(c);
    if (!c->failed && c->aside && fdatasync(fileno(c->tokens)) < 0)
        c->failed = errno;
    if (!c->failed && c->aside) {
        if (rename(c->aside, path) < 0) {
            c->failed = errno;
        } else {
            free(c->aside);
            c->aside = NULL;
        }
    }
    if (c->failed)
        return lw_cache_check(c, err);
    if (!map(s, fileno(c->tokens), c->header.key, (int)c->header.width))
        return lw_fail_errno(err, "cannot map the tokens");
    return 0;
}

void lw_cache_discard(struct lw_cache_file *c)
{
    if (c->tokens)
        fclose(c->tokens);
    if (c->documents)
        fclose(c->documents);
    if (c->aside)
        unlink(c->aside);
    free(c->aside);
    memset(c, 0, sizeof *c);
}

int lw_cache_load(struct lw_store *s, const char *path, uint64_t key, int width)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), found;

    if (fd < 0)
        return 0;
    found = map(s, fd, key, width);
    close(fd);
    return found;
}

int lw_cache_lock(const char *dir)
{
    char *path = lw_path_join(dir, ".lock");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;

    free(path);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
        continue;
    return fd;
}

void lw_cache_sweep(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    struct stat st;

    if (!d)
        return;
    while ((entry = readdir(d)))
        if (!strncmp(entry->d_name, ASIDE, strlen(ASIDE)) &&
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - 24 * 60 * 60)
            unlinkat(dirfd(d), entry->d_name, 0);
    closedir(d);
}

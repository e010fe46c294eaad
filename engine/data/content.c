/* SPDX-License-Identifier: MIT
 *
 * The hash that tells contents apart: a tree of hashes of blocks, taken by all threads at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/data/hash.h"
#include "engine/data/stream.h"

#define LEAF    ((int64_t)1 << 20)
#define SAMPLES 1024 /* leaves read of data that is too large to be read whole */

struct leaf {
    uint64_t low, high;
    int error;
};

static int hash_leaf(int fd, int64_t at, int64_t n, unsigned char *buffer, struct leaf *out)
{
    int64_t got = 0;

    while (got < n) {
        ssize_t step = pread(fd, buffer + got, (size_t)(n - got), at + got);

        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return errno;
        if (step == 0)
            break; /* it grew shorter: the hash of what is there */
        got += step;
    }
    out->low = lw_hash(buffer, (size_t)got, 0);
    out->high = lw_hash(buffer, (size_t)got, out->low);
    return 0;
}

/* Every stride-th leaf of a file, and its last. */
static int hash_file(int fd, int64_t size, int64_t stride, struct leaf *whole)
{
    int64_t leaves = (size + LEAF - 1) / LEAF, taken = (leaves + stride - 1) / stride;
    struct leaf *leaf = calloc((size_t)taken + 1, sizeof *leaf);

    if (!leaf)
        return ENOMEM;
#pragma omp parallel if (taken > 4)
    {
        unsigned char *buffer = malloc(LEAF);

#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < taken; i++) {
            int64_t at = (i == taken - 1 ? leaves - 1 : i * stride) * LEAF;

            leaf[i].error =
                buffer ? hash_leaf(fd, at, size - at < LEAF ? size - at : LEAF, buffer, &leaf[i])
                       : ENOMEM;
        }
        free(buffer);
    }
    for (int64_t i = 0; i < taken; i++) {
        if (leaf[i].error)
            whole->error = leaf[i].error;
        whole->low = lw_hash_mix(whole->low ^ leaf[i].low, UINT64_C(0xbb67ae8584caa73b));
        whole->high = lw_hash_mix(whole->high ^ leaf[i].high, UINT64_C(0x3c6ef372fe94f82b));
    }
    free(leaf);
    whole->low = lw_hash_mix(whole->low ^ (uint64_t)size, UINT64_C(0x9e3779b97f4a7c15));
    return whole->error;
}

int lw_content_hash(char *const *paths, size_t count, char hash[33], uint64_t *key, int64_t *bytes,
                    struct lw_error *err)
{
    struct leaf whole = {1, 2, 0};
    int64_t total = 0, stride = 1;
    uint64_t times = 0;
    struct stat st;

    for (size_t i = 0; i < count; i++) {
        if (stat(paths[i], &st) < 0)
            return lw_fail_errno(err, "cannot read %s", paths[i]);
        total += st.st_size;
        times = lw_hash_mix(times ^ (uint64_t)st.st_mtim.tv_sec,
                            (uint64_t)st.st_mtim.tv_nsec ^ UINT64_C(0x9e3779b97f4a7c15));
    }
    if (total > LW_SCAN_LIMIT)
        stride = (total / LEAF + SAMPLES - 1) / SAMPLES;
    else
        times = 0;
    for (size_t i = 0; i < count; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fstat(fd, &st) < 0) {
            lw_fail_errno(err, "cannot open %s", paths[i]);
            if (fd >= 0)
                close(fd);
            return LW_EIO;
        }
        errno = hash_file(fd, st.st_size, stride, &whole);
        close(fd);
        if (errno)
            return lw_fail_errno(err, "cannot read %s", paths[i]);
    }
    snprintf(hash, 33, "%016llx%016llx", (unsigned long long)whole.low,
             (unsigned long long)whole.high);
    *key = lw_hash_mix(whole.low, whole.high ^ UINT64_C(0xa54ff53a5f1d36f1)) ^ times;
    *bytes = total;
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "engine/export/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)

static int finish(EVP_MD_CTX *c, char out[LW_SHA256_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!EVP_DigestFinal_ex(c, digest, &n) || n != 32)
        return -1;
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int refused(struct lw_error *err)
{
    return lw_fail(err, LW_EMISSING, "libcrypto does no SHA-256 here");
}

int lw_sha256(const void *data, size_t size, char out[LW_SHA256_TEXT], struct lw_error *err)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int rc = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) && EVP_DigestUpdate(c, data, size) &&
                     !finish(c, out)
                 ? 0
                 : refused(err);

    EVP_MD_CTX_free(c);
    return rc;
}

/* Everything up to the end of the file. */
static int read_through(EVP_MD_CTX *c, int fd, void *block, const char *path, struct lw_error *err)
{
    for (;;) {
        ssize_t got = read(fd, block, BLOCK);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lw_fail_errno(err, "cannot read %s", path);
        if (!got)
            return 0;
        if (!EVP_DigestUpdate(c, block, (size_t)got))
            return refused(err);
    }
}

int lw_sha256_file(const char *path, char out[LW_SHA256_TEXT], struct lw_error *err)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    void *block = malloc(BLOCK);
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd < 0)
        rc = lw_fail_errno(err, "cannot open %s", path);
    else if (!c || !block)
        rc = lw_fail(err, LW_EMEM, "out of memory");
    else if (!EVP_DigestInit_ex(c, EVP_sha256(), NULL))
        rc = refused(err);
    else if (!(rc = read_through(c, fd, block, path, err)) && finish(c, out))
        rc = refused(err);
    if (fd >= 0)
        close(fd);
    free(block);
    EVP_MD_CTX_free(c);
    return rc;
}

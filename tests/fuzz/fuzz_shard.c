/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/data/dataset.h"
#include "tests/fuzz/fuzz.h"

/* Any file at all as data: it is refused with one line, or every token of it can be read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_tokenizer *t;
    struct lw_error err = {0};
    struct lw_dataset *d = NULL;
    int fd = memfd_create("data", MFD_CLOEXEC);
    char path[64];

    if (fd < 0 || lw_write_all(fd, data, size) < 0 || (!t && lw_tokenizer_open(&t, NULL, &err)))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (lw_dataset_open(&d, path, t, &(struct lw_dataset_options){.threads = 1}, &err)) {
        if (!err.code || !err.text[0] || strchr(err.text, '\n'))
            abort();
    } else {
        const struct lw_dataset_info *info = lw_dataset_info(d);

        for (int64_t at = 0; at < info->tokens; at += 1000) {
            int64_t n = info->tokens - at < 1000 ? info->tokens - at : 1000;
            int32_t ids[1000];

            if (lw_dataset_read(d, at, n, ids, &err) && err.code != LW_EDATA)
                abort();
        }
        for (int64_t i = 1; !info->shards && i <= info->documents; i++)
            if (lw_dataset_document(d, i) <= lw_dataset_document(d, i - 1))
                abort();
        lw_dataset_close(d);
    }
    close(fd);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/generate.h"

#define A_CHUNK 64 /* documents taken of each chunk */

/* make-sample [BYTES [SEED]]: the built-in text on stdout, a document a line. */
int main(int argc, char **argv)
{
    struct lw_generate_options options = {.seed = 42};
    struct lw_generated text = {0};
    struct lw_error err = {0};
    size_t wanted = 65536;
    int rc = 0;

    if (argc > 1)
        wanted = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        options.seed = strtoull(argv[2], NULL, 10);
    if (argc > 3 || !wanted) {
        fprintf(stderr, "usage: make-sample [BYTES [SEED]]\n");
        return 2;
    }
    for (int64_t i = 0; !rc && wanted; i++) {
        text.n = 0;
        rc = lw_generate_document(&options, i / A_CHUNK, i % A_CHUNK, &text, &err);
        if (!rc && printf("%.*s\n", (int)text.n, text.text) < 0)
            break;
        wanted -= text.n + 1 < wanted ? text.n + 1 : wanted;
    }
    free(text.text);
    if (!rc && (ferror(stdout) || fflush(stdout) == EOF)) {
        fprintf(stderr, "make-sample: cannot write: %s\n", strerror(errno));
        return 1;
    }
    if (rc)
        fprintf(stderr, "make-sample: %s\n", err.text);
    return rc ? 1 : 0;
}

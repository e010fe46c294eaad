/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/io.h"

/* A test that cannot even set up its files must not pass: Criterion reports the abort. */
static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "test support: %s: %s\n", what, why);
    abort();
}

const char *test_path(const char *folder, const char *name)
{
    static char ring[8][4096];
    static unsigned next;
    char *out = ring[next++ % 8];

    if (snprintf(out, sizeof ring[0], "%s/%s", folder, name) >= (int)sizeof ring[0])
        give_up(name, "path too long");
    return out;
}

/* Where we were built, unless all of it was carried elsewhere. */
static const char *place(const char *variable, const char *built)
{
    const char *moved = getenv(variable);

    return moved && *moved ? moved : built;
}

const char *test_source(const char *name)
{
    return test_path(place("LEEWAY_TEST_SOURCES", LW_TEST_SOURCES), name);
}

const char *test_built(const char *name)
{
    return test_path(place("LEEWAY_TEST_BUILD", LW_TEST_BUILD), name);
}

/* All that were made, for their removal. */
static struct folder {
    struct folder *before;
    char path[4096];
} * folders;

static void remove_folders(void)
{
    struct lw_error err;

    for (struct folder *f = folders; f; f = folders) {
        if (lw_remove_tree(f->path, &err) < 0)
            fprintf(stderr, "test support: %s\n", err.text);
        folders = f->before;
        free(f);
    }
}

const char *test_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    struct folder *f = malloc(sizeof *f);

    if (!f)
        give_up("folder", "out of memory");
    if (snprintf(f->path, sizeof f->path, "%s/leeway-test-XXXXXX", tmp && *tmp ? tmp : "/tmp") >=
        (int)sizeof f->path)
        give_up("TMPDIR", "path too long");
    if (!mkdtemp(f->path))
        give_up(f->path, "cannot make it");
    if (!folders)
        atexit(remove_folders);
    f->before = folders;
    folders = f;
    return f->path;
}

int test_port(void)
{
    enum { FIRST = 20000, PORTS = 12000 };
    static int calls;

    for (int tries = 0; tries < PORTS; tries++) {
        int port = FIRST + (getpid() * 7 + calls++) % PORTS;
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int rc = bind(fd, (struct sockaddr *)&a, sizeof a);

        close(fd);
        if (!rc)
            return port;
    }
    give_up("port", "none is free");
    return 0;
}

void test_write(const char *path, const char *text)
{
    struct lw_error err;

    if (lw_replace_file(path, text, strlen(text), 0, &err) < 0)
        give_up(path, err.text);
}

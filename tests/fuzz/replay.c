/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/io.h"
#include "engine/base/random.h"

#define LW_LIBFUZZER /* no main() here */
#include "tests/fuzz/fuzz.h"
#include "tests/support.h"

enum { CUTS = 128, DAMAGES = 400 };

/* What was being tried, told when the target crashes. */
static char trying[4200];

static void on_crash(int sig)
{
    if (write(2, trying, strlen(trying)) >= 0)
        raise(sig); /* SA_RESETHAND: the default action now */
}

static void try(fuzz_target *target, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* its own block, so that an overrun is seen */

    if (!copy)
        abort();
    memcpy(copy, data, size);
    target(copy, size);
    free(copy);
}

/* One to four edits: a bit, a byte of special meaning, a run removed, a run doubled. */
static size_t damage(uint8_t *data, size_t size, size_t room, struct lw_random *r)
{
    static const uint8_t special[] = {0,   0xff, 0x80, 0x7f, '"', '\n', '\r', ',',
                                      ':', '{',  '[',  '-',  ' ', '\'', '\\', 0xf0};
    unsigned edits = 1 + lw_random_below(r, 4);

    while (edits-- && size) {
        size_t at = lw_random_below(r, (uint32_t)size);
        size_t run = 1 + lw_random_below(r, 16);

        if (run > size - at)
            run = size - at;
        switch (lw_random_below(r, 4)) {
        case 0:
            data[at] ^= (uint8_t)(1u << lw_random_below(r, 8));
            break;
        case 1:
            data[at] = special[lw_random_below(r, sizeof special)];
            break;
        case 2:
            memmove(data + at, data + at + run, size - at - run);
            size -= run;
            break;
        default:
            if (size + run > room)
                break;
            memmove(data + at + run, data + at, size - at);
            size += run;
        }
    }
    return size;
}

static int replay_file(const char *path, fuzz_target *target)
{
    struct lw_error err;
    struct lw_random r;
    char *data;
    uint8_t *buf;
    size_t size, room;

    if (lw_read_file(path, 1 << 20, &data, &size, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    snprintf(trying, sizeof trying, "\ncrashed on %s\n", path);
    try(target, (uint8_t *)data, size);
    for (size_t i = 0; i < CUTS && i < size; i++) {
        size_t cut = size <= CUTS ? i : i * size / CUTS;

        snprintf(trying, sizeof trying, "\ncrashed on the first %zu bytes of %s\n", cut, path);
        try(target, (uint8_t *)data, cut);
    }
    room = size + 64;
    buf = malloc(room);
    if (!buf)
        abort();
    for (uint64_t i = 0; i < DAMAGES && size < UINT32_MAX; i++) {
        memcpy(buf, data, size);
        lw_random_init(&r, i, 0);
        snprintf(trying, sizeof trying, "\ncrashed on damage %llu of %s\n", (unsigned long long)i,
                 path);
        try(target, buf, damage(buf, size, room, &r));
    }
    free(buf);
    free(data);
    return 1;
}

/* A file, or all files of a folder. Returns how many, -1 when something cannot be read. */
static int replay_path(const char *path, fuzz_target *target)
{
    struct dirent *entry;
    struct stat st;
    int files = 0;
    DIR *dir;

    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return replay_file(path, target);
    dir = opendir(path);
    if (!dir) {
        perror(path);
        return -1;
    }
    while (files >= 0 && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            files = replay_file(test_path(path, entry->d_name), target) < 0 ? -1 : files + 1;
    }
    closedir(dir);
    return files;
}

int fuzz_replay(int argc, char **argv, const char *source, fuzz_target *target)
{
    struct sigaction sa = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;
    char corpus[256];
    int total = 0;

    sigaction(SIGABRT, &sa, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    sigaction(SIGFPE, &sa, NULL);
    try(target, (const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        int files = replay_path(argv[i], target);

        if (files < 0)
            return 1;
        total += files;
    }
    if (argc == 1) {
        snprintf(corpus, sizeof corpus, "tests/fuzz/corpus/%.*s",
                 (int)strcspn(name, ".") - (int)strlen("fuzz_"), name + strlen("fuzz_"));
        total = replay_path(test_source(corpus), target);
    }
    printf("%d files, each whole, cut and damaged\n", total);
    return total > 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
#include "engine/train/ask_console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/aside.h"
#include "engine/base/text.h"

#define PROGRAM "leeway"
#define WORDS   16

extern char **environ;

/* Beside this program; libtool keeps programs that are not installed in .libs below the scripts
 * that start them. "leeway" alone where there is none: PATH decides. */
static void find_console(char out[PATH_MAX])
{
    char self[PATH_MAX - sizeof PROGRAM], *slash;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    if ((slash = strrchr(self, '/')))
        *slash = '\0';
    if (slash && (slash = strrchr(self, '/')) && !strcmp(slash, "/.libs"))
        *slash = '\0';
    snprintf(out, PATH_MAX, "%s/" PROGRAM, self);
    if (access(out, X_OK) != 0)
        strcpy(out, PROGRAM);
}

/* The last line of what was said, cleaned, without the program's name before it. */
static void last_line(FILE *said, struct lw_error *err)
{
    char line[sizeof err->text] = "", clean[sizeof err->text], *text = clean;

    rewind(said);
    while (fgets(line, sizeof line, said))
        ;
    lw_text_clean(line, strcspn(line, "\n"), clean, sizeof clean);
    if (!strncmp(text, PROGRAM " ", sizeof PROGRAM) && strstr(text, ": "))
        text = strstr(text, ": ") + 2;
    lw_fail(err, 0, "%s", text);
}

/* Start it and wait; its exit code, or negative. */
static int run(char *const *argv, int out, FILE *said, struct lw_error *err)
{
    posix_spawn_file_actions_t files;
    int status = 0, rc;
    pid_t pid;

    if ((errno = posix_spawn_file_actions_init(&files)))
        return lw_fail_errno(err, "cannot run %s", argv[0]);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&files, out, 1);
    else
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, fileno(said), 2);
    errno = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
    rc = errno ? lw_fail_errno(err, "cannot run %s", argv[0]) : 0;
    posix_spawn_file_actions_destroy(&files);
    while (!rc && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            rc = lw_fail_errno(err, "cannot wait for %s", argv[0]);
    if (rc)
        return rc;
    if (!WIFEXITED(status))
        return lw_fail(err, LW_EIO, "%s was killed by signal %d", argv[0], WTERMSIG(status));
    last_line(said, err);
    return WEXITSTATUS(status);
}

int lw_ask_console(const char *const *words, const char *out, const char *good,
                   struct lw_error *err)
{
    char program[PATH_MAX], *argv[WORDS + 2] = {program};
    struct lw_aside file = {0};
    FILE *said = tmpfile();
    int code, rc;

    if (!said)
        return lw_fail_errno(err, "cannot make a temporary file");
    find_console(program);
    for (int i = 0; i < WORDS && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    code = out ? lw_aside_open(&file, out, err) : 0;
    if (!code)
        code = run(argv, out ? fileno(file.file) : -1, said, err);
    if (file.file && code >= 0 && code < 10 && strchr(good, '0' + code)) {
        if ((rc = lw_aside_finish(&file, err)))
            code = rc;
    } else {
        lw_aside_drop(&file);
    }
    fclose(said);
    return code;
}

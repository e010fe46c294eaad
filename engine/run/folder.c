/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "engine/run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/config/nearest.h"

bool lw_run_is_folder(const char *path)
{
    static const char *const files[] = {LW_RUN_CONFIG, LW_RUN_METRICS, LW_RUN_STATUS};
    bool found = false;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !found; i++) {
        char *file = lw_path_join(path, files[i]);

        found = file && access(file, F_OK) == 0;
        free(file);
    }
    return found;
}

static bool is_empty(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    bool empty = true;

    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            empty = false;
    if (d)
        closedir(d);
    return empty;
}

/* A run's name as part of a folder's name: letters and digits of every script, dot and underscore;
 * what lies between becomes one hyphen. Cut between characters. */
static void slug(const char *name, char *out, size_t size)
{
    size_t n = 0, used;

    for (const char *end = name + strlen(name); name < end; name += used) {
        unsigned char b = (unsigned char)*name;
        uint32_t code;
        bool good = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
                    b == '.' || b == '_' || b >= 0x80;

        used = lw_utf8_decode(name, (size_t)(end - name), &code);
        used = used ? used : 1;
        if (n + used >= size)
            break;
        if (good) {
            memcpy(out + n, name, used);
            n += used;
        } else if (n && out[n - 1] != '-') {
            out[n++] = '-';
        }
    }
    while (n && (out[n - 1] == '-' || out[n - 1] == '.'))
        n--;
    out[n] = '\0';
}

/* Make a folder that was not there: parent/date-name, or with -2, -3... behind it. */
static int make_unique(const char *parent, const char *name, char **made, struct lw_error *err)
{
    char date[32], part[128], whole[200];
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&now, &tm);
    strftime(date, sizeof(date), "%Y-%m-%d-%H%M", &tm);
    slug(name, part, sizeof(part));
    for (int copy = 1; copy < 10000; copy++) {
        int n = snprintf(whole, sizeof(whole), "%s%s%s", date, *part ? "-" : "", part);
        char *path;

        if (copy > 1)
            snprintf(whole + n, sizeof(whole) - (size_t)n, "-%d", copy);
        path = lw_path_join(parent, whole);
        if (!path)
            return lw_fail(err, LW_EMEM, "out of memory");
        if (mkdir(path, 0777) == 0) {
            *made = path;
            return 0;
        }
        if (errno != EEXIST) {
            lw_fail_errno(err, "cannot make the run folder %s", path);
            free(path);
            return err ? err->code : LW_EIO;
        }
        free(path);
    }
    return lw_fail(err, LW_EIO, "no free name for a run in %s", parent);
}

/* The folder that was asked for: new or empty. */
static int make_given(const char *dir, char **made, struct lw_error *err)
{
    int rc;

    if (lw_run_is_folder(dir))
        return lw_fail(err, LW_EBUSY,
                       "%s is a run already: leeway resume goes on with it, another --run-dir "
                       "starts a new one",
                       dir);
    rc = lw_make_folders(dir, err);
    if (rc < 0)
        return rc;
    if (!is_empty(dir))
        return lw_fail(err, LW_EBUSY, "%s is not empty: a run needs a folder of its own", dir);
    *made = strdup(dir);
    return *made ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

static int make_absolute(char **path, struct lw_error *err)
{
    char *whole = realpath(*path, NULL);

    if (!whole)
        return lw_fail_errno(err, "cannot find %s", *path);
    free(*path);
    *path = whole;
    return 0;
}

/* The command line of this process as a shell would take it, cut where it is very long. */
static void command_line(char *out, size_t size)
{
    char *words = NULL;
    size_t n = 0, used = 0;

    *out = '\0';
    if (lw_read_file("/proc/self/cmdline", 1 << 20, &words, &n, NULL) < 0)
        return;
    for (size_t at = 0; at < n && used < size; at += strlen(words + at) + 1) {
        const char *word = words + at, *quote = strpbrk(word, " \t\n\"'\\$*?{}[]()&|;<>#~`!");

        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s", at ? " " : "",
                                 quote || !*word ? "'" : "", word, quote || !*word ? "'" : "");
    }
    free(words);
}

int lw_run_load_config(struct lw_config *c, const char *dir, struct lw_error *err)
{
    char *path = lw_path_join(dir, LW_RUN_CONFIG);
    int rc = path ? lw_config_load(c, path, err) : lw_fail(err, LW_EMEM, "out of memory");

    free(path);
    return rc;
}

int lw_run_save_config(struct lw_config *c, const char *dir, const char *what, struct lw_error *err)
{
    char host[64] = "", now[32], command[1024], *path = lw_path_join(dir, LW_RUN_CONFIG);
    int rc;

    gethostname(host, sizeof(host) - 1);
    lw_clock_iso(now, sizeof(now));
    if (!path)
        return lw_fail(err, LW_EMEM, "out of memory");
    rc = lw_config_note(c, err, "%s %s on %s by leeway %s", what, now, host, PACKAGE_VERSION);
    command_line(command, sizeof(command));
    if (rc == 0 && *command)
        rc = lw_config_note(c, err, "command: %s", command);
    if (rc == 0)
        rc = lw_config_save(c, path, err);
    free(path);
    return rc;
}

int lw_run_create(struct lw_config *c, const char *dir, char **made, struct lw_error *err)
{
    int rc;

    *made = NULL;
    if (dir) {
        rc = make_given(dir, made, err);
    } else {
        rc = lw_make_folders(c->runs_dir, err);
        if (rc == 0)
            rc = make_unique(c->runs_dir, c->run_name ? c->run_name : "run", made, err);
    }
    if (rc == 0)
        rc = make_absolute(made, err);
    if (rc == 0)
        rc = lw_run_save_config(c, *made, "started", err);
    if (rc < 0) {
        if (*made)
            rmdir(*made);
        free(*made);
        *made = NULL;
    }
    return rc;
}

static double started(const struct lw_run_info *run)
{
    struct stat st;

    if (run->has_status && run->status.started > 0)
        return run->status.started;
    return stat(run->dir, &st) == 0 ? (double)st.st_mtim.tv_sec : 0;
}

static int by_start(const void *a, const void *b)
{
    const struct lw_run_info *x = a, *y = b;
    double sx = started(x), sy = started(y);

    if (sx != sy)
        return sx < sy ? 1 : -1;
    return -strcmp(x->dir, y->dir);
}

void lw_run_look(struct lw_run_info *run)
{
    run->alive = lw_run_alive(run->dir, NULL) > 0;
    run->has_status = lw_status_read(run->dir, &run->status, NULL) == 0;
    if (!run->alive && (!run->has_status || lw_state_is_active(run->status.state)))
        run->status.state = LW_STATE_LOST;
}

static int add_run(struct lw_run_list *list, const char *parent, const char *name)
{
    char *path = lw_path_join(parent, name);
    struct lw_run_info *grown, *run;

    if (!path)
        return -1;
    if (!lw_run_is_folder(path)) {
        free(path);
        return 0;
    }
    grown = realloc(list->item, ((size_t)list->count + 1) * sizeof(*grown));
    if (!grown) {
        free(path);
        return -1;
    }
    list->item = grown;
    run = &list->item[list->count++];
    memset(run, 0, sizeof(*run));
    run->dir = path;
    lw_text_clean(name, strlen(name), run->name, sizeof(run->name));
    lw_run_look(run);
    return 0;
}

int lw_run_list(const char *runs_dir, struct lw_run_list *list, struct lw_error *err)
{
    struct dirent *entry;
    DIR *d = opendir(runs_dir);
    int rc = 0;

    *list = (struct lw_run_list){NULL, 0};
    if (!d)
        return errno == ENOENT ? 0 : lw_fail_errno(err, "cannot read %s", runs_dir);
    while (rc == 0 && (entry = readdir(d)))
        if (entry->d_name[0] != '.' && add_run(list, runs_dir, entry->d_name) < 0)
            rc = lw_fail(err, LW_EMEM, "out of memory");
    closedir(d);
    if (rc < 0)
        lw_run_list_free(list);
    else if (list->count)
        qsort(list->item, (size_t)list->count, sizeof(*list->item), by_start);
    return rc;
}

void lw_run_list_free(struct lw_run_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->item[i].dir);
    free(list->item);
    *list = (struct lw_run_list){NULL, 0};
}

static bool begins_or_ends(const char *name, const char *what)
{
    size_t n = strlen(name), m = strlen(what);

    return m && m <= n && (!strncmp(name, what, m) || !strcmp(name + n - m, what));
}

/* How far what was typed is from a run's name, with the date that it begins with or without. */
static int distance(const char *what, const char *name)
{
    const int whole = lw_edit_distance(what, name);
    const int rest = lw_edit_distance(what, name + strspn(name, "0123456789-"));

    return rest < whole ? rest : whole;
}

static int not_found(const struct lw_run_list *list, const char *runs_dir, const char *what,
                     int matches, struct lw_error *err)
{
    const char *near = NULL;
    int least = INT_MAX;

    if (matches > 1)
        return lw_fail(err, LW_EUSAGE, "%d runs in %s are called like %s: give more of the name",
                       matches, runs_dir, what);
    for (int i = 0; i < list->count; i++) {
        int d = distance(what, list->item[i].name);

        if (d < least && d <= (int)strlen(what) / 2) {
            least = d;
            near = list->item[i].name;
        }
    }
    if (near)
        return lw_fail(err, LW_EUSAGE, "no run %s in %s, did you mean %s?", what, runs_dir, near);
    return lw_fail(err, LW_EUSAGE, "no run %s in %s; leeway runs lists them", what, runs_dir);
}

int lw_run_find(const char *runs_dir, const char *what, char **dir, struct lw_error *err)
{
    struct lw_run_list list;
    const char *found = NULL;
    int matches = 0, rc;
    struct stat st;

    *dir = NULL;
    if (what && stat(what, &st) == 0 && S_ISDIR(st.st_mode) && lw_run_is_folder(what)) {
        *dir = realpath(what, NULL);
        return *dir ? 0 : lw_fail_errno(err, "cannot find %s", what);
    }
    rc = lw_run_list(runs_dir, &list, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < list.count; i++) {
        const char *name = strrchr(list.item[i].dir, '/') + 1;

        if (!what || !strcmp(name, what)) {
            found = list.item[i].dir;
            matches = 1;
            break;
        }
        if (begins_or_ends(name, what)) {
            found = list.item[i].dir;
            matches++;
        }
    }
    if (matches == 1)
        *dir = realpath(found, NULL);
    if (!what && !list.count)
        rc = lw_fail(err, LW_EUSAGE, "no runs in %s yet; leeway train starts one", runs_dir);
    else if (matches != 1)
        rc = not_found(&list, runs_dir, what, matches, err);
    else if (!*dir)
        rc = lw_fail_errno(err, "cannot find %s", found);
    lw_run_list_free(&list);
    return rc;
}

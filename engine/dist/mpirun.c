/* SPDX-License-Identifier: MIT */
#include "engine/dist/mpirun.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/dist/mpi.h"

#define SHARED_MEMORY "/dev/shm"
#define LOCK          "lock"

extern char **environ;

static int visible_gpus(void)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    DIR *dev;
    struct dirent *entry;
    int n = 0;

    if (visible) {
        for (const char *p = visible; *p && *p != '-'; p += *p == ',')
            n += strcspn(p, ",") > 0, p += strcspn(p, ",");
        return n;
    }
    dev = opendir("/dev");
    while (dev && (entry = readdir(dev)))
        n += !strncmp(entry->d_name, "nvidia", 6) && isdigit((unsigned char)entry->d_name[6]);
    if (dev)
        closedir(dev);
    return n;
}

int lw_mpirun_ranks(const struct lw_config *c)
{
    int gpus;

    if (c->devices)
        return c->devices;
    if (!lw_config_wants_gpu(c) || strchr(c->device, ':'))
        return 1;
    gpus = visible_gpus();
    return gpus > 1 ? gpus : 1;
}

static char *in_path(const char *name)
{
    const char *path = getenv("PATH");
    char *copy = strdup(path ? path : "/usr/bin:/bin"), *rest = copy, *dir, *found = NULL;

    while (copy && !found && (dir = strsep(&rest, ":"))) {
        char *file = *dir ? lw_path_join(dir, name) : NULL;

        if (file && access(file, X_OK) == 0)
            found = file;
        else
            free(file);
    }
    free(copy);
    return found;
}

/* Folders of runs in parent: "leeway-ranks-UID-" and six letters. */
static void prefix_of(char *out, size_t size)
{
    snprintf(out, size, "leeway-ranks-%u-", (unsigned)geteuid());
}

/* A folder whose lock this process holds. It gets its name once it is locked, so that nobody who
 * sweeps takes it for one that was left behind. */
static int make_folder(const char *parent, char *out, size_t size, int *lock, struct lw_error *err)
{
    char fresh[80], path[100], prefix[28];

    snprintf(fresh, sizeof fresh, "%.40s/.leeway-new-XXXXXX", parent);
    prefix_of(prefix, sizeof prefix);
    if (strlen(parent) > 40 || !mkdtemp(fresh))
        return lw_fail_errno(err, "cannot make a folder in %s", parent);
    snprintf(path, sizeof path, "%s/" LOCK, fresh);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    snprintf(out, size, "%.40s/%s%s", parent, prefix, fresh + strlen(fresh) - 6);
    if (*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) < 0 || rename(fresh, out) < 0) {
        unlink(path);
        rmdir(fresh);
        return lw_fail_errno(err, "cannot make the folder %s", out);
    }
    return 0;
}

/* Where temporary files go: a socket's path must be short. */
static const char *parent_of_files(void)
{
    const char *t = getenv("TMPDIR");

    return t && *t == '/' && strlen(t) <= 40 && access(t, W_OK) == 0 ? t : "/tmp";
}

static void sweep_in(const char *parent)
{
    DIR *d = opendir(parent);
    struct dirent *entry;
    struct lw_error ignored;
    char prefix[40];

    prefix_of(prefix, sizeof prefix);
    while (d && (entry = readdir(d))) {
        char path[400], lock[420];
        struct stat st;
        int fd;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        snprintf(path, sizeof path, "%.100s/%.255s", parent, entry->d_name);
        snprintf(lock, sizeof lock, "%s/" LOCK, path);
        if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
            continue;
        fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
            (void)!lw_remove_tree(path, &ignored);
        if (fd >= 0)
            close(fd);
    }
    if (d)
        closedir(d);
}

void lw_mpirun_sweep(void)
{
    sweep_in(parent_of_files());
    sweep_in("/tmp");
    sweep_in(SHARED_MEMORY);
}

/* A run inside another launcher's job is none of its ranks. */
static void clean_environment(void)
{
    static const char *const foreign[] = {"OMPI_", "PMIX_", "PMI_", "PRTE_", "SLURM_", "HYDRA_"};
    bool again = true;

    while (again) {
        again = false;
        for (char **e = environ; *e && !again; e++)
            for (size_t i = 0; i < sizeof foreign / sizeof *foreign && !again; i++)
                if (!strncmp(*e, foreign[i], strlen(foreign[i]))) {
                    char *name = strndup(*e, strcspn(*e, "="));

                    again = name && unsetenv(name) == 0;
                    free(name);
                }
    }
}

/* Ranks are not bound (this machine's cores are not only theirs), mpirun asks no other host and no
 * scheduler, and ranks that wait leave the processor to those that work. */
static int make_arguments(struct lw_mpirun *m, int ranks, char *const *command, bool tagged,
                          struct lw_error *err)
{
    char count[16], host[32], *mpirun = in_path("mpirun");
    const char *const fixed[] = {
        mpirun,     "--host",       host,
        "-np",      count,          "--bind-to",
        "none",     "--mca",        "plm",
        "isolated", "--mca",        "btl_vader_single_copy_mechanism",
        "none",     "--mca",        "btl_vader_backing_directory",
        m->memory,  "--mca",        "mpi_yield_when_idle",
        "1",        "--tag-output",
    };
    size_t n = sizeof fixed / sizeof *fixed - !tagged, more = 0;

    if (!mpirun)
        return lw_fail(err, LW_EMISSING,
                       "%d ranks need mpirun, and there is none in PATH (Debian and Ubuntu: "
                       "openmpi-bin)",
                       ranks);
    snprintf(count, sizeof count, "%d", ranks);
    snprintf(host, sizeof host, "localhost:%d", ranks);
    while (command[more])
        more++;
    m->argv = calloc(n + more + 1, sizeof *m->argv);
    for (size_t i = 0; m->argv && i < n + more; i++)
        if (!(m->argv[i] = strdup(i < n ? fixed[i] : command[i - n])))
            break;
    free(mpirun);
    return m->argv && m->argv[n + more - 1] ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

int lw_mpirun_prepare(struct lw_mpirun *m, int ranks, char *const *command, bool tagged,
                      struct lw_error *err)
{
    const char *shared = access(SHARED_MEMORY, W_OK) == 0 ? SHARED_MEMORY : parent_of_files();
    int rc = lw_mpi_ready(err);

    *m = (struct lw_mpirun){.lock = {-1, -1}};
    if (rc)
        return rc;
    if ((rc = make_folder(parent_of_files(), m->folder, sizeof m->folder, &m->lock[0], err)) ||
        (rc = make_folder(shared, m->memory, sizeof m->memory, &m->lock[1], err)) ||
        (rc = make_arguments(m, ranks, command, tagged, err))) {
        lw_mpirun_clean(m);
        return rc;
    }
    snprintf(m->door, sizeof m->door, "%s/link", m->folder);
    clean_environment();
    setenv("TMPDIR", m->folder, 1);
    if (geteuid() == 0) {
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    }
    return 0;
}

void lw_mpirun_clean(struct lw_mpirun *m)
{
    struct lw_error ignored;

    if (m->folder[0])
        (void)!lw_remove_tree(m->folder, &ignored);
    if (m->memory[0])
        (void)!lw_remove_tree(m->memory, &ignored);
    for (int i = 0; i < 2; i++)
        if (m->lock[i] >= 0)
            close(m->lock[i]);
    for (char **a = m->argv; a && *a; a++)
        free(*a);
    free(m->argv);
    *m = (struct lw_mpirun){.lock = {-1, -1}};
}

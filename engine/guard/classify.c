/* SPDX-License-Identifier: MIT
 *
 * What a process is to us, by its name and its command line. Neither can be trusted against a
 * program that wants to deceive; this is a guard rail, not a fence.
 */
#include "engine/guard/evidence.h"

#include <string.h>

struct name {
    const char *name; /* a trailing * takes whatever follows */
    enum lw_guard_kind kind;
};

/* By the name the kernel knows a process by, at most 15 bytes. */
static const struct name by_comm[] = {
    {"jupyter-*", LW_GUARD_SERVER},
    {"jupyterhub*", LW_GUARD_SERVER},
    {"tmux*", LW_GUARD_MUX},
    {"screen", LW_GUARD_MUX},
    {"SCREEN", LW_GUARD_MUX},
    {"zellij", LW_GUARD_MUX},
    {"dtach", LW_GUARD_MUX},
    {"abduco", LW_GUARD_MUX},
    {"shpool", LW_GUARD_MUX},
    {"slurmstepd", LW_GUARD_BATCH},
    {"pbs_mom", LW_GUARD_BATCH},
    {"sge_shepherd", LW_GUARD_BATCH},
    {"condor_starter*", LW_GUARD_BATCH},
    {"cron", LW_GUARD_CRON},
    {"crond", LW_GUARD_CRON},
    {"CRON", LW_GUARD_CRON},
    {"anacron", LW_GUARD_CRON},
    {"atd", LW_GUARD_CRON},
    {"systemd", LW_GUARD_SYSTEMD},
    {"(sd-pam)", LW_GUARD_SYSTEMD},
    {"sshd*", LW_GUARD_SSH},
    {"dropbear*", LW_GUARD_SSH},
    {"mosh-server", LW_GUARD_MOSH},
    {"sudo", LW_GUARD_SUDO},
    {"su", LW_GUARD_SUDO},
    {"doas", LW_GUARD_SUDO},
    {"runuser", LW_GUARD_SUDO},
    {"pkexec", LW_GUARD_SUDO},
    {"script", LW_GUARD_RELAY},
    {"expect", LW_GUARD_RELAY},
    {"tini*", LW_GUARD_REAPER},
    {"dumb-init", LW_GUARD_REAPER},
    {"docker-init", LW_GUARD_REAPER},
    {"catatonit", LW_GUARD_REAPER},
    {"s6-svscan", LW_GUARD_REAPER},
    {"runsvdir", LW_GUARD_REAPER},
    {"init", LW_GUARD_REAPER},
    {"code", LW_GUARD_IDE},
    {"code-*", LW_GUARD_IDE},
    {"codium", LW_GUARD_IDE},
    {"cursor", LW_GUARD_IDE},
    {"windsurf", LW_GUARD_IDE},
    {"rsession*", LW_GUARD_IDE},
    {"positron", LW_GUARD_IDE},
    {"pycharm*", LW_GUARD_IDE},
    {"idea", LW_GUARD_IDE},
    {"clion", LW_GUARD_IDE},
    {"dataspell", LW_GUARD_IDE},
    {"login", LW_GUARD_TERMINAL},
    {"agetty", LW_GUARD_TERMINAL},
    {"getty", LW_GUARD_TERMINAL},
    {"gnome-terminal*", LW_GUARD_TERMINAL},
    {"ptyxis*", LW_GUARD_TERMINAL},
    {"kgx", LW_GUARD_TERMINAL},
    {"konsole", LW_GUARD_TERMINAL},
    {"yakuake", LW_GUARD_TERMINAL},
    {"xterm", LW_GUARD_TERMINAL},
    {"uxterm", LW_GUARD_TERMINAL},
    {"urxvt*", LW_GUARD_TERMINAL},
    {"rxvt*", LW_GUARD_TERMINAL},
    {"st", LW_GUARD_TERMINAL},
    {"foot*", LW_GUARD_TERMINAL},
    {"kitty", LW_GUARD_TERMINAL},
    {"alacritty", LW_GUARD_TERMINAL},
    {"wezterm*", LW_GUARD_TERMINAL},
    {"ghostty", LW_GUARD_TERMINAL},
    {"xfce4-terminal", LW_GUARD_TERMINAL},
    {"mate-terminal", LW_GUARD_TERMINAL},
    {"lxterminal", LW_GUARD_TERMINAL},
    {"qterminal", LW_GUARD_TERMINAL},
    {"terminator", LW_GUARD_TERMINAL},
    {"tilix", LW_GUARD_TERMINAL},
};

static const char *const shells[] = {"sh",  "bash", "dash", "zsh",     "fish", "ksh",  "mksh",
                                     "csh", "tcsh", "ash",  "busybox", "nu",   "xonsh"};

/* Programs, modules (python -m) and scripts that run cells. */
static const char *const kernels[] = {
    "ipykernel_launcher",      "ipykernel",        "colab_kernel_launcher",
    "db_ipykernel_launcher",   "launch_ipykernel", "PythonShell",
    "spyder_kernels.console*", "xpython_launcher", "xpython"};
static const char *const servers[] = {"jupyter*", "notebook",  "papermill", "nbconvert",
                                      "voila",    "nbclient*", "marimo"};
static const char *const interpreters[] = {"python*", "pypy*", "R",    "Rscript", "julia",
                                           "java",    "node",  "deno", "xpython"};
static const char *const ide_marks[] = {"--type=ptyHost", ".vscode-server", "vscode-server",
                                        "code-server",    ".cursor-server", "windsurf-server",
                                        "JetBrains",      "pycharm"};

#define COUNT(list) (sizeof(list) / sizeof(list[0]))

static bool matches(const char *text, const char *pattern)
{
    size_t n = strlen(pattern);

    if (n && pattern[n - 1] == '*')
        return !strncmp(text, pattern, n - 1);
    return !strcmp(text, pattern);
}

static bool among(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (matches(text, list[i]))
            return true;
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* A script's or program's name without folder and ".py". */
static void stem(const char *path, char *out, size_t size)
{
    const char *name = base_name(path);
    size_t n = strlen(name);

    if (n > 3 && !strcmp(name + n - 3, ".py"))
        n -= 3;
    if (n >= size)
        n = size - 1;
    memcpy(out, name, n);
    out[n] = '\0';
}

/* The script that an interpreter runs, or its module (-m); NULL: neither. What stands behind it are
 * that program's own words. */
static const char *script_of(const char *const *word, int words)
{
    if (!among(base_name(word[0]), interpreters, COUNT(interpreters)))
        return NULL;
    for (int i = 1; i < words; i++) {
        if (!strcmp(word[i], "-m"))
            return i + 1 < words ? word[i + 1] : NULL;
        if (!strcmp(word[i], "-c") || !strcmp(word[i], "-e") || !strcmp(word[i], "-"))
            return NULL; /* code */
        if (!strcmp(word[i], "-X") || !strcmp(word[i], "-W"))
            i++;
        else if (word[i][0] != '-')
            return word[i];
    }
    return NULL;
}

/* Is the program itself, or what an interpreter runs, one of these? */
static bool runs(const char *const *word, int words, const char *const *list, size_t count)
{
    const char *script = words ? script_of(word, words) : NULL;
    char name[64];

    if (!words)
        return false;
    stem(word[0], name, sizeof(name));
    if (among(name, list, count))
        return true;
    if (!script)
        return false;
    stem(script, name, sizeof(name));
    return among(name, list, count);
}

/* The connection file that every Jupyter kernel is handed, of whatever language. Any tool may have
 * a file called kernel-x.json: it counts where Jupyter keeps its own, or for an interpreter. */
static bool has_connection_file(const char *const *word, int words)
{
    bool interpreter = words && among(base_name(word[0]), interpreters, COUNT(interpreters));

    for (int i = 1; i < words; i++) {
        const char *value = NULL, *name;
        size_t n;

        if (strstr(word[i], "/jupyter/runtime/kernel-"))
            return true;
        if (!strncmp(word[i], "--f=", 4))
            value = word[i] + 4;
        else if (!strncmp(word[i], "--connection-file=", 18))
            value = word[i] + 18;
        else if ((!strcmp(word[i], "-f") || !strcmp(word[i], "--connection-file")) && i + 1 < words)
            value = word[i + 1];
        if (!value)
            continue;
        name = base_name(value);
        n = strlen(name);
        if (!strncmp(name, "kernel-", 7) && n > 5 && !strcmp(name + n - 5, ".json") &&
            (interpreter || strstr(value, "/jupyter/")))
            return true;
    }
    return false;
}

static bool is_ide(const char *const *word, int words)
{
    for (int i = 0; i < words && i < 8; i++)
        for (size_t k = 0; k < COUNT(ide_marks); k++)
            if (strstr(word[i], ide_marks[k]))
                return true;
    return false;
}

enum lw_guard_kind lw_guard_classify(const char *comm, const char *const *word, int words)
{
    const char *name = words ? base_name(word[0]) : comm;

    if (runs(word, words, kernels, COUNT(kernels)) || has_connection_file(word, words))
        return LW_GUARD_KERNEL;
    if (runs(word, words, servers, COUNT(servers)))
        return LW_GUARD_SERVER;
    for (size_t i = 0; i < COUNT(by_comm); i++)
        if (matches(comm, by_comm[i].name))
            return by_comm[i].kind;
    if (among(name + (*name == '-'), shells, COUNT(shells)) || among(comm, shells, COUNT(shells)))
        return LW_GUARD_SHELL;
    return is_ide(word, words) ? LW_GUARD_IDE : LW_GUARD_OTHER;
}

const char *lw_guard_kind_name(enum lw_guard_kind kind)
{
    static const char *const names[LW_GUARD_KINDS] = {
        "other", "kernel", "server", "multiplexer", "batch", "cron",     "systemd", "ssh",
        "mosh",  "ide",    "sudo",   "relay",       "init",  "terminal", "shell"};

    return (unsigned)kind < LW_GUARD_KINDS ? names[kind] : "?";
}

const char *lw_guard_end_name(enum lw_guard_end end)
{
    static const char *const names[] = {"process 1",
                                        "a parent outside of this container",
                                        "a parent that is hidden or gone",
                                        "no /proc of this namespace",
                                        "a parent younger than its child",
                                        "more ancestors than are looked at"};

    return (unsigned)end < COUNT(names) ? names[end] : "?";
}

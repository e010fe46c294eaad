/* SPDX-License-Identifier: MIT */
#include "tests/guard_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/io.h"
#include "tests/support.h"

struct process {
    int pid, ppid, sid, tty;
    long start;
    int hidden;
    char comm[64], words[512];
};

static void give_up(const char *what)
{
    fprintf(stderr, "guard machine: %s\n", what);
    abort();
}

/* Write size bytes below folder, with the folders that are needed. */
static void put(const char *folder, const char *name, const char *text, size_t size)
{
    char path[4096], *slash;
    struct lw_error err;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name + (*name == '/'));
    slash = strrchr(path, '/');
    *slash = '\0';
    if (lw_make_folders(path, &err) < 0)
        give_up(err.text);
    *slash = '/';
    f = fopen(path, "w");
    if (!f || fwrite(text, 1, size, f) != size || fclose(f))
        give_up(path);
}

static void put_process(const char *proc, const struct process *p)
{
    char name[64], text[1024];
    int n;

    if (p->hidden)
        return;
    snprintf(name, sizeof(name), "%d/stat", p->pid);
    n = snprintf(text, sizeof(text),
                 "%d (%s) S %d %d %d %d -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 %ld 1000000 100\n",
                 p->pid, p->comm, p->ppid, p->pid, p->sid, p->tty, p->start);
    put(proc, name, text, (size_t)n);
    snprintf(name, sizeof(name), "%d/cmdline", p->pid);
    n = snprintf(text, sizeof(text), "%s ", p->words);
    for (int i = 0; i < n; i++)
        if (text[i] == ' ')
            text[i] = '\0';
    put(proc, name, text, *p->words ? (size_t)n : 0);
}

static void read_process(char *line, struct process *p)
{
    char *words = strstr(line, " : "), *word, *rest = line;
    struct process above = *p;

    *p = (struct process){
        .ppid = above.pid, .sid = above.sid, .tty = above.tty, .start = above.start + 100};
    if (words) {
        *words = '\0';
        snprintf(p->words, sizeof(p->words), "%s", words + 3);
    }
    word = strsep(&rest, " ");
    p->pid = atoi(word);
    word = strsep(&rest, " ");
    for (char *c = word; *c; c++) /* a name with a space in it */
        if (*c == '_' && c[1] == '_')
            memmove(c, c + 1, strlen(c)), *c = ' ';
    snprintf(p->comm, sizeof(p->comm), "%s", word);
    if (!words)
        snprintf(p->words, sizeof(p->words), "%s", p->comm);
    while ((word = strsep(&rest, " "))) {
        if (!strncmp(word, "sid=", 4))
            p->sid = atoi(word + 4);
        else if (!strncmp(word, "tty=", 4))
            p->tty = atoi(word + 4);
        else if (!strncmp(word, "ppid=", 5))
            p->ppid = atoi(word + 5);
        else if (!strncmp(word, "start=", 6))
            p->start = atol(word + 6);
        else if (!strcmp(word, "hidden"))
            p->hidden = 1;
        else
            give_up(word);
    }
}

static void put_files(const char *root, const char *proc, const char *name, const char *text,
                      int pid, int *self)
{
    char path[64], whole[1024];

    snprintf(whole, sizeof(whole), "%s", text);
    for (char *c = whole; *c; c++)
        if (*c == '|')
            *c = '\n';
    if (!strcmp(name, "self")) {
        *self = atoi(text);
    } else if (*name == '/') {
        put(root, name, whole, strlen(whole));
    } else {
        snprintf(path, sizeof(path), "%d/%s", pid, name);
        put(proc, path, whole, strlen(whole));
    }
}

void machine_judge(const struct machine *m, struct lw_guard_evidence *e, struct lw_guard_verdict *v)
{
    static char root[4096], proc[4200];
    static char *env[16];
    struct process p = {.tty = 0, .sid = 1};
    char *copy = strdup(m->processes), *rest = copy, *line, number[16];
    struct lw_guard_where where;
    int self = 0, n = 0;

    snprintf(root, sizeof(root), "%s", test_folder());
    snprintf(proc, sizeof(proc), "%s/proc", root);
    put(proc, "version", "", 0);
    while ((line = strsep(&rest, "\n"))) {
        char *eq = strchr(line, '=');

        if (*line == '+' && eq) {
            *eq = '\0';
            put_files(root, proc, line + 1, eq + 1, p.pid, &self);
        } else if (*line) {
            read_process(line, &p);
            put_process(proc, &p);
        }
    }
    snprintf(number, sizeof(number), "%d", self ? self : p.pid);
    if (symlink(number, test_path(proc, "self")) < 0)
        give_up("self");
    for (; n < 8 && m->env[n]; n++)
        env[n] = (char *)m->env[n];
    env[n] = NULL;
    where = (struct lw_guard_where){.proc = proc, .root = root, .pid = p.pid, .env = env};
    lw_guard_look(e, &where);
    lw_guard_judge(e, v);
    free(copy);
}

const char *machine_says(const struct lw_guard_evidence *e, const struct lw_guard_verdict *v)
{
    static char text[LW_GUARD_LINES * LW_GUARD_LINE];
    struct lw_guard_lines lines = {.count = 0};
    size_t n = 0;

    lw_guard_reason(e, v, &lines);
    lw_guard_remarks(e, v, &lines);
    *text = '\0';
    for (int i = 0; i < lines.count; i++)
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s%s\n",
            lines.line[i].level == LW_GUARD_WARN ? "" : "info: ", lines.line[i].text);
    return text;
}

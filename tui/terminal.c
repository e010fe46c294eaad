/* SPDX-License-Identifier: MIT */
#include "tui/terminal.h"

#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "engine/base/io.h"

/* What a crash handler needs, made ready beforehand: it may only call write and tcsetattr. */
static char restore_text[256];
static size_t restore_size;
static struct termios restore_mode;
static volatile sig_atomic_t restore_armed;

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static void on_crash(int sig)
{
    if (restore_armed) {
        restore_armed = 0;
        if (write(STDOUT_FILENO, restore_text, restore_size) < 0)
            _exit(128 + sig);
        tcsetattr(STDIN_FILENO, TCSANOW, &restore_mode);
    }
    raise(sig); /* SA_RESETHAND: the default action, with its core and status */
}

static void at_exit(void)
{
    if (restore_armed) {
        restore_armed = 0;
        if (write(STDOUT_FILENO, restore_text, restore_size) < 0)
            return;
        tcsetattr(STDIN_FILENO, TCSANOW, &restore_mode);
    }
}

static void append_capability(const char *name)
{
    const char *text = tigetstr(name);

    if (text && text != (char *)-1 && restore_size + strlen(text) < sizeof restore_text) {
        memcpy(restore_text + restore_size, text, strlen(text));
        restore_size += strlen(text);
    }
}

static void arm_restore(void)
{
    static const char modes[] = "\033[?2026l\033[?1006l\033[?1002l\033[?1000l";
    static char stack[16384];
    static int registered;
    struct sigaction sa = {.sa_handler = on_crash, .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK)};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const char *mouse = tigetstr("kmous");

    restore_size = 0;
    if (mouse && mouse != (char *)-1) { /* a terminal that knows private modes */
        memcpy(restore_text, modes, sizeof modes - 1);
        restore_size = sizeof modes - 1;
    }
    append_capability("sgr0");
    append_capability("cnorm");
    append_capability("rmcup");
    restore_armed = 1;
    if (!registered) {
        registered = 1;
        sigaltstack(&alternate, NULL);
        atexit(at_exit);
    }
    for (size_t i = 0; i < sizeof crash_signals / sizeof crash_signals[0]; i++)
        sigaction(crash_signals[i], &sa, NULL);
}

/* Sequences that terminals send whatever their terminfo entry says. */
static void define_keys(void)
{
    static const struct {
        const char *text;
        int key;
    } keys[] = {
        {"\033[A", KEY_UP},       {"\033[B", KEY_DOWN},     {"\033[C", KEY_RIGHT},
        {"\033[D", KEY_LEFT},     {"\033OA", KEY_UP},       {"\033OB", KEY_DOWN},
        {"\033OC", KEY_RIGHT},    {"\033OD", KEY_LEFT},     {"\033[H", KEY_HOME},
        {"\033[F", KEY_END},      {"\033OH", KEY_HOME},     {"\033OF", KEY_END},
        {"\033[1~", KEY_HOME},    {"\033[4~", KEY_END},     {"\033[7~", KEY_HOME},
        {"\033[8~", KEY_END},     {"\033[5~", KEY_PPAGE},   {"\033[6~", KEY_NPAGE},
        {"\033[5;5~", KEY_PPAGE}, {"\033[6;5~", KEY_NPAGE}, {"\033[Z", KEY_BTAB},
        {"\033OP", KEY_F(1)},     {"\033[11~", KEY_F(1)},   {"\033OM", KEY_ENTER},
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        define_key(keys[i].text, keys[i].key);
}

static void hold_stderr(struct lw_terminal *t)
{
    t->held_stderr = memfd_create("leeway-stderr", MFD_CLOEXEC);
    if (t->held_stderr < 0)
        return;
    fflush(stderr);
    t->real_stderr = dup(STDERR_FILENO);
    if (t->real_stderr >= 0)
        dup2(t->held_stderr, STDERR_FILENO);
}

static void release_stderr(struct lw_terminal *t)
{
    char part[4096];
    ssize_t n;

    if (t->held_stderr < 0)
        return;
    fflush(stderr);
    if (t->real_stderr >= 0) {
        dup2(t->real_stderr, STDERR_FILENO);
        close(t->real_stderr);
        if (lseek(t->held_stderr, 0, SEEK_SET) == 0)
            while ((n = read(t->held_stderr, part, sizeof part)) > 0)
                if (lw_write_all(STDERR_FILENO, part, (size_t)n) < 0)
                    break;
    }
    close(t->held_stderr);
    t->held_stderr = t->real_stderr = -1;
}

int lw_terminal_open(struct lw_terminal *t, const struct lw_screen_options *options,
                     struct lw_error *err)
{
    int rc;

    memset(t, 0, sizeof *t);
    t->held_stderr = t->real_stderr = -1;
    if (tcgetattr(STDIN_FILENO, &restore_mode) < 0)
        return lw_fail_errno(err, "cannot read the terminal's settings");
    rc = lw_screen_open(options, &t->screen, err);
    if (rc)
        return rc;
    arm_restore();
    define_keys();
    hold_stderr(t);
    return 0;
}

void lw_terminal_mouse(struct lw_terminal *t, bool on)
{
    t->mouse = on;
    mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
    if (on)
        mouseinterval(0);
}

void lw_terminal_close(struct lw_terminal *t)
{
    if (!t->screen)
        return;
    if (t->mouse)
        lw_terminal_mouse(t, false);
    lw_screen_close(t->screen);
    t->screen = NULL;
    restore_armed = 0;
    for (size_t i = 0; i < sizeof crash_signals / sizeof crash_signals[0]; i++)
        signal(crash_signals[i], SIG_DFL);
    release_stderr(t);
}

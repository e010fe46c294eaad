/* SPDX-License-Identifier: MIT */
#include "tui/console.h"

#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "tui/terminal.h"

#define DATA_S      1.0        /* between frames for data */
#define NETWORK_S   2.0        /* where files have to be asked for news */
#define LOW_S       5.0        /* with --low-bandwidth */
#define FRAME_S     0.05       /* between any two frames */
#define SLICE_BYTES (2u << 20) /* read between looks at the keyboard */
#define FIRST_S     0.4        /* reading this long without a picture is enough */
#define KEYS_A_TURN 256        /* taken before the rest of the loop has its turn */

static volatile sig_atomic_t ended_by, continued;

static void on_end(int sig)
{
    ended_by = sig;
}

static void on_continue(int sig)
{
    (void)sig;
    continued = 1;
}

struct console {
    struct lw_view *view;
    struct lw_terminal terminal;
    struct lw_surface *surface;
    enum lw_charset charset;
    bool light, dirty, more;
    bool news;           /* something changed at the last look at the files */
    bool urgent;         /* a key waits for its frame */
    bool keys_left;      /* there may be more where the last key came from */
    bool fresh;          /* as in struct lw_look */
    int notify, watched; /* sources that inotify knows */
    double interval, last_look, last_frame;
    sigset_t waiting; /* signal mask while waiting */
};

static void watch_files(struct console *c)
{
    c->watched = 0;
    if (c->notify >= 0)
        close(c->notify);
    c->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (int k = 0; k < c->view->sources && c->notify >= 0; k++)
        if (inotify_add_watch(c->notify, c->view->source[k]->path,
                              IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVE_SELF | IN_ATTRIB) >= 0)
            c->watched++;
}

static void drain_notify(const struct console *c)
{
    char events[4096];

    while (c->notify >= 0 && read(c->notify, events, sizeof events) > 0)
        ;
}

static double interval_of(const struct console *c)
{
    double s = c->view->slow ? LOW_S : DATA_S;

    for (int k = 0; k < c->view->sources; k++)
        if (c->view->source[k]->network && s < NETWORK_S)
            s = NETWORK_S;
    return s;
}

/* Look at the files. */
static void look(struct console *c, double now)
{
    unsigned changed = lw_view_poll(c->view, SLICE_BYTES);

    drain_notify(c);
    c->more = (changed & LW_MORE) != 0;
    c->news = (changed & ~(unsigned)LW_MORE) != 0;
    if (c->view->page == LW_PAGE_RUNS && lw_view_read_runs(c->view))
        c->news = true;
    if (c->news)
        c->dirty = true;
    c->last_look = now;
    if (c->view->sources && c->view->source[0]->standing.active)
        c->dirty = true; /* the header may say for how long nothing was heard */
}

static int remake_surface(struct console *c, struct lw_error *err)
{
    struct lw_surface *s;
    int rows, cols;

    lw_screen_size(c->terminal.screen, &rows, &cols);
    s = lw_surface_new(rows, cols, c->charset, lw_screen_depth(c->terminal.screen));
    if (!s)
        return lw_fail(err, LW_EMEM, "out of memory for a screen of %dx%d", cols, rows);
    lw_surface_free(c->surface);
    c->surface = s;
    return 0;
}

static int next_charset(struct console *c, struct lw_error *err)
{
    if (c->charset == LW_CHARSET_ASCII)
        c->charset = lw_screen_charset(c->terminal.screen) == LW_CHARSET_ASCII ? LW_CHARSET_ASCII
                                                                               : LW_CHARSET_BRAILLE;
    else
        c->charset = c->charset == LW_CHARSET_BRAILLE ? LW_CHARSET_BLOCKS : LW_CHARSET_ASCII;
    return remake_surface(c, err);
}

static int take_key(struct console *c, int key, bool *leave, struct lw_error *err)
{
    int sources = c->view->sources, rc = 0;
    const char *path = sources ? c->view->source[0]->path : NULL;
    unsigned result = 0;
    MEVENT mouse;

    if (key == KEY_RESIZE) {
        lw_screen_forget(c->terminal.screen);
        c->dirty = c->urgent = true;
        return remake_surface(c, err);
    }
    if (key == KEY_MOUSE) {
        if (getmouse(&mouse) != OK)
            return 0;
        if (mouse.bstate & BUTTON4_PRESSED)
            result = lw_view_key(c->view, KEY_UP);
        else if (mouse.bstate & BUTTON5_PRESSED)
            result = lw_view_key(c->view, KEY_DOWN);
        else
            result = lw_view_click(c->view, mouse.y, mouse.x);
    } else {
        result = lw_view_key(c->view, key);
    }
    *leave = *leave || (result & LW_VIEW_QUIT);
    c->urgent = c->urgent || (result & LW_VIEW_DRAW);
    c->dirty = c->dirty || c->urgent;
    if (result & LW_VIEW_REDRAW)
        lw_screen_forget(c->terminal.screen);
    if (result & LW_VIEW_THEME) {
        c->light = !c->light;
        lw_screen_set_light(c->terminal.screen, c->light);
    }
    if (result & LW_VIEW_GLYPHS)
        rc = next_charset(c, err);
    if (result & LW_VIEW_MOUSE)
        lw_terminal_mouse(&c->terminal, !c->terminal.mouse);
    if (sources != c->view->sources || (sources && path != c->view->source[0]->path))
        watch_files(c);
    return rc;
}

static void draw(struct console *c, double now)
{
    lw_view_draw(c->view, c->surface);
    lw_screen_show(c->terminal.screen, c->surface);
    c->dirty = c->urgent = false;
    c->last_frame = now;
}

/* Wait for a key, a file, a signal or the next thing that is due. */
static void wait_for_news(struct console *c, double now)
{
    double due = c->more && !c->view->frozen ? 0.0 : c->last_look + interval_of(c) - now;
    struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = c->notify, .events = POLLIN}};
    struct timespec t;
    sigset_t blocked;
    nfds_t n = 1;

    if (c->dirty && c->last_frame + FRAME_S - now < due)
        due = c->last_frame + FRAME_S - now;
    if (due < 0.0 || c->keys_left)
        due = 0.0;
    t.tv_sec = (time_t)due;
    t.tv_nsec = (long)((due - (double)t.tv_sec) * 1e9);
    /* After a quiet look the next news is shown at once; else it waits for the clock. */
    if (c->watched && !c->news && !c->view->slow && !c->view->frozen)
        n = 2;
    if (ppoll(p, n, &t, &c->waiting) > 0) { /* then it delivers no signal */
        sigprocmask(SIG_SETMASK, &c->waiting, &blocked);
        sigprocmask(SIG_SETMASK, &blocked, NULL);
    }
    if (n == 2 && (p[1].revents & POLLIN))
        c->last_look = 0.0;
    if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        ended_by = SIGHUP;
}

/* While a long file is read there is nothing to see yet, unless it takes its time or a key asks. */
static bool frame_is_due(const struct console *c, double now, double started, bool first)
{
    if (!c->dirty || now - c->last_frame < FRAME_S)
        return false;
    if (c->urgent || !c->more)
        return true;
    return first ? now - started >= FIRST_S : now - c->last_frame >= DATA_S;
}

static int loop(struct console *c, struct lw_error *err)
{
    double started = lw_clock_now();
    bool leave = false, first = true;
    int rc = 0, key;

    while (!rc && !leave && !ended_by) {
        double now = lw_clock_now();

        if (continued) {
            continued = 0;
            lw_screen_forget(c->terminal.screen);
            c->dirty = c->urgent = true;
        }
        c->keys_left = true; /* and if keys never end: files, frames and signals have their turn */
        for (int n = 0; n < KEYS_A_TURN && c->keys_left && !rc && !leave; n++) {
            key = getch();
            c->keys_left = key != ERR;
            if (c->keys_left)
                rc = take_key(c, key, &leave, err);
        }
        if (rc || leave)
            break;
        if (!c->view->frozen && (c->more || now - c->last_look >= interval_of(c)))
            look(c, now);
        if (c->fresh && c->view->sources && c->view->source[0]->standing.failed &&
            !c->view->source[0]->rows)
            break;
        if (c->view->frozen && now - c->last_look >= interval_of(c))
            c->last_look = now;
        if (frame_is_due(c, now, started, first)) {
            draw(c, now);
            first = false;
        }
        wait_for_news(c, lw_clock_now());
    }
    return rc;
}

static void take_signals(struct console *c, struct sigaction old[4])
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction sa = {.sa_handler = on_end}, go = {.sa_handler = on_continue};
    sigset_t block;

    ended_by = continued = 0;
    sigemptyset(&block);
    for (int i = 0; i < 3; i++) {
        sigaction(ends[i], &sa, &old[i]);
        sigaddset(&block, ends[i]);
    }
    if (old[2].sa_handler == SIG_IGN) /* nohup: it stays ignored */
        sigaction(SIGHUP, &old[2], NULL);
    sigaction(SIGCONT, &go, &old[3]);
    sigaddset(&block, SIGWINCH);
    sigaddset(&block, SIGCONT);
    sigprocmask(SIG_BLOCK, &block, &c->waiting);
    for (int i = 0; i < 3; i++)
        sigdelset(&c->waiting, ends[i]);
    sigdelset(&c->waiting, SIGWINCH);
    sigdelset(&c->waiting, SIGCONT);
}

static void return_signals(struct console *c, const struct sigaction old[4])
{
    static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGCONT};

    for (int i = 0; i < 4; i++)
        sigaction(all[i], &old[i], NULL);
    sigprocmask(SIG_SETMASK, &c->waiting, NULL);
}

int lw_console_run(struct lw_view *v, const struct lw_look *look_at, int *sig, struct lw_error *err)
{
    struct lw_screen_options options = {.color = look_at->color, .ascii = look_at->ascii};
    struct console c = {.view = v, .notify = -1, .dirty = true, .fresh = look_at->fresh};
    struct sigaction old[4];
    int rc;

    *sig = 0;
    if (look_at->low_bandwidth && options.color == LW_COLOR_AUTO)
        options.color = LW_COLOR_16;
    v->quiet = v->slow = look_at->low_bandwidth;
    rc = lw_terminal_open(&c.terminal, &options, err);
    if (rc)
        return rc;
    take_signals(&c, old);
    c.charset = lw_screen_charset(c.terminal.screen);
    rc = remake_surface(&c, err);
    watch_files(&c);
    if (!rc)
        rc = loop(&c, err);
    lw_terminal_close(&c.terminal);
    lw_surface_free(c.surface);
    if (c.notify >= 0)
        close(c.notify);
    *sig = ended_by;
    return_signals(&c, old);
    return rc;
}

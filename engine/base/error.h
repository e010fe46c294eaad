/* SPDX-License-Identifier: MIT
 *
 * How a leeway function says what went wrong.
 *
 * A function that can fail returns int: 0, or one of the negative codes below. It fills the
 * caller's struct lw_error with one line: what happened, where, and what to do about it. Nothing
 * in engine/ or widgets/ prints or exits.
 */
#ifndef LW_BASE_ERROR_H
#define LW_BASE_ERROR_H

#if defined(__GNUC__)
#define LW_NODISCARD         __attribute__((warn_unused_result))
#define LW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define LW_NODISCARD
#define LW_PRINTF(fmt, args)
#endif

enum lw_code {
    LW_EUSAGE = -1,   /* wrong usage or configuration: a program exits with 2 */
    LW_EDATA = -2,    /* input that cannot be read as what it should be */
    LW_EIO = -3,      /* the system refused: errno is in the text */
    LW_EMEM = -4,     /* out of memory, host or device */
    LW_EBUSY = -5,    /* somebody else holds it (a run folder's lock) */
    LW_EBACKEND = -6, /* a backend or its library failed */
    LW_ENAN = -7,     /* the loss or a gradient is not finite */
    LW_ESTOPPED = -8, /* stopped because somebody asked */
    LW_EMISSING = -9, /* not in this build or on this machine */
    LW_EPEER = -10,   /* another rank failed, and this one with it */
};

struct lw_error {
    int code;        /* one of enum lw_code, or 0 */
    char text[1024]; /* one line (several with \n for lists), UTF-8, no trailing newline */
};

/* Fill err (may be NULL) and return code. Text that does not fit ends in "...". */
int lw_fail(struct lw_error *err, int code, const char *fmt, ...) LW_PRINTF(3, 4);

/* Like lw_fail with ": strerror(errno)" appended; the code is LW_EIO, or LW_EMEM for ENOMEM. */
int lw_fail_errno(struct lw_error *err, const char *fmt, ...) LW_PRINTF(2, 3);

/* Put "context: " before err's text, keeping its code, and return that code. */
int lw_wrap(struct lw_error *err, const char *fmt, ...) LW_PRINTF(2, 3);

#endif

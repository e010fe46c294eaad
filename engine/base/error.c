/* SPDX-License-Identifier: MIT */
#include "engine/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

LW_PRINTF(3, 0)
static void put(struct lw_error *err, int code, const char *fmt, va_list ap, const char *tail)
{
    char text[sizeof err->text];
    int n = vsnprintf(text, sizeof text, fmt, ap);

    if (n >= 0 && (size_t)n < sizeof text && tail)
        n += snprintf(text + n, sizeof text - (size_t)n, ": %s", tail);
    if (n < 0 || (size_t)n >= sizeof text)
        memcpy(text + sizeof text - 4, "...", 4);
    err->code = code;
    memcpy(err->text, text, sizeof text);
}

int lw_fail(struct lw_error *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (err) {
        va_start(ap, fmt);
        put(err, code, fmt, ap, NULL);
        va_end(ap);
    }
    return code;
}

int lw_fail_errno(struct lw_error *err, const char *fmt, ...)
{
    int saved = errno, code = saved == ENOMEM ? LW_EMEM : LW_EIO;
    va_list ap;

    if (err) {
        va_start(ap, fmt);
        put(err, code, fmt, ap, strerror(saved));
        va_end(ap);
    }
    errno = saved;
    return code;
}

int lw_wrap(struct lw_error *err, const char *fmt, ...)
{
    char inner[sizeof err->text];
    va_list ap;

    if (!err)
        return LW_EIO;
    memcpy(inner, err->text, sizeof inner);
    va_start(ap, fmt);
    put(err, err->code, fmt, ap, inner);
    va_end(ap);
    return err->code;
}

// SPDX-License-Identifier: Apache-2.0
/* base/err.c - how a failure gets its kind and its words. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/code.h"
#include "base/mem.h"

/* A text that was cut in the middle of a UTF-8 sequence ends before that sequence. */
static void mend_end(char *text, size_t cap, int wanted)
{
    size_t end = cap - 1, lead = end > 0 ? end - 1 : 0;

    if (wanted < 0 || (size_t)wanted < cap)
        return;
    while (lead > 0 && ((unsigned char)text[lead] & 0xc0) == 0x80)
        lead--;
    if (lead < end && utf8_len(str_make(text + lead, end - lead)) == 0)
        text[lead] = '\0';
}

__attribute__((format(printf, 2, 0))) static void set_text(struct err *err, const char *fmt,
                                                           va_list args)
{
    char text[sizeof(err->text)]; /* the arguments may point into err->text */
    int wanted = vsnprintf(text, sizeof(text), fmt, args);

    mend_end(text, sizeof(text), wanted);
    memcpy(err->text, text, sizeof(text));
}

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list args;

    if (!err)
        return false;
    err->kind = kind;
    err->sys = 0;
    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    return false;
}

/* Puts ": " and `words` behind the text, as far as there is room. */
static void append(struct err *err, const char *words)
{
    size_t len = strlen(err->text);
    int wanted = snprintf(err->text + len, sizeof(err->text) - len, ": %s", words);

    mend_end(err->text + len, sizeof(err->text) - len, wanted);
}

bool err_sys(struct err *err, const char *fmt, ...)
{
    int sys = errno;
    bool full = sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
    char words[128];
    va_list args;

    if (!err)
        return false;
    err->kind = full ? ERR_FULL : ERR_IO;
    err->sys = sys;
    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    append(err, strerror_r(sys, words, sizeof(words)));
    errno = sys;
    return false;
}

bool err_at(struct err *err, const char *fmt, ...)
{
    char cause[sizeof(err->text)];
    va_list args;

    if (!err)
        return false;
    memcpy(cause, err->text, sizeof(cause));
    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    append(err, cause);
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",
        [ERR_IO] = "io",
        [ERR_TIMEOUT] = "timeout",
        [ERR_CLOSED] = "closed",
        [ERR_CANCELLED] = "cancelled",
        [ERR_TLS] = "tls",
        [ERR_DNS] = "dns",
        [ERR_SYNTAX] = "syntax",
        [ERR_LIMIT] = "limit",
        [ERR_FULL] = "full",
        [ERR_DAMAGED] = "damaged",
        [ERR_CONFIG] = "config",
        [ERR_NOT_FOUND] = "not-found",
        [ERR_EXISTS] = "exists",
        [ERR_DENIED] = "denied",
    };

    return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}

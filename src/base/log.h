// SPDX-License-Identifier: Apache-2.0
/* base/log.h - one event is one line: stable key=value pairs, values quoted and escaped where they
 * need it, so that no byte from outside can start a second line or a terminal sequence (fault W07).
 *
 *     struct log_line l;
 *     log_begin(&l, LOG_INFO, "session-refused");
 *     log_str(&l, "client", ip);
 *     log_end(&l);
 *
 * Who may log: accept, deliver, report, web, core, super, vault, resolve. What lies below returns
 * err. */
#pragma once

#include "base/err.h"

enum log_level { LOG_ALERT, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_line {
    enum log_level level;
    size_t len;
    bool closed;     /* nothing more is added: it is full, or nobody wants it */
    char text[2048]; /* a longer line ends with " …" */
};

/* Gets each finished line, without its end. Default: none, lines are dropped. */
typedef void log_sink_fn(void *arg, enum log_level level, struct str line);
void log_set_sink(log_sink_fn *sink, void *arg);
void log_set_level(enum log_level most);
/* Stands in each line as role=…; the text is kept by the caller. */
void log_set_role(const char *name);

void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_str(struct log_line *l, const char *key, struct str value);
void log_cstr(struct log_line *l, const char *key, const char *value);
void log_num(struct log_line *l, const char *key, int64_t value);
void log_id(struct log_line *l, const char *key, uint64_t id); /* as a queue id, code.h */
void log_end(struct log_line *l);

/* For lines with words only: event=… text="…". */
__attribute__((format(printf, 3, 4))) void log_text(enum log_level level, const char *event,
                                                    const char *fmt, ...);
void log_err(enum log_level level, const char *event, const struct err *err);

// SPDX-License-Identifier: Apache-2.0
/* config/option.h - the one table of options: what the parser, the printed defaults, the printed
 * configuration and the manual page are made from. Private to config/. */
#pragma once

#include "config/config.h"

enum option_type {
    OPTION_TEXT,
    OPTION_PATH,    /* absolute, which config_check() looks at */
    OPTION_NAME,    /* a host name, or empty: A-labels, lower case */
    OPTION_DOMAIN,  /* as OPTION_NAME, never empty */
    OPTION_PATTERN, /* a domain, ".domain" or "*" */
    OPTION_WORD,    /* one of words, into an enum */
    OPTION_BOOL,
    OPTION_COUNT,    /* unsigned */
    OPTION_COUNT64,  /* uint64_t */
    OPTION_PORT,     /* uint16_t */
    OPTION_SIZE,     /* uint64_t: "64M" */
    OPTION_SIZE32,   /* unsigned */
    OPTION_TIME,     /* int64_t, milliseconds: "5m" */
    OPTION_RATE,     /* int64_t */
    OPTION_ADDRESS,  /* struct ip; empty: family 0 */
    OPTION_NETWORK,  /* struct ip_net */
    OPTION_ENDPOINT, /* struct endpoint */
    OPTION_ROWS,     /* mappings, each an element of an array */
};

/* A word of OPTION_WORD; its value is its place. NULL ends the list. */
typedef const char *const option_words[6];

struct option;

/* What each row of OPTION_ROWS is. */
struct option_row {
    const struct option *options;
    size_t option_count;
    size_t size;
    /* Names what is wrong between the fields of one row and fills what depends on others: false
     * with the err of the field, its name in *ret_field. Optional. */
    bool (*finish)(void *row, const char **ret_field, struct err *err);
};

struct option {
    const char *path; /* "limits.recipients"; inside a row "kind" */
    enum option_type type;
    bool list;
    size_t at;       /* of the value in struct config or in the row */
    size_t count_at; /* lists and rows: of the size_t that counts */
    int64_t min, max;
    const char *fallback; /* as YAML; NULL: must be given (rows only) */
    const char *const *words;
    const struct option_row *row;
    size_t list_min;
    const char *about; /* a sentence, or some */
};

#define OPTION_LIST_MAX 10000

extern const struct option config_options[];
extern const size_t config_option_count;

/* The size of one element of a list. */
size_t option_size(const struct option *o);

/* Text to value at `to` and back (value.c); `a` keeps what the value points at. On failure err says
 * what was expected, without the option's name: "expected a size such as 64M, 1M … 1G". */
MUST_USE bool option_read(const struct option *o, struct str text, void *to, struct arena *a,
                          struct err *err);
bool option_write(const struct option *o, const void *from, struct buf *to);
/* "a duration, 1s … 1d". */
bool option_expected(const struct option *o, struct buf *to);

/* A parsed configuration with the line that set each value. */
struct config_place {
    const void *value;
    unsigned line;
};
struct config_made {
    struct config config;
    struct arena arena;
    struct config_place *places;
    size_t place_count, place_cap;
};
/* The line of the value at this address; 0: it is a default. */
unsigned config_line(const struct config *c, const void *value);
/* "file:line: option: " in front of what err says; without a line "file: option: ". Returns false.
 */
bool config_mistake(struct str file, unsigned line, const char *option, struct err *err);

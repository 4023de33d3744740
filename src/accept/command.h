// SPDX-License-Identifier: Apache-2.0
/* accept/command.h - bytes from a client to a command line, and a line to verb and arguments. Pure.
 */
#pragma once

#include "base/str.h"

/* RFC 4954 §4: the longest line of an AUTH exchange, CRLF included. */
#define AUTH_LINE_MAX 12288

enum line_found {
    LINE_NOT_YET, /* no end of line among the bytes */
    LINE_FOUND,
    LINE_TOO_LONG, /* it would pass the limit, with or without its end in sight */
};
/* Looks for the line at the front of `bytes`; *ret_len is its length with its end, for LINE_FOUND.
 */
enum line_found line_find(struct str bytes, size_t max, size_t *ret_len);

enum line_fault {
    LINE_OK,
    LINE_BARE_LF, /* ended by LF alone (fault B01) */
    LINE_BARE_CR, /* a CR that is not the end */
    LINE_CONTROL, /* NUL or another control character except the tab */
};
/* The content of a found line, without its end; with `normalize` LF alone ends it rightfully. */
enum line_fault line_strip(struct str line, bool normalize, struct str *ret_text);

/* A command as it was said: pieces of the line, blanks around the arguments dropped. */
struct command {
    struct str verb; /* letters as written; may be empty */
    struct str args;
};
struct command command_cut(struct str text);
/* Takes "TO:" or "FROM:" from the front of *args, with the blanks that many clients put behind it.
 */
MUST_USE bool command_eat_word(struct str *args, struct str word);

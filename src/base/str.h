// SPDX-License-Identifier: Apache-2.0
/* base/str.h - borrowed text: a pointer and a length, any byte, no NUL at the end.
 *
 * A str owns nothing; it lives as long as the bytes it points at. Functions that search or split
 * return pieces of the same bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_USE __attribute__((warn_unused_result))

struct str {
    const char *ptr;
    size_t len;
};

#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf: "%.*s", STR_FMT(s) */
#define STR_FMT(s) (int)(s).len, ((s).ptr ? (s).ptr : "")

static inline struct str str_of(const char *cstr)
{
    return (struct str){ cstr, cstr ? strlen(cstr) : 0 };
}

static inline struct str str_make(const void *ptr, size_t len)
{
    return (struct str){ ptr, len };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case only; bytes over 127 compare as they are. */
bool str_eq_nocase(struct str a, struct str b);
int str_cmp(struct str a, struct str b);
bool str_starts(struct str text, struct str prefix);
bool str_starts_nocase(struct str text, struct str prefix);
bool str_ends_nocase(struct str text, struct str suffix);

/* The piece from `from` on, at most `len` bytes; beyond the end is empty. */
struct str str_sub(struct str text, size_t from, size_t len);
/* Without its first n bytes. */
struct str str_skip(struct str text, size_t n);
/* Without blanks and tabs at both ends. */
struct str str_trim(struct str text);

/* Position of the first `c`, or text.len. */
size_t str_index(struct str text, char c);
size_t str_index_last(struct str text, char c);
/* Position of the first `part`, or text.len; _nocase folds ASCII. */
size_t str_find(struct str text, struct str part);
size_t str_find_nocase(struct str text, struct str part);

/* Splits around the first (last) `c`; without one it returns false and writes nothing. */
MUST_USE bool str_cut(struct str text, char c, struct str *ret_before, struct str *ret_after);
MUST_USE bool str_cut_last(struct str text, char c, struct str *ret_before, struct str *ret_after);
/* Takes the next word from *rest, words being separated by `c`; an empty rest ends with false. */
MUST_USE bool str_next(struct str *rest, char c, struct str *ret_word);

/* Reads decimal digits at the front of *text and removes them. False without a digit or past
 * UINT64_MAX. */
MUST_USE bool str_eat_u64(struct str *text, uint64_t *ret);
/* The whole text is one decimal number of at most `max`. */
MUST_USE bool str_to_u64(struct str text, uint64_t max, uint64_t *ret);

bool str_is_ascii(struct str text);

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Sizes from outside add and multiply here: false instead of wrapping round. */
static inline MUST_USE bool size_add(size_t a, size_t b, size_t *ret)
{
    return !__builtin_add_overflow(a, b, ret);
}
static inline MUST_USE bool size_mul(size_t a, size_t b, size_t *ret)
{
    return !__builtin_mul_overflow(a, b, ret);
}

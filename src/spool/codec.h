// SPDX-License-Identifier: Apache-2.0
/* spool/codec.h - numbers and texts as they lie on disk: little-endian, texts behind a 32-bit
 * length. Private to spool.
 *
 * Takers eat from the front of a borrowed str and say false when it is too short; nothing is
 * written then. */
#pragma once

#include "base/buf.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the log is written as it lies in memory");

static inline bool put_u8(struct buf *to, uint8_t v)
{
    return buf_add_char(to, (char)v);
}
static inline bool put_u16(struct buf *to, uint16_t v)
{
    return buf_add(to, str_make(&v, sizeof(v)));
}
static inline bool put_u32(struct buf *to, uint32_t v)
{
    return buf_add(to, str_make(&v, sizeof(v)));
}
static inline bool put_u64(struct buf *to, uint64_t v)
{
    return buf_add(to, str_make(&v, sizeof(v)));
}
static inline bool put_str(struct buf *to, struct str s)
{
    if (s.len > UINT32_MAX) {
        to->over = true;
        return false;
    }
    return put_u32(to, (uint32_t)s.len) && buf_add(to, s);
}

static inline MUST_USE bool take_bytes(struct str *in, void *to, size_t len)
{
    if (in->len < len)
        return false;
    if (len > 0)
        memcpy(to, in->ptr, len);
    *in = str_make(in->ptr + len, in->len - len);
    return true;
}
static inline MUST_USE bool take_u8(struct str *in, uint8_t *ret)
{
    return take_bytes(in, ret, sizeof(*ret));
}
static inline MUST_USE bool take_u16(struct str *in, uint16_t *ret)
{
    return take_bytes(in, ret, sizeof(*ret));
}
static inline MUST_USE bool take_u32(struct str *in, uint32_t *ret)
{
    return take_bytes(in, ret, sizeof(*ret));
}
static inline MUST_USE bool take_u64(struct str *in, uint64_t *ret)
{
    return take_bytes(in, ret, sizeof(*ret));
}
static inline MUST_USE bool take_i64(struct str *in, int64_t *ret)
{
    return take_bytes(in, ret, sizeof(*ret));
}
static inline MUST_USE bool take_part(struct str *in, size_t len, struct str *ret)
{
    if (in->len < len)
        return false;
    *ret = str_make(in->ptr, len);
    *in = str_make(in->ptr + len, in->len - len);
    return true;
}
static inline MUST_USE bool take_str(struct str *in, struct str *ret)
{
    struct str rest = *in;
    uint32_t len;

    if (!take_u32(&rest, &len) || !take_part(&rest, len, ret))
        return false;
    *in = rest;
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* spool/envelope.c - the envelope as bytes: a version, the fixed part, then texts and lists.
 *
 * Version 1 ended there. Version 2 has behind it what came with accounts and signing; what was
 * written before is read as if all that were unset. */
#include "spool/envelope.h"

#include "spool/codec.h"

enum {
    ENVELOPE_VERSION_FIRST = 1,
    ENVELOPE_VERSION = 2,
    BODY_HASH_BYTES = 32,
    EDIT_BYTES_MIN = 1 + 4 + 4 + 4,
    RCPT_BYTES_MIN = 1 + 4 + 4,
};

static bool write_lists(struct buf *to, const struct envelope *e)
{
    put_u32(to, (uint32_t)e->edit_count);
    for (size_t i = 0; i < e->edit_count; i++) {
        put_u8(to, (uint8_t)e->edits[i].kind);
        put_u32(to, e->edits[i].offset);
        put_u32(to, e->edits[i].len);
        put_str(to, e->edits[i].text);
    }
    put_u32(to, (uint32_t)e->rcpt_count);
    for (size_t i = 0; i < e->rcpt_count; i++) {
        put_u8(to, e->rcpts[i].notify);
        put_str(to, e->rcpts[i].address);
        put_str(to, e->rcpts[i].orcpt);
    }
    return buf_ok(to);
}

bool envelope_write(struct buf *to, const struct envelope *e)
{
    put_u8(to, ENVELOPE_VERSION);
    put_u8(to, e->flags);
    put_u8(to, e->body);
    put_u8(to, e->ret);
    put_u32(to, e->header_bytes);
    put_u64(to, e->account);
    put_u64(to, e->credential);
    put_u64(to, e->size_bytes);
    put_u64(to, (uint64_t)e->accepted_wall_ms);
    put_u8(to, e->client.family);
    buf_add(to, str_make(e->client.bytes, sizeof(e->client.bytes)));
    put_str(to, e->reverse_path);
    put_str(to, e->envid);
    put_str(to, e->helo);
    put_str(to, e->login);
    write_lists(to, e);
    put_u64(to, e->stream);
    put_str(to, e->sign_domain);
    put_str(to, e->body_hash);
    return buf_ok(to);
}

static bool read_version(struct str *in, uint8_t *ret)
{
    return take_u8(in, ret) && *ret >= ENVELOPE_VERSION_FIRST && *ret <= ENVELOPE_VERSION;
}

static bool read_fixed(struct str *in, struct envelope *e)
{
    return take_u8(in, &e->flags) && take_u8(in, &e->body) && e->body <= BODY_BINARYMIME &&
           take_u8(in, &e->ret) && e->ret <= RET_HDRS && take_u32(in, &e->header_bytes) &&
           take_u64(in, &e->account) && take_u64(in, &e->credential) &&
           take_u64(in, &e->size_bytes) && take_i64(in, &e->accepted_wall_ms) &&
           take_u8(in, &e->client.family) &&
           take_bytes(in, e->client.bytes, sizeof(e->client.bytes)) &&
           (e->client.family == 0 || e->client.family == 4 || e->client.family == 6);
}

static bool read_texts(struct str *in, struct envelope *e)
{
    return take_str(in, &e->reverse_path) && take_str(in, &e->envid) && take_str(in, &e->helo) &&
           take_str(in, &e->login);
}

/* A count that the rest can hold: what is allocated for it is bounded by bytes that are really
 * there. */
static bool read_count(struct str *in, size_t bytes_min, size_t *ret)
{
    uint32_t count;

    if (!take_u32(in, &count) || count > in->len / bytes_min)
        return false;
    *ret = count;
    return true;
}

static bool read_edits(struct str *in, struct arena *a, struct envelope *e)
{
    if (!read_count(in, EDIT_BYTES_MIN, &e->edit_count))
        return false;
    e->edits = e->edit_count > 0 ? ARENA_ARRAY(a, struct header_edit, e->edit_count) : NULL;
    for (size_t i = 0; i < e->edit_count; i++) {
        uint8_t kind;

        if (!take_u8(in, &kind) || kind < EDIT_DELETE || kind > EDIT_INSERT_ID ||
            !take_u32(in, &e->edits[i].offset) || !take_u32(in, &e->edits[i].len) ||
            !take_str(in, &e->edits[i].text))
            return false;
        e->edits[i].kind = (enum edit_kind)kind;
    }
    return true;
}

static bool read_rcpts(struct str *in, struct arena *a, struct envelope *e)
{
    if (!read_count(in, RCPT_BYTES_MIN, &e->rcpt_count) || e->rcpt_count == 0)
        return false;
    e->rcpts = ARENA_ARRAY(a, struct envelope_rcpt, e->rcpt_count);
    for (size_t i = 0; i < e->rcpt_count; i++)
        if (!take_u8(in, &e->rcpts[i].notify) || !take_str(in, &e->rcpts[i].address) ||
            !take_str(in, &e->rcpts[i].orcpt))
            return false;
    return true;
}

/* What version 2 added. */
static bool read_added(struct str *in, struct envelope *e)
{
    return take_u64(in, &e->stream) && take_str(in, &e->sign_domain) &&
           take_str(in, &e->body_hash) &&
           (e->body_hash.len == 0 || e->body_hash.len == BODY_HASH_BYTES);
}

bool envelope_read(struct str bytes, struct arena *a, struct envelope *ret, struct err *err)
{
    struct envelope e = { 0 };
    uint8_t version;

    if (!read_version(&bytes, &version) || !read_fixed(&bytes, &e) || !read_texts(&bytes, &e) ||
        !read_edits(&bytes, a, &e) || !read_rcpts(&bytes, a, &e) ||
        (version > ENVELOPE_VERSION_FIRST && !read_added(&bytes, &e)) || bytes.len > 0)
        return err_set(err, ERR_DAMAGED, "envelope is not one that we wrote");
    *ret = e;
    return true;
}

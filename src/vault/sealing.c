// SPDX-License-Identifier: Apache-2.0
/* vault/sealing.c - the two keys under the role's secret, at start. */
#include "vault/sealing.h"

#include "base/mem.h"
#include "vault/control_domains.h"

static const struct keybox_place hash_key_place = { 0, STR("credentials") };

static const uint8_t *secret_now(struct str secret)
{
    return (const uint8_t *)secret.ptr;
}

/* The one before, or the same when there was no other. */
static const uint8_t *secret_before(struct str secret)
{
    return secret_now(secret) + secret.len - KEYBOX_SECRET_BYTES;
}

static bool make_box(struct control *c, struct str secret, int64_t wall_ms, struct sealing *ret,
                     struct err *err)
{
    struct buf wrapped;

    buf_init(&wrapped, KEYBOX_WRAPPED_BYTES);
    ret->box = keybox_new();
    keybox_wrap(ret->box, secret_now(secret), &wrapped);
    bool ok = control_write_sealed_key(c, SEALED_SEALING_KEY, buf_str(&wrapped), wall_ms, err);
    buf_done(&wrapped);
    return ok;
}

static bool exchange(struct control *c, struct str secret, struct str wrapped, int64_t wall_ms,
                     struct sealing *ret, struct err *err)
{
    struct buf anew;

    buf_init(&anew, KEYBOX_WRAPPED_BYTES);
    bool ok = keybox_rewrap(secret_before(secret), secret_now(secret), wrapped, &anew, err) &&
              control_write_sealed_key(c, SEALED_SEALING_KEY, buf_str(&anew), wall_ms, err) &&
              keybox_open(secret_now(secret), buf_str(&anew), &ret->box, err);
    ret->exchanged = ok;
    buf_done(&anew);
    return ok;
}

static bool open_box(struct control *c, struct str secret, int64_t wall_ms, struct sealing *ret,
                     struct err *err)
{
    struct buf wrapped;
    bool found;

    buf_init(&wrapped, KEYBOX_WRAPPED_BYTES);
    bool ok = control_read_sealed_key(c, SEALED_SEALING_KEY, &wrapped, &found, err);
    if (ok && !found)
        ok = make_box(c, secret, wall_ms, ret, err);
    else if (ok && !keybox_open(secret_now(secret), buf_str(&wrapped), &ret->box, err))
        ok = secret.len > KEYBOX_SECRET_BYTES &&
             exchange(c, secret, buf_str(&wrapped), wall_ms, ret, err);
    buf_done(&wrapped);
    return ok;
}

/* Credentials from before this key had a place of its own were hashed under the secret itself. */
static bool make_hash_key(struct control *c, struct str secret, int64_t wall_ms,
                          struct sealing *ret, struct err *err)
{
    struct buf sealed;

    memcpy(ret->hash_key, secret_before(secret), sizeof ret->hash_key);
    buf_init(&sealed, 256);
    keybox_seal(ret->box, &hash_key_place, str_make(ret->hash_key, sizeof ret->hash_key), &sealed);
    bool ok = control_write_sealed_key(c, SEALED_HASH_KEY, buf_str(&sealed), wall_ms, err);
    buf_done(&sealed);
    return ok;
}

static bool unseal_hash_key(struct str sealed, struct sealing *ret, struct err *err)
{
    struct buf plain;

    buf_init(&plain, 256);
    bool ok = keybox_unseal(ret->box, &hash_key_place, sealed, &plain, err) &&
              (plain.len == sizeof ret->hash_key ||
               err_set(err, ERR_DAMAGED, "the key of credentials has %zu octets", plain.len));
    if (ok)
        memcpy(ret->hash_key, plain.ptr, sizeof ret->hash_key);
    mem_wipe(plain.ptr, plain.len);
    buf_done(&plain);
    return ok;
}

static bool open_hash_key(struct control *c, struct str secret, int64_t wall_ms,
                          struct sealing *ret, struct err *err)
{
    struct buf sealed;
    bool found;

    buf_init(&sealed, 256);
    bool ok = control_read_sealed_key(c, SEALED_HASH_KEY, &sealed, &found, err) &&
              (found ? unseal_hash_key(buf_str(&sealed), ret, err)
                     : make_hash_key(c, secret, wall_ms, ret, err));
    buf_done(&sealed);
    return ok;
}

bool sealing_open(struct control *c, struct str secret, int64_t wall_ms, struct sealing *ret,
                  struct err *err)
{
    *ret = (struct sealing){ 0 };
    if (open_box(c, secret, wall_ms, ret, err) && open_hash_key(c, secret, wall_ms, ret, err))
        return true;
    keybox_free(ret->box);
    mem_wipe(ret, sizeof *ret);
    return err_at(err, "the keys of vault");
}

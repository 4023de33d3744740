// SPDX-License-Identifier: Apache-2.0
/* vault/scram.c - the messages of SCRAM-SHA-256, read and written, and the keys behind them. */
#include "vault/scram.h"

#include <assert.h>
#include <sodium.h>

#include "base/code.h"
#include "base/mem.h"

static_assert(SCRAM_HASH_BYTES == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");
static_assert(SCRAM_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");

enum { NONCE_MIN = 8, AUTH_MAX = 3 * SCRAM_MESSAGE_MAX };

/* Keys ----------------------------------------------------------------------------------------- */

static void hmac(struct str key, struct str text, uint8_t ret[SCRAM_HASH_BYTES])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const uint8_t *)key.ptr, key.len);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)text.ptr, text.len);
    crypto_auth_hmacsha256_final(&state, ret);
    mem_wipe(&state, sizeof state);
}

static void xor_into(uint8_t to[SCRAM_HASH_BYTES], const uint8_t from[SCRAM_HASH_BYTES])
{
    for (size_t i = 0; i < SCRAM_HASH_BYTES; i++)
        to[i] ^= from[i];
}

/* Hi() of RFC 5802 §2.2: PBKDF2 with one block. The hash of the secret is begun once. */
static void stretch(const struct scram_verifier *v, struct str secret,
                    uint8_t ret[SCRAM_HASH_BYTES])
{
    static const uint8_t block_one[] = { 0, 0, 0, 1 };
    crypto_auth_hmacsha256_state begun, state;
    uint8_t u[SCRAM_HASH_BYTES];

    crypto_auth_hmacsha256_init(&begun, (const uint8_t *)secret.ptr, secret.len);
    state = begun;
    crypto_auth_hmacsha256_update(&state, v->salt, sizeof v->salt);
    crypto_auth_hmacsha256_update(&state, block_one, sizeof block_one);
    crypto_auth_hmacsha256_final(&state, u);
    memcpy(ret, u, sizeof u);
    for (uint32_t i = 1; i < v->iterations; i++) {
        state = begun;
        crypto_auth_hmacsha256_update(&state, u, sizeof u);
        crypto_auth_hmacsha256_final(&state, u);
        xor_into(ret, u);
    }
    mem_wipe(&begun, sizeof begun);
    mem_wipe(&state, sizeof state);
    mem_wipe(u, sizeof u);
}

void scram_derive(struct scram_verifier *v, struct str secret)
{
    uint8_t salted[SCRAM_HASH_BYTES], client_key[SCRAM_HASH_BYTES];

    stretch(v, secret, salted);
    hmac(str_make(salted, sizeof salted), STR("Client Key"), client_key);
    (void)crypto_hash_sha256(v->stored_key, client_key, sizeof client_key);
    hmac(str_make(salted, sizeof salted), STR("Server Key"), v->server_key);
    mem_wipe(salted, sizeof salted);
    mem_wipe(client_key, sizeof client_key);
}

/* Life ----------------------------------------------------------------------------------------- */

void scram_init(struct scram *x)
{
    *x = (struct scram){ 0 };
    buf_init(&x->auth, AUTH_MAX);
    buf_init(&x->binding, SCRAM_MESSAGE_MAX);
}

void scram_done(struct scram *x)
{
    buf_done(&x->auth);
    buf_done(&x->binding);
    mem_wipe(x, sizeof *x);
}

/* Reading -------------------------------------------------------------------------------------- */

/* Takes "x=value" from *rest, up to the next comma or the end. */
static bool eat_attribute(struct str *rest, char name, struct str *ret)
{
    if (rest->len < 2 || rest->ptr[0] != name || rest->ptr[1] != '=')
        return false;
    return str_next(rest, ',', ret) && ((*ret = str_skip(*ret, 2)).len > 0);
}

/* ",", "=" stand as =2C and =3D (RFC 5802 §5.1). */
static bool unescape(struct str text, char to[SCRAM_USER_MAX], size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '=') {
            struct str code = str_sub(text, i + 1, 2);
            if (str_eq(code, STR("2C")))
                c = ',';
            else if (!str_eq(code, STR("3D")))
                return false;
            i += 2;
        }
        if (len == SCRAM_USER_MAX || c == '\0')
            return false;
        to[len++] = c;
    }
    *ret_len = len;
    return true;
}

/* The GS2 header: flag, and an identity to act as, which may only be the user himself. */
static bool eat_header(struct str *rest, struct str *ret_act_as, struct err *err)
{
    struct str flag, act_as;

    if (!str_cut(*rest, ',', &flag, rest) || !str_cut(*rest, ',', &act_as, rest))
        return err_set(err, ERR_SYNTAX, "SCRAM: a message without its header");
    if (str_starts(flag, STR("p=")))
        return err_set(err, ERR_SYNTAX, "SCRAM: channel binding is not offered");
    /* y: it would bind if we offered that, and we do not (RFC 5802 §6). */
    if (!str_eq(flag, STR("n")) && !str_eq(flag, STR("y")))
        return err_set(err, ERR_SYNTAX, "SCRAM: n or y is wanted first");
    if (act_as.len > 0 && (!str_starts(act_as, STR("a=")) || act_as.len == 2))
        return err_set(err, ERR_SYNTAX, "SCRAM: a= or nothing is wanted second");
    *ret_act_as = str_skip(act_as, 2);
    return true;
}

/* Printable, no comma (RFC 5802 §7). */
static bool nonce_ok(struct str nonce)
{
    for (size_t i = 0; i < nonce.len; i++)
        if (nonce.ptr[i] <= ' ' || nonce.ptr[i] > '~')
            return false;
    return nonce.len >= NONCE_MIN && nonce.len <= SCRAM_NONCE_MAX;
}

static bool take_first(struct scram *x, struct str bare, struct str act_as, struct err *err)
{
    struct str rest = bare, user, nonce;
    size_t len;

    if (str_starts(rest, STR("m=")))
        return err_set(err, ERR_SYNTAX, "SCRAM: an extension that must be understood is not");
    if (!eat_attribute(&rest, 'n', &user) || !unescape(user, x->user_text, &len))
        return err_set(err, ERR_SYNTAX, "SCRAM: n= and a user name are wanted");
    if (act_as.len > 0 && !str_eq(act_as, user)) /* both as written: escaped alike */
        return err_set(err, ERR_SYNTAX, "SCRAM: to act as another is not allowed");
    if (!eat_attribute(&rest, 'r', &nonce) || !nonce_ok(nonce))
        return err_set(err, ERR_SYNTAX, "SCRAM: r= and a nonce of %d to %d octets are wanted",
                       NONCE_MIN, SCRAM_NONCE_MAX);
    x->user = str_make(x->user_text, len);
    x->nonce_at = (size_t)(nonce.ptr - bare.ptr);
    x->nonce_len = nonce.len;
    buf_add(&x->auth, bare);
    return true;
}

bool scram_first(struct scram *x, struct str message, struct err *err)
{
    struct str rest = message, act_as;

    if (message.len > SCRAM_MESSAGE_MAX)
        return err_set(err, ERR_SYNTAX, "SCRAM: a message of %zu octets", message.len);
    if (!eat_header(&rest, &act_as, err) || !take_first(x, rest, act_as, err))
        return false;
    base64_add(&x->binding, str_sub(message, 0, message.len - rest.len));
    return true;
}

/* Answering ------------------------------------------------------------------------------------ */

void scram_challenge(struct scram *x, const struct scram_verifier *v, struct str nonce,
                     struct buf *to)
{
    struct str before = buf_str(&x->auth);
    size_t from = before.len + 1;

    x->verifier = *v;
    /* The nonce is in the client's message, and grows in ours. */
    buf_add(to, STR("r="));
    buf_add(to, str_sub(before, x->nonce_at, x->nonce_len));
    buf_add(to, nonce);
    x->nonce_at = from + 2;
    x->nonce_len = to->len - 2;
    buf_add(to, STR(",s="));
    base64_add(to, str_make(v->salt, sizeof v->salt));
    buf_addf(to, ",i=%u", v->iterations);
    buf_add_char(&x->auth, ',');
    buf_add(&x->auth, buf_str(to));
    assert(nonce.len <= SCRAM_NONCE_MAX && buf_ok(&x->auth) && buf_ok(to));
}

/* The proof is ClientKey XOR ClientSignature: what comes out of it must hash to what is stored
 * (RFC 5802 §3). */
static bool proof_fits(const struct scram *x, const uint8_t proof[SCRAM_HASH_BYTES])
{
    uint8_t key[SCRAM_HASH_BYTES], hash[SCRAM_HASH_BYTES];

    hmac(str_make(x->verifier.stored_key, SCRAM_HASH_BYTES), buf_str(&x->auth), key);
    xor_into(key, proof);
    (void)crypto_hash_sha256(hash, key, sizeof key);
    mem_wipe(key, sizeof key);
    return sodium_memcmp(hash, x->verifier.stored_key, sizeof hash) == 0;
}

static void add_signature(const struct scram *x, struct buf *to)
{
    uint8_t signature[SCRAM_HASH_BYTES];

    hmac(str_make(x->verifier.server_key, SCRAM_HASH_BYTES), buf_str(&x->auth), signature);
    buf_add(to, STR("v="));
    base64_add(to, str_make(signature, sizeof signature));
}

static bool read_proof(struct str text, uint8_t ret[SCRAM_HASH_BYTES])
{
    struct buf bytes;

    buf_init(&bytes, SCRAM_HASH_BYTES);
    bool ok = base64_read(&bytes, text, NULL) && bytes.len == SCRAM_HASH_BYTES;
    if (ok)
        memcpy(ret, bytes.ptr, SCRAM_HASH_BYTES);
    buf_done(&bytes);
    return ok;
}

bool scram_final(struct scram *x, struct str message, struct buf *to, bool *ret_right,
                 struct err *err)
{
    struct str rest, binding, nonce, without_proof, proof_text;
    struct str expected = str_sub(buf_str(&x->auth), x->nonce_at, x->nonce_len);
    uint8_t proof[SCRAM_HASH_BYTES];

    /* The proof is the last attribute; extensions before it are only signed. */
    if (message.len > SCRAM_MESSAGE_MAX || !str_cut_last(message, ',', &without_proof, &rest) ||
        !eat_attribute(&rest, 'p', &proof_text) || !read_proof(proof_text, proof))
        return err_set(err, ERR_SYNTAX, "SCRAM: p= and a proof are wanted last");
    rest = without_proof;
    if (!eat_attribute(&rest, 'c', &binding) || !str_eq(binding, buf_str(&x->binding)))
        return err_set(err, ERR_SYNTAX, "SCRAM: c= must repeat the header");
    if (!eat_attribute(&rest, 'r', &nonce) || !str_eq(nonce, expected))
        return err_set(err, ERR_SYNTAX, "SCRAM: r= must repeat the nonce");
    buf_add_char(&x->auth, ',');
    buf_add(&x->auth, without_proof);
    assert(buf_ok(&x->auth));
    *ret_right = proof_fits(x, proof);
    if (*ret_right)
        add_signature(x, to);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* mail/srs.c - rewrites senders, and back. */
#include "mail/srs.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define DAYS_MOD 1024 /* what two digits in base 32 can say */
#define HASH_LEN 8    /* 40 bits: guesses cost a connection each */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool srs_is_local(struct str local)
{
    if (local.len > 0 && local.ptr[0] == '"')
        local = str_skip(local, 1);
    return str_starts_nocase(local, STR("SRS0=")) || str_starts_nocase(local, STR("SRS1="));
}

static unsigned day_of(int64_t wall_ms)
{
    return (unsigned)(wall_ms / DAY_MS) % DAYS_MOD;
}

/* Of what stands behind the hash, the day and the domain, without regard to case: some hosts fold
 * local parts. */
static void hash_make(struct str tail, unsigned day, struct str domain,
                      const uint8_t secret[SRS_SECRET_BYTES], char ret[HASH_LEN])
{
    char text[2 * ADDRESS_TEXT_MAX];
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_len;
    size_t len = 0;

    assert(tail.len + domain.len + 3 <= sizeof text);
    text[len++] = digits[day / 32];
    text[len++] = digits[day % 32];
    for (size_t i = 0; i < tail.len; i++)
        text[len++] = ascii_lower(tail.ptr[i]);
    text[len++] = '@';
    for (size_t i = 0; i < domain.len; i++)
        text[len++] = ascii_lower(domain.ptr[i]);
    HMAC(EVP_sha256(), secret, SRS_SECRET_BYTES, (const uint8_t *)text, len, mac, &mac_len);
    for (size_t i = 0; i < HASH_LEN; i++)
        ret[i] = digits[mac[i] % 32];
}

static bool hash_fits(struct str hash, struct str tail, unsigned day, struct str domain,
                      const uint8_t secret[SRS_SECRET_BYTES])
{
    char want[HASH_LEN], have[HASH_LEN];

    if (hash.len != HASH_LEN)
        return false;
    hash_make(tail, day, domain, secret, want);
    for (size_t i = 0; i < HASH_LEN; i++)
        have[i] = hash.ptr[i] >= 'a' && hash.ptr[i] <= 'z' ? (char)(hash.ptr[i] - 32) : hash.ptr[i];
    return CRYPTO_memcmp(want, have, HASH_LEN) == 0;
}

/* The local part without its quotes. */
static struct str inner_of(struct str local, bool *ret_quoted)
{
    *ret_quoted = local.len >= 2 && local.ptr[0] == '"';
    return *ret_quoted ? str_sub(local, 1, local.len - 2) : local;
}

/* --- there --- */

/* What stands behind the hash. Others' SRS0 keeps its own separator; of a second rewriting only the
 * first host is kept. */
static bool add_tail(struct buf *tail, const struct address *sender, struct str local, unsigned day,
                     bool *ret_again)
{
    struct str hash, rest = str_skip(local, 5);

    *ret_again = srs_is_local(local);
    if (!*ret_again)
        buf_addf(tail, "%c%c=%.*s=%.*s", digits[day / 32], digits[day % 32],
                 STR_FMT(sender->domain), STR_FMT(local));
    else if (str_starts_nocase(local, STR("SRS1=")) && str_cut(rest, '=', &hash, &rest))
        buf_add(tail, rest);
    else
        buf_addf(tail, "%.*s=%.*s", STR_FMT(sender->domain), STR_FMT(str_skip(local, 4)));
    return buf_ok(tail);
}

bool srs_forward(struct buf *to, const struct address *sender, struct str domain,
                 const uint8_t secret[SRS_SECRET_BYTES], int64_t wall_ms, struct err *err)
{
    unsigned day = day_of(wall_ms);
    char hash[HASH_LEN];
    struct buf tail;
    bool quoted, again;
    struct str local = inner_of(sender->local, &quoted);

    buf_init(&tail, ADDRESS_PATH_MAX);
    bool ok = add_tail(&tail, sender, local, day, &again) &&
              5 + HASH_LEN + 1 + tail.len + 2 * (size_t)quoted + 1 + domain.len <= ADDRESS_PATH_MAX;
    if (ok) {
        const char *quote = quoted ? "\"" : "";
        hash_make(buf_str(&tail), day, domain, secret, hash);
        buf_addf(to, "%s%s=%.*s=%.*s%s@%.*s", quote, again ? "SRS1" : "SRS0", HASH_LEN, hash,
                 STR_FMT(buf_str(&tail)), quote, STR_FMT(domain));
    }
    buf_done(&tail);
    if (!ok || !buf_ok(to))
        return err_set(err, ERR_LIMIT, "the rewritten sender would be over %d octets",
                       ADDRESS_PATH_MAX);
    return true;
}

/* --- and back --- */

static bool digit_read(char c, unsigned *ret)
{
    const char *at = c ? strchr(digits, c >= 'a' && c <= 'z' ? c - 32 : c) : NULL;

    if (!at)
        return false;
    *ret = (unsigned)(at - digits);
    return true;
}

static bool day_is_recent(unsigned day, unsigned today)
{
    return (today + DAYS_MOD - day) % DAYS_MOD <= SRS_DAYS_MAX;
}

/* "TT=domain=local" with its hash. */
static bool reverse_first(struct buf *to, struct str hash, struct str tail, struct str domain,
                          const uint8_t secret[SRS_SECRET_BYTES], unsigned today, bool quoted,
                          struct err *err)
{
    struct str when, home, local;
    unsigned high, low;

    if (!str_cut(tail, '=', &when, &local) || !str_cut(local, '=', &home, &local) ||
        when.len != 2 || !digit_read(when.ptr[0], &high) || !digit_read(when.ptr[1], &low))
        return err_set(err, ERR_SYNTAX, "it has not the parts of an SRS0 address");
    if (!hash_fits(hash, tail, high * 32 + low, domain, secret))
        return err_set(err, ERR_DENIED, "its hash does not fit");
    if (!day_is_recent(high * 32 + low, today))
        return err_set(err, ERR_DENIED, "it is older than %d days", SRS_DAYS_MAX);
    const char *quote = quoted ? "\"" : "";
    buf_addf(to, "%s%.*s%s@%.*s", quote, STR_FMT(local), quote, STR_FMT(home));
    return buf_ok(to) || err_set(err, ERR_LIMIT, "too long");
}

/* "first.example==…": back to the first host's own. The day is found by trying. */
static bool reverse_again(struct buf *to, struct str hash, struct str tail, struct str domain,
                          const uint8_t secret[SRS_SECRET_BYTES], unsigned today, bool quoted,
                          struct err *err)
{
    struct str first, rest;
    bool fits = false;

    if (!str_cut(tail, '=', &first, &rest))
        return err_set(err, ERR_SYNTAX, "it has not the parts of an SRS1 address");
    for (unsigned ago = 0; !fits && ago <= SRS_DAYS_MAX; ago++)
        fits = hash_fits(hash, tail, (today + DAYS_MOD - ago) % DAYS_MOD, domain, secret);
    if (!fits)
        return err_set(err, ERR_DENIED, "its hash does not fit, or it is older than %d days",
                       SRS_DAYS_MAX);
    const char *quote = quoted ? "\"" : "";
    buf_addf(to, "%sSRS0%.*s%s@%.*s", quote, STR_FMT(rest), quote, STR_FMT(first));
    return buf_ok(to) || err_set(err, ERR_LIMIT, "too long");
}

bool srs_reverse(struct buf *to, const struct address *rewritten,
                 const uint8_t secret[SRS_SECRET_BYTES], int64_t wall_ms, struct err *err)
{
    bool quoted;
    struct str hash, tail, local = inner_of(rewritten->local, &quoted);
    unsigned today = day_of(wall_ms);

    if (!srs_is_local(local) || !str_cut(str_skip(local, 5), '=', &hash, &tail))
        return err_set(err, ERR_SYNTAX, "it is no rewritten address");
    return local.ptr[3] == '0'
               ? reverse_first(to, hash, tail, rewritten->domain, secret, today, quoted, err)
               : reverse_again(to, hash, tail, rewritten->domain, secret, today, quoted, err);
}

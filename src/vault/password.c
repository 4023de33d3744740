// SPDX-License-Identifier: Apache-2.0
/* vault/password.c - argon2id as libsodium has it, at the cost meant for people who wait. */
#include "vault/password.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#include "base/code.h"
#include "base/mem.h"
#include "io/clock.h"

static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES, "libsodium's text form");

bool password_ok(struct str password, struct err *err)
{
    if (password.len < PASSWORD_MIN || password.len > PASSWORD_MAX)
        return err_set(err, ERR_SYNTAX, "password: %d to %d octets are wanted, these are %zu",
                       PASSWORD_MIN, PASSWORD_MAX, password.len);
    for (size_t i = 0; i < password.len; i++)
        if ((unsigned char)password.ptr[i] < ' ' || password.ptr[i] == 0x7f)
            return err_set(err, ERR_SYNTAX, "password: no control characters are wanted");
    return utf8_ok(password) || err_set(err, ERR_SYNTAX, "password: UTF-8 is wanted");
}

void password_make(char text[PASSWORD_MADE_LEN + 1])
{
    static const char letters[] = "23456789abcdefghijkmnpqrstuvwxyz";

    static_assert(sizeof letters == 32 + 1, "five bits each");
    for (size_t i = 0; i < PASSWORD_MADE_LEN; i++)
        text[i] = i % 6 == 5 ? '-' : letters[random_below(32)];
    text[PASSWORD_MADE_LEN] = '\0';
}

bool password_hash(struct str password, char ret[PASSWORD_HASH_BYTES], struct err *err)
{
    return crypto_pwhash_str_alg(
               ret, password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
               crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) == 0 ||
           err_set(err, ERR_IO, "no memory to hash a password");
}

void password_nobody(char ret[PASSWORD_HASH_BYTES])
{
    enum { FORM = sodium_base64_VARIANT_ORIGINAL_NO_PADDING };
    uint8_t salt[crypto_pwhash_SALTBYTES], hash[32];
    char salt_text[32], hash_text[64];

    random_bytes(salt, sizeof salt);
    random_bytes(hash, sizeof hash);
    int len = snprintf(ret, PASSWORD_HASH_BYTES, "$argon2id$v=19$m=%llu,t=%llu,p=1$%s$%s",
                       (unsigned long long)crypto_pwhash_MEMLIMIT_INTERACTIVE / 1024,
                       (unsigned long long)crypto_pwhash_OPSLIMIT_INTERACTIVE,
                       sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt, FORM),
                       sodium_bin2base64(hash_text, sizeof hash_text, hash, sizeof hash, FORM));
    assert(len > 0 && len < PASSWORD_HASH_BYTES);
}

bool password_check(struct str hash, struct str password, struct err *err)
{
    char text[PASSWORD_HASH_BYTES];

    if (hash.len == 0 || hash.len >= sizeof text)
        return err_set(err, ERR_IO, "that is no hash of a password");
    memcpy(text, hash.ptr, hash.len);
    text[hash.len] = '\0';
    errno = 0;
    if (crypto_pwhash_str_verify(text, password.ptr, password.len) == 0)
        return true;
    return errno == ENOMEM ? err_set(err, ERR_IO, "no memory to check a password")
                           : err_set(err, ERR_DENIED, "the password is wrong");
}

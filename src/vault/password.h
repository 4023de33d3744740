// SPDX-License-Identifier: Apache-2.0
/* vault/password.h - passwords that people choose: kept by argon2id, which makes each guess dear
 * (fault A05). Hashing and checking take tens of milliseconds and 64 MiB: on a worker. */
#pragma once

#include "base/str.h"
#include "vault/control.h"

#define PASSWORD_MIN 12
#define PASSWORD_MAX 256
#define PASSWORD_HASH_BYTES 128 /* with its NUL: crypto_pwhash_STRBYTES */
/* Letters and digits that are not mistaken for each other, in groups: over 110 bits. */
#define PASSWORD_MADE_LEN 29

/* Long enough, not too long, no control characters, UTF-8. ERR_SYNTAX. */
MUST_USE bool password_ok(struct str password, struct err *err);
/* One for those who name none; whoever asked wipes it when it was shown. */
void password_make(char text[PASSWORD_MADE_LEN + 1]);
/* ERR_IO: no memory for it. Blocks. */
MUST_USE bool password_hash(struct str password, char ret[PASSWORD_HASH_BYTES], struct err *err);
/* A hash that no password has; to compare with it costs what any other does (fault A04). */
void password_nobody(char ret[PASSWORD_HASH_BYTES]);
/* ERR_DENIED: wrong; ERR_IO: no memory to find out. Blocks. */
MUST_USE bool password_check(struct str hash, struct str password, struct err *err);

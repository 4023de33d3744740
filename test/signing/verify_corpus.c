// SPDX-License-Identifier: Apache-2.0
/* test/signing/verify_corpus.c - judges the first signature of messages from standard input with
 * mail/dkim.h; the key's record is its argument.
 *
 *     in    BYTES      then so many octets
 *     out   good       or why not
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "mail/dkim.h"
#include "mail/header.h"

#define MESSAGE_MAX (16u << 20)

static void hash_body(const struct dkim_signature *s, struct str body, uint8_t ret[DKIM_HASH_BYTES])
{
    struct dkim_body b = { 0 };

    dkim_body_begin(&b, s->body_form, s->body_length);
    dkim_body_add(&b, body);
    dkim_body_end(&b, ret);
    dkim_body_done(&b);
}

static bool judge(struct str record, struct str message, struct arena *a, struct err *err)
{
    struct str section = str_sub(message, 0, header_end(message));
    uint8_t header_hash[DKIM_HASH_BYTES], body_hash[DKIM_HASH_BYTES];
    struct dkim_signature s;
    struct dkim_key key;
    size_t at = 0;

    if (!dkim_key_read(record, a, &key, err))
        return false;
    if (!dkim_signature_next(section, &at, a, &s, err))
        return err_set(err, ERR_NOT_FOUND, "no signature");
    if (!s.algorithm)
        return false;
    hash_body(&s, str_skip(message, section.len), body_hash);
    return dkim_header_hash(section, &s, header_hash, err) &&
           dkim_verify(&s, &key, header_hash, body_hash, time(NULL), err);
}

int main(int argc, char **argv)
{
    size_t bytes;

    while (argc == 2 && scanf("%zu", &bytes) == 1 && getchar() == '\n' && bytes <= MESSAGE_MAX) {
        char *message = mem_new(bytes + 1);
        struct err err = { 0 };
        struct arena a;

        arena_init(&a, 4096);
        if (fread(message, 1, bytes, stdin) != bytes)
            return 1;
        puts(judge(str_of(argv[1]), str_make(message, bytes), &a, &err) ? "good" : err.text);
        fflush(stdout);
        arena_done(&a);
        free(message);
    }
    return 0;
}

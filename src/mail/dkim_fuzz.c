// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_fuzz.c - outside bytes as signature, key record and header section. */
#include <stdlib.h>

#include "mail/dkim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void check_key(struct str record, struct arena *a, struct dkim_key *ret)
{
    struct err err;

    if (!dkim_key_read(record, a, ret, &err)) {
        must(err.kind == ERR_SYNTAX && err.text[0] != '\0');
        must(!dkim_key_same(record, record));
        return;
    }
    must(ret->revoked == (ret->bytes.len == 0));
    must(ret->revoked ||
         (ret->algorithm == DKIM_RSA_SHA256 ? ret->bits >= 1024 : ret->bytes.len == 32));
    must(dkim_key_same(record, record));
}

static void check_signature(struct str section, const struct dkim_signature *s,
                            const struct dkim_key *key)
{
    uint8_t hash[DKIM_HASH_BYTES] = { 0 };
    struct err err;

    must(s->offset + s->len <= section.len && s->domain.len > 0 && s->selector.len > 0);
    must(s->signature.len >= 64 && s->expires_s >= 0);
    if (dkim_header_hash(section, s, hash, &err))
        must(dkim_signature_survives(s, section, section));
    else
        must(err.kind != ERR_NONE);
    if (key->algorithm)
        must(dkim_verify(s, key, hash, s->body_hash, 0, &err) || err.kind == ERR_SYNTAX);
}

/* What we write, over whatever header, reads as a signature over the same. */
static void check_sign(struct str section, struct arena *a)
{
    struct dkim_sign with = { .algorithm = DKIM_RSA_SHA256,
                              .domain = STR("example.org"),
                              .selector = STR("s1"),
                              .signed_s = 1,
                              .expires_s = 2 };
    uint8_t body[DKIM_HASH_BYTES] = { 0 }, hash[DKIM_HASH_BYTES], again[DKIM_HASH_BYTES];
    char signature[256] = "x";
    struct dkim_signature read;
    struct buf field, signed_section;
    struct err err;
    size_t at = 0;

    buf_init(&field, 1 << 20);
    buf_init(&signed_section, 1 << 21);
    if (dkim_sign_begin(&field, section, &with, body, hash, &err)) {
        must(dkim_sign_end(&signed_section, buf_str(&field), str_make(signature, 256)));
        buf_add(&signed_section, section);
        must(dkim_signature_next(buf_str(&signed_section), &at, a, &read, &err));
        if (read.algorithm) /* else h= is too long to be looked at */
            must(dkim_header_hash(buf_str(&signed_section), &read, again, &err) &&
                 memcmp(hash, again, sizeof(hash)) == 0);
    }
    buf_done(&field);
    buf_done(&signed_section);
}

/* Record, newline, section. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make(data, size), record, section;
    struct dkim_signature s;
    struct dkim_key key = { 0 };
    struct arena a;
    struct err err;

    if (!str_cut(in, '\n', &record, &section))
        return 0;
    arena_init(&a, 4096);
    check_key(record, &a, &key);
    for (size_t at = 0; dkim_signature_next(section, &at, &a, &s, &err);)
        if (s.algorithm)
            check_signature(section, &s, &key);
    if (section.len > 0 && section.ptr[0] != ' ' && section.ptr[0] != '\t') /* would be a fold */
        check_sign(section, &a);
    arena_done(&a);
    return 0;
}

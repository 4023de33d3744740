// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_body_fuzz.c - the streaming canonical form of a body against one that is written down,
 * line by line, from a whole buffer (fault Y02). */
#include <openssl/evp.h>
#include <stdlib.h>

#include "mail/dkim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 6376 §3.4.4 (a). */
static void add_reduced(struct buf *to, struct str line)
{
    while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
        line.len--;
    for (size_t i = 0; i < line.len; i++) {
        if (!is_blank(line.ptr[i]))
            buf_add_char(to, line.ptr[i]);
        else if (i == 0 || !is_blank(line.ptr[i - 1]))
            buf_add_char(to, ' ');
    }
}

static void canonical(struct buf *to, struct str body, bool relaxed)
{
    size_t end = 0; /* behind the last line that is not empty */

    while (body.len > 0) {
        size_t len = str_find(body, STR("\r\n")), was = to->len;

        if (relaxed)
            add_reduced(to, str_sub(body, 0, len));
        else
            buf_add(to, str_sub(body, 0, len));
        bool empty = to->len == was;
        buf_add(to, STR("\r\n"));
        if (!empty)
            end = to->len;
        body = str_skip(body, len + 2);
    }
    to->len = end;
    if (!relaxed && end == 0)
        buf_add(to, STR("\r\n"));
}

static void check(struct str body, size_t at, bool relaxed, uint64_t most)
{
    uint8_t got[DKIM_HASH_BYTES], want[DKIM_HASH_BYTES];
    struct dkim_body b = { 0 };
    struct buf whole;

    dkim_body_begin(&b, relaxed ? DKIM_RELAXED : DKIM_SIMPLE, most);
    dkim_body_add(&b, str_sub(body, 0, at));
    dkim_body_add(&b, str_sub(body, at, 1));
    dkim_body_add(&b, str_skip(body, at + 1));
    dkim_body_end(&b, got);
    dkim_body_done(&b);

    buf_init(&whole, 1 << 24);
    canonical(&whole, body, relaxed);
    must(EVP_Digest(whole.ptr, whole.len < most ? whole.len : most, want, NULL, EVP_sha256(),
                    NULL) == 1);
    must(memcmp(got, want, sizeof(got)) == 0);
    buf_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body;

    if (size < 3)
        return 0;
    body = str_make(data + 2, size - 2);
    check(body, data[0] % body.len, true, UINT64_MAX);
    check(body, data[0] % body.len, false, UINT64_MAX);
    check(body, data[0] % body.len, true, data[1]);
    return 0;
}

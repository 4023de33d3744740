// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_header_fuzz.c - the relaxed form of a header field against one that is written down
 * step by step, as RFC 6376 §3.4.2 lists them (fault Y02). */
#include <openssl/evp.h>
#include <stdlib.h>

#include "mail/dkim_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Line ends within go, blanks become one each. */
static void add_unfolded(struct buf *to, struct str value)
{
    struct buf lines;

    buf_init(&lines, 1 << 20);
    for (size_t i = 0; i < value.len; i++) {
        bool cr_of_line = value.ptr[i] == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n';

        if (value.ptr[i] != '\n' && !cr_of_line)
            buf_add_char(&lines, is_blank(value.ptr[i]) ? ' ' : value.ptr[i]);
    }
    for (size_t i = 0; i < lines.len; i++)
        if (lines.ptr[i] != ' ' || i == 0 || lines.ptr[i - 1] != ' ')
            buf_add_char(to, lines.ptr[i]);
    buf_done(&lines);
}

static void canonical(struct buf *to, const struct header_field *f)
{
    struct buf value;

    for (size_t i = 0; i < f->name.len; i++)
        buf_add_char(to, ascii_lower(f->name.ptr[i]));
    buf_add_char(to, ':');
    buf_init(&value, 1 << 20);
    add_unfolded(&value, f->value);
    buf_add(to, str_trim(buf_str(&value)));
    buf_add(to, STR("\r\n"));
    buf_done(&value);
}

/* All fields of the section, one behind the other. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str section = str_make(data, size);
    uint8_t got[DKIM_HASH_BYTES], want[DKIM_HASH_BYTES];
    void *context = dkim_context_new();
    struct dkim_digest d = { .context = context, .left = UINT64_MAX };
    struct header_field f;
    struct buf whole;

    buf_init(&whole, 1 << 21);
    dkim_context_begin(context);
    for (size_t at = 0; header_next(section, &at, &f);) {
        dkim_header_add(&d, DKIM_RELAXED, str_sub(section, f.offset, f.len));
        canonical(&whole, &f);
    }
    dkim_digest_flush(&d);
    dkim_context_end(context, got);
    dkim_context_free(context);
    if (EVP_Digest(whole.ptr, whole.len, want, NULL, EVP_sha256(), NULL) != 1 ||
        memcmp(got, want, sizeof(got)) != 0)
        abort();
    buf_done(&whole);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* mail/address_fuzz.c - whatever is taken as an address can stand in a command, and reads back as
 * itself. */
#include <stdlib.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void check(const struct address *a)
{
    struct address again;
    struct buf text;

    buf_init(&text, ADDRESS_TEXT_MAX);
    must(address_format(&text, a));
    must(memchr(text.ptr, '\r', text.len) == NULL && memchr(text.ptr, '\n', text.len) == NULL);
    must(memchr(text.ptr, '\0', text.len) == NULL);
    if (a->domain.len > 0)
        must(address_parse(buf_str(&text), &again, NULL) && address_eq(a, &again));
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make(data, size), rest = text;
    struct address a;
    struct buf ascii;

    if (address_parse(text, &a, NULL))
        check(&a);
    if (path_parse(&rest, PATH_FORWARD, &a, NULL))
        check(&a);
    buf_init(&ascii, ADDRESS_DOMAIN_MAX);
    if (domain_ascii(&ascii, text, NULL))
        must(domain_ok(buf_str(&ascii), false));
    buf_done(&ascii);
    (void)helo_ok(text);
    return 0;
}

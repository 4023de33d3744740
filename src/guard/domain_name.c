// SPDX-License-Identifier: Apache-2.0
/* guard/domain_name.c - most domains are as tables have them already: those cost nothing. */
#include "guard/domain_name.h"

#include "mail/address.h"

static bool convert(struct str domain, struct arena *a, struct str *ret)
{
    struct buf ascii;

    buf_init(&ascii, ADDRESS_DOMAIN_MAX);
    bool ok = domain_ascii(&ascii, domain, NULL);
    if (ok)
        *ret = arena_str(a, buf_str(&ascii));
    buf_done(&ascii);
    return ok;
}

bool domain_name(struct str domain, struct arena *a, struct str *ret)
{
    for (size_t i = 0; i < domain.len; i++) {
        unsigned char c = (unsigned char)domain.ptr[i];
        if (c > 127 || (c >= 'A' && c <= 'Z') || (c == '.' && i + 1 == domain.len))
            return convert(domain, a, ret);
    }
    if (!domain_ok(domain, false))
        return false;
    *ret = domain;
    return true;
}

bool domain_name_is_below(struct str domain, struct str above)
{
    return str_eq(domain, above) ||
           (domain.len > above.len && domain.ptr[domain.len - above.len - 1] == '.' &&
            str_eq(str_skip(domain, domain.len - above.len), above));
}

// SPDX-License-Identifier: Apache-2.0
/* vault/suffix.c - libpsl's built-in list. */
#include "vault/suffix.h"

#include <libpsl.h>

#include "base/buf.h"

enum { NAME_BYTES_MAX = 256 };

/* A TLD that is not on the list is no public suffix by that alone: names within an organisation. */
static bool is_suffix(struct str domain, int types)
{
    struct buf name;

    if (str_index(domain, '.') == domain.len)
        return true;
    buf_init(&name, NAME_BYTES_MAX);
    buf_add(&name, domain);
    bool is = psl_is_public_suffix2(psl_builtin(), buf_cstr(&name), types) != 0;
    buf_done(&name);
    return is;
}

bool suffix_is_public(struct str domain)
{
    return is_suffix(domain, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

bool suffix_has_tenants(struct str domain)
{
    return is_suffix(domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

struct str suffix_registered(struct str domain)
{
    for (struct str at = domain; at.len > 0;) {
        const struct str above = str_skip(at, str_index(at, '.') + 1);
        if (suffix_has_tenants(above))
            return at;
        at = above;
    }
    return domain;
}

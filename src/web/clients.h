// SPDX-License-Identifier: Apache-2.0
/* web/clients.h - what mail programs are told so that nobody has to type it: Thunderbird's
 * autoconfig, Outlook's autodiscover, and the DNS records of RFC 6186 and RFC 8314 (R07). Pure.
 *
 * It is how mail is handed in. Where a domain's mail is read is not this relay's to know, so
 * nothing is said of it. The same is said for every domain: nobody learns who is a customer. */
#pragma once

#include "base/buf.h"
#include "config/config.h"

/* Who asks, as far as it is known: an address, or a domain alone. Both may be anything. */
struct clients_for {
    struct str address; /* empty: not said */
    struct str domain;
};

/* https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat */
bool clients_autoconfig(const struct config *c, const struct clients_for *who, struct buf *to);
/* [MS-OXDISCO], [MS-OXDSCLI]: the "POX" answer. */
bool clients_autodiscover(const struct config *c, const struct clients_for *who, struct buf *to);
/* Lines of a zone file for `domain`. */
bool clients_records(const struct config *c, struct str domain, struct buf *to);

/* All three as rows of JSON, {"name", "text"}, with commas between. */
bool clients_rows(const struct config *c, struct str domain, struct buf *to);

/* Text as XML takes it, in elements and attributes. What XML 1.0 has no way to say becomes U+FFFD.
 */
void xml_text(struct buf *to, struct str text);

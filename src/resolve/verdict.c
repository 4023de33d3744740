// SPDX-License-Identifier: Apache-2.0
/* resolve/verdict.c - the one table of codes for what DNS says: RFC 5321 §5.1, RFC 3463 §3.2 and
 * §3.5, RFC 7505 §4.
 *
 * X.1.2 is for a domain that cannot take mail, X.4.4 for one that names a next hop to which there
 * is no way, X.4.6 for a loop, X.4.3 for a directory, here DNS, that fails. */
#include "resolve/verdict.h"

static const struct {
    uint16_t code;
    struct status status;
    const char *text;
} verdicts[] = {
    [VERDICT_OK] = { 0, { 0, 0, 0 }, "" },
    [VERDICT_BAD_NAME] = { 553, { 5, 1, 3 }, "what stands behind the @ is not a domain name" },
    [VERDICT_LITERAL] = { 550, { 5, 1, 2 }, "mail to an address in brackets is not allowed here" },
    [VERDICT_NO_DOMAIN] = { 550, { 5, 1, 2 }, "the domain does not exist in DNS" },
    [VERDICT_NULL_MX] = { 556,
                          { 5, 1, 10 },
                          "the domain says in DNS that it takes no mail (null MX)" },
    [VERDICT_BAD_MX] = { 550, { 5, 4, 4 }, "the domain's MX records name no mail server" },
    [VERDICT_LOOP] = { 554,
                       { 5, 4, 6 },
                       "the domain's mail servers in DNS are this server itself: mail loop" },
    [VERDICT_NO_ADDRESS] = { 550, { 5, 1, 2 }, "the domain's mail servers have no address in DNS" },
    [VERDICT_NOT_PUBLIC] = { 550,
                             { 5, 4, 4 },
                             "the domain's mail servers have only addresses that are not public" },
    [VERDICT_TEMP] = { 451, { 4, 4, 3 }, "DNS gives no answer for the domain now" },
    [VERDICT_BUSY] = { 451, { 4, 4, 3 }, "too many DNS questions at once" },
};

struct reply verdict_reply(enum verdict v)
{
    return (struct reply){ .code = verdicts[v].code,
                           .status = verdicts[v].status,
                           .text = str_of(verdicts[v].text) };
}

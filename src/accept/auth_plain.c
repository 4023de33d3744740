// SPDX-License-Identifier: Apache-2.0
/* accept/auth_plain.c - the message of SASL PLAIN (RFC 4616, fault B07). */
#include "accept/auth_plain.h"

bool auth_plain_parse(struct str message, struct auth_plain *ret)
{
    struct str act_as, user, secret;

    if (!str_cut(message, '\0', &act_as, &message) || !str_cut(message, '\0', &user, &secret))
        return false;
    if (user.len == 0 || secret.len == 0 || str_index(secret, '\0') < secret.len)
        return false;
    if (act_as.len > 0 && !str_eq(act_as, user))
        return false;
    *ret = (struct auth_plain){ .user = user, .secret = secret };
    return true;
}

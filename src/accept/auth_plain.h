// SPDX-License-Identifier: Apache-2.0
/* accept/auth_plain.h - the message of SASL PLAIN. Pure. */
#pragma once

#include "base/str.h"

struct auth_plain {
    struct str user, secret; /* pieces of the message */
};
/* [authzid] NUL authcid NUL passwd (RFC 4616 §2). An identity to act as is accepted when it is the
 * user itself. False: any other form, an empty user or password, another identity. */
MUST_USE bool auth_plain_parse(struct str message, struct auth_plain *ret);

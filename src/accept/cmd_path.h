// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_path.h - what MAIL and RCPT share: refusing a path or a parameter in words that help.
 */
#pragma once

#include "accept/session.h"

/* `args` as it was where the path was looked for: without angle bracket the form is wrong, else the
 * address within. */
static inline void path_refuse(struct session *s, enum reply_id form, enum reply_id address,
                               struct str args, const struct err *why)
{
    bool has_path = args.len > 0 && args.ptr[0] == '<';

    session_refuse_args(s, has_path ? address : form, str_of(why->text), STR_NONE);
}

static inline void param_refuse(struct session *s, const struct err *why)
{
    enum reply_id id = why->kind == ERR_NOT_FOUND ? REPLY_PARAM_UNKNOWN : REPLY_PARAM_VALUE;

    session_refuse_args(s, id, str_of(why->text), STR_NONE);
}

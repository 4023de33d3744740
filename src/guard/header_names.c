// SPDX-License-Identifier: Apache-2.0
/* guard/header_names.c - names of header fields to numbers and back. */
#include "guard/header_names.h"

static const struct str names[HEADER_NAMES] = {
    [HEADER_DATE] = STR("Date"),
    [HEADER_FROM] = STR("From"),
    [HEADER_SENDER] = STR("Sender"),
    [HEADER_REPLY_TO] = STR("Reply-To"),
    [HEADER_TO] = STR("To"),
    [HEADER_CC] = STR("Cc"),
    [HEADER_BCC] = STR("Bcc"),
    [HEADER_MESSAGE_ID] = STR("Message-ID"),
    [HEADER_IN_REPLY_TO] = STR("In-Reply-To"),
    [HEADER_REFERENCES] = STR("References"),
    [HEADER_SUBJECT] = STR("Subject"),
    [HEADER_MIME_VERSION] = STR("MIME-Version"),
    [HEADER_CONTENT_TYPE] = STR("Content-Type"),
    [HEADER_CONTENT_ENCODING] = STR("Content-Transfer-Encoding"),
    [HEADER_CONTENT_ID] = STR("Content-ID"),
    [HEADER_CONTENT_DESCRIPTION] = STR("Content-Description"),
    [HEADER_RECEIVED] = STR("Received"),
    [HEADER_DKIM_SIGNATURE] = STR("DKIM-Signature"),
    [HEADER_RESENT_FROM] = STR("Resent-From"),
    [HEADER_RESENT_SENDER] = STR("Resent-Sender"),
    [HEADER_LIST_UNSUBSCRIBE] = STR("List-Unsubscribe"),
    [HEADER_LIST_UNSUBSCRIBE_POST] = STR("List-Unsubscribe-Post"),
    [HEADER_BATON_STREAM] = STR("X-Baton-Stream"),
};

enum header_name header_name_of(struct str name)
{
    for (enum header_name i = HEADER_OTHER + 1; name.len > 0 && i < HEADER_NAMES; i++)
        if (names[i].len == name.len && ((names[i].ptr[0] ^ name.ptr[0]) & 0x1f) == 0 &&
            str_eq_nocase(names[i], name))
            return i;
    return HEADER_OTHER;
}

struct str header_name_text(enum header_name name)
{
    return names[name];
}

// SPDX-License-Identifier: Apache-2.0
/* guard/header_names.h - the header fields that policy asks about, each with a number. */
#pragma once

#include "mail/header.h"

enum header_name {
    HEADER_OTHER,
    /* may stand once (RFC 5322 §3.6; RFC 2045 §3) */
    HEADER_DATE,
    HEADER_FROM,
    HEADER_SENDER,
    HEADER_REPLY_TO,
    HEADER_TO,
    HEADER_CC,
    HEADER_BCC,
    HEADER_MESSAGE_ID,
    HEADER_IN_REPLY_TO,
    HEADER_REFERENCES,
    HEADER_SUBJECT,
    HEADER_MIME_VERSION,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_ID,
    HEADER_CONTENT_DESCRIPTION,
    HEADER_ONCE_END,
    /* may stand more often */
    HEADER_RECEIVED,
    HEADER_DKIM_SIGNATURE,
    HEADER_RESENT_FROM,
    HEADER_RESENT_SENDER,
    HEADER_LIST_UNSUBSCRIBE,
    HEADER_LIST_UNSUBSCRIBE_POST,
    HEADER_BATON_STREAM,
    HEADER_NAMES
};
enum header_name header_name_of(struct str name);
struct str header_name_text(enum header_name name);

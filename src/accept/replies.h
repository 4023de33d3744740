// SPDX-License-Identifier: Apache-2.0
/* accept/replies.h - everything that this server says, in one table: code, enhanced status code
 * (RFC 3463, RFC 2034), words. A refusal names the rule, the limit, and what to do. */
#pragma once

#include "mail/reply.h"

enum reply_id {
    /* going well */
    REPLY_GREETING,
    REPLY_BYE,
    REPLY_OK,
    REPLY_RESET,
    REPLY_SENDER_OK,
    REPLY_RECIPIENT_OK,
    REPLY_SEND_CONTENT,
    REPLY_CHUNK_TAKEN,
    REPLY_QUEUED,
    REPLY_VRFY,
    REPLY_START_TLS,
    REPLY_AUTH_OK,
    REPLY_AUTH_GO_ON,
    /* the session */
    REPLY_EARLY_TALKER,
    REPLY_SESSIONS_FULL,
    REPLY_STARTING,
    REPLY_RESTARTED,
    REPLY_SHUTDOWN,
    REPLY_SESSION_REFUSED,
    REPLY_IDLE,
    REPLY_SESSION_TOO_LONG,
    REPLY_TOO_SLOW,
    REPLY_BAD_COMMANDS,
    REPLY_MESSAGES_MAX,
    REPLY_NOT_SMTP,
    /* the line */
    REPLY_LINE_TOO_LONG,
    REPLY_BARE_LF,
    REPLY_BARE_CR,
    REPLY_CONTROL,
    REPLY_UNKNOWN_VERB,
    REPLY_NO_ARGUMENTS,
    REPLY_ARGUMENT_MISSING,
    REPLY_HELO_FIRST,
    REPLY_HELO_SYNTAX,
    REPLY_IN_TRANSACTION,
    /* STARTTLS and AUTH */
    REPLY_TLS_ALREADY,
    REPLY_TLS_NONE,
    REPLY_AUTH_FIRST,
    REPLY_AUTH_NOT_HERE,
    REPLY_AUTH_NEEDS_TLS,
    REPLY_AUTH_ALREADY,
    REPLY_AUTH_MECHANISM,
    REPLY_AUTH_BASE64,
    REPLY_AUTH_FORM,
    REPLY_AUTH_CANCELLED,
    REPLY_AUTH_LINE,
    REPLY_AUTH_SCRAM,
    REPLY_AUTH_REFUSED,
    REPLY_AUTH_SUSPENDED,
    REPLY_AUTH_LATER,
    REPLY_AUTH_FAILURES,
    /* MAIL and RCPT */
    REPLY_MAIL_FORM,
    REPLY_MAIL_TWICE,
    REPLY_RCPT_FORM,
    REPLY_ADDRESS,
    REPLY_SENDER_ADDRESS,
    REPLY_ADDRESS_UTF8,
    REPLY_SENDER_UTF8,
    REPLY_PARAM_UNKNOWN,
    REPLY_PARAM_VALUE,
    REPLY_SIZE_DECLARED,
    REPLY_MAIL_FIRST,
    REPLY_RECIPIENTS_MAX,
    REPLY_ADMISSION,
    REPLY_CHUNKING_HAS_BEGUN,
    /* content */
    REPLY_NO_RECIPIENTS,
    REPLY_BINARY_NEEDS_BDAT,
    REPLY_BDAT_FORM,
    REPLY_CONTENT_SIZE,
    REPLY_CONTENT_BARE_LF,
    REPLY_CONTENT_BARE_CR,
    REPLY_CONTENT_NUL,
    REPLY_HEADER_SIZE,
    REPLY_HEADER_FIELDS,
    REPLY_LOOP_RECEIVED,
    REPLY_LOOP_NAME,
    REPLY_CORE_GONE,
    REPLY_CONTENT_REFUSED,
    REPLY_IDS
};

/* A number for {}. */
struct number {
    char text[24];
};
struct number number_text(uint64_t n);

/* The reply with each {} in its words replaced by the next of `args`. Its text is static, or lies
 * in `words`, which is cleared first. */
struct reply replies_make(enum reply_id id, const struct str *args, size_t count,
                          struct buf *words);

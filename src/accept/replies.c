// SPDX-License-Identifier: Apache-2.0
/* accept/replies.c - the table of everything that this server says. */
#include "accept/replies.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

struct row {
    uint16_t code;
    struct status status;
    struct str text; /* {}: the next argument; a line break begins a new line of the reply */
};

#define NO_STATUS \
    {             \
        0, 0, 0   \
    }
#define TEXT(lit)            \
    {                        \
        lit, sizeof(lit) - 1 \
    }

static const struct row rows[REPLY_IDS] = {
    [REPLY_GREETING] = { 220, NO_STATUS, TEXT("{} ESMTP baton ready; say HELP for help") },
    [REPLY_BYE] = { 221, { 2, 0, 0 }, TEXT("{} closes the connection; good-bye") },
    [REPLY_OK] = { 250, { 2, 0, 0 }, TEXT("OK") },
    [REPLY_RESET] = { 250, { 2, 0, 0 }, TEXT("OK, nothing is pending") },
    [REPLY_SENDER_OK] = { 250, { 2, 1, 0 }, TEXT("sender OK") },
    [REPLY_RECIPIENT_OK] = { 250, { 2, 1, 5 }, TEXT("recipient OK") },
    [REPLY_SEND_CONTENT] = { 354, NO_STATUS,
                             TEXT("send the message; end it with a line that holds only a dot") },
    [REPLY_CHUNK_TAKEN] = { 250, { 2, 0, 0 }, TEXT("{} octets received") },
    [REPLY_QUEUED] = { 250, { 2, 0, 0 }, TEXT("queued as {}") },
    [REPLY_VRFY] = { 252,
                     { 2, 5, 2 },
                     TEXT("cannot verify, but will take mail and try to deliver it") },
    [REPLY_START_TLS] = { 220, { 2, 0, 0 }, TEXT("ready to start TLS") },
    [REPLY_AUTH_OK] = { 235, { 2, 7, 0 }, TEXT("authentication succeeded") },
    [REPLY_AUTH_GO_ON] = { 334, NO_STATUS, TEXT("{}") },

    [REPLY_EARLY_TALKER] = { 554,
                             { 5, 5, 0 },
                             TEXT("[EARLY] you spoke before the greeting; wait for 220 first") },
    [REPLY_SESSIONS_FULL] = { 421,
                              { 4, 3, 2 },
                              TEXT("all {} sessions are in use (limits.sessions); try again "
                                   "later") },
    [REPLY_STARTING] = { 421,
                         { 4, 3, 2 },
                         TEXT("a part of this server is starting; try again in a minute") },
    [REPLY_RESTARTED] = { 421,
                          { 4, 3, 2 },
                          TEXT("a part of this server was restarted; connect again") },
    [REPLY_SHUTDOWN] = { 421, { 4, 3, 2 }, TEXT("this server is stopping; connect again later") },
    [REPLY_SESSION_REFUSED] = { 421, { 4, 7, 0 }, TEXT("{}") },
    [REPLY_IDLE] = { 421,
                     { 4, 4, 2 },
                     TEXT("no command for {} s (timeouts.command); closing the connection") },
    [REPLY_SESSION_TOO_LONG] = { 421,
                                 { 4, 7, 0 },
                                 TEXT("a session without authentication may last {} s "
                                      "(timeouts.session_unauthenticated)") },
    [REPLY_TOO_SLOW] = { 421,
                         { 4, 4, 2 },
                         TEXT("content stopped or came too slowly (timeouts.data_in, "
                              "timeouts.data_min_rate); closing the connection") },
    [REPLY_BAD_COMMANDS] = { 421,
                             { 4, 7, 0 },
                             TEXT("{} commands were refused (limits.bad_commands); closing the "
                                  "connection") },
    [REPLY_MESSAGES_MAX] = { 421,
                             { 4, 7, 0 },
                             TEXT("{} messages in one session are the limit "
                                  "(limits.messages_per_session); connect again") },
    [REPLY_NOT_SMTP] = { 554, { 5, 5, 1 }, TEXT("this is a mail server; it does not speak HTTP") },

    [REPLY_LINE_TOO_LONG] = { 500,
                              { 5, 5, 2 },
                              TEXT("the line is over {} octets (limits.command_line)") },
    [REPLY_BARE_LF] = { 500,
                        { 5, 5, 2 },
                        TEXT("end lines with CRLF, not with LF alone: use `telnet` or `openssl "
                             "s_client -crlf`") },
    [REPLY_BARE_CR] = { 500,
                        { 5, 5, 2 },
                        TEXT("a CR without LF in the line; end lines with CRLF") },
    [REPLY_CONTROL] = { 500, { 5, 5, 2 }, TEXT("a control character in the line") },
    [REPLY_UNKNOWN_VERB] = { 500, { 5, 5, 1 }, TEXT("unknown command; say HELP for a list") },
    [REPLY_NO_ARGUMENTS] = { 501, { 5, 5, 4 }, TEXT("{} takes no arguments") },
    [REPLY_ARGUMENT_MISSING] = { 501, { 5, 5, 4 }, TEXT("an argument is missing: {}") },
    [REPLY_HELO_FIRST] = { 503, { 5, 5, 1 }, TEXT("say EHLO (or HELO) and your host name first") },
    [REPLY_HELO_SYNTAX] = { 501,
                            { 5, 5, 4 },
                            TEXT("that is no host name: EHLO mail.example.org, or EHLO "
                                 "[192.0.2.1]") },
    [REPLY_IN_TRANSACTION] = { 503,
                               { 5, 5, 1 },
                               TEXT("not between MAIL and the end of the message; say RSET "
                                    "first") },

    [REPLY_TLS_ALREADY] = { 503, { 5, 5, 1 }, TEXT("TLS is on already") },
    [REPLY_TLS_NONE] = { 502, { 5, 5, 1 }, TEXT("TLS is not set up on this server") },
    [REPLY_AUTH_FIRST] = { 530,
                           { 5, 7, 0 },
                           TEXT("authenticate first: STARTTLS if TLS is not on yet, then AUTH") },
    [REPLY_AUTH_NOT_HERE] = { 503,
                              { 5, 5, 1 },
                              TEXT("AUTH is not offered here; use a submission port") },
    [REPLY_AUTH_NEEDS_TLS] = { 538, { 5, 7, 11 }, TEXT("AUTH only over TLS: say STARTTLS first") },
    [REPLY_AUTH_ALREADY] = { 503, { 5, 5, 1 }, TEXT("authenticated already") },
    [REPLY_AUTH_MECHANISM] = { 504,
                               { 5, 5, 4 },
                               TEXT("mechanisms are PLAIN, LOGIN and SCRAM-SHA-256") },
    [REPLY_AUTH_BASE64] = { 501, { 5, 5, 2 }, TEXT("that is not base64 (RFC 4648)") },
    [REPLY_AUTH_FORM] = { 501,
                          { 5, 5, 2 },
                          TEXT("expected base64 of: NUL, user, NUL, password (RFC 4616)") },
    [REPLY_AUTH_CANCELLED] = { 501, { 5, 7, 0 }, TEXT("authentication cancelled") },
    [REPLY_AUTH_LINE] = { 500, { 5, 5, 6 }, TEXT("the line is over {} octets (RFC 4954)") },
    [REPLY_AUTH_REFUSED] = { 535, { 5, 7, 8 }, TEXT("user or password is wrong") },
    [REPLY_AUTH_SCRAM] = { 501, { 5, 5, 2 }, TEXT("{}") },
    [REPLY_AUTH_SUSPENDED] = { 525,
                               { 5, 7, 13 },
                               TEXT("your account is suspended; ask whoever runs this server") },
    [REPLY_AUTH_LATER] = { 454,
                           { 4, 7, 0 },
                           TEXT("passwords can't be checked at the moment; try again later") },
    [REPLY_AUTH_FAILURES] = { 421,
                              { 4, 7, 0 },
                              TEXT("{} failed authentications (limits.auth_failures); closing the "
                                   "connection") },

    [REPLY_MAIL_FORM] = { 501, { 5, 5, 4 }, TEXT("expected MAIL FROM:<address>; {}") },
    [REPLY_MAIL_TWICE] = { 503, { 5, 5, 1 }, TEXT("a sender is given already; say RSET first") },
    [REPLY_RCPT_FORM] = { 501, { 5, 5, 4 }, TEXT("expected RCPT TO:<address>; {}") },
    [REPLY_ADDRESS] = { 501, { 5, 1, 3 }, TEXT("bad recipient address: {}") },
    [REPLY_SENDER_ADDRESS] = { 501, { 5, 1, 7 }, TEXT("bad sender address: {}") },
    [REPLY_ADDRESS_UTF8] = { 553,
                             { 5, 6, 7 },
                             TEXT("the address is not ASCII: give SMTPUTF8 with MAIL") },
    [REPLY_SENDER_UTF8] = { 550,
                            { 5, 6, 7 },
                            TEXT("the address is not ASCII: give SMTPUTF8 with MAIL") },
    [REPLY_PARAM_UNKNOWN] = { 555, { 5, 5, 4 }, TEXT("{}") },
    [REPLY_PARAM_VALUE] = { 501, { 5, 5, 4 }, TEXT("{}") },
    [REPLY_SIZE_DECLARED] = { 552,
                              { 5, 3, 4 },
                              TEXT("[SIZE] the message has {} octets, {} are the limit "
                                   "(limits.message_bytes)") },
    [REPLY_MAIL_FIRST] = { 503, { 5, 5, 1 }, TEXT("give the sender first: MAIL FROM:<address>") },
    [REPLY_RECIPIENTS_MAX] = { 452,
                               { 4, 5, 3 },
                               TEXT("{} recipients are the limit (limits.recipients); send the "
                                    "others in the next message") },
    [REPLY_ADMISSION] = { 550, { 5, 7, 1 }, TEXT("{}") },
    [REPLY_CHUNKING_HAS_BEGUN] = { 503,
                                   { 5, 5, 1 },
                                   TEXT("the message has begun by BDAT; go on with BDAT, or say "
                                        "RSET") },

    [REPLY_NO_RECIPIENTS] = { 554, { 5, 5, 1 }, TEXT("no valid recipients: RCPT TO:<address>") },
    [REPLY_BINARY_NEEDS_BDAT] = { 503,
                                  { 5, 5, 1 },
                                  TEXT("BODY=BINARYMIME goes by BDAT, not by DATA (RFC 3030)") },
    [REPLY_BDAT_FORM] = { 501,
                          { 5, 5, 4 },
                          TEXT("expected BDAT and a number of octets, then LAST or nothing; "
                               "closing the connection") },
    [REPLY_CONTENT_SIZE] = { 552,
                             { 5, 3, 4 },
                             TEXT("[SIZE] the message is over {} octets (limits.message_bytes)") },
    [REPLY_CONTENT_BARE_LF] = { 554,
                                { 5, 6, 0 },
                                TEXT("[CRLF] the message has a line that ends with LF alone; lines "
                                     "end with CRLF (RFC 5321 2.3.8)") },
    [REPLY_CONTENT_BARE_CR] = { 554,
                                { 5, 6, 0 },
                                TEXT("[CRLF] the message has a CR without LF; lines end with CRLF "
                                     "(RFC 5321 2.3.8)") },
    [REPLY_CONTENT_NUL] = { 554,
                            { 5, 6, 0 },
                            TEXT(
                                "[NUL] the message holds a NUL; encode it, or send BODY=BINARYMIME "
                                "by BDAT") },
    [REPLY_HEADER_SIZE] = { 554,
                            { 5, 6, 0 },
                            TEXT("[HEADER] the header is over {} octets (limits.header_bytes)") },
    [REPLY_HEADER_FIELDS] = { 554, { 5, 6, 0 }, TEXT("[HEADER] {}") },
    [REPLY_LOOP_RECEIVED] = { 554,
                              { 5, 4, 6 },
                              TEXT("[LOOP] {} Received fields, {} are the limit "
                                   "(limits.received_max): the message goes round in circles") },
    [REPLY_LOOP_NAME] = { 554,
                          { 5, 4, 6 },
                          TEXT("[LOOP] the message has passed {} {} times: it goes round in "
                               "circles") },
    [REPLY_CORE_GONE] = { 451,
                          { 4, 3, 0 },
                          TEXT("a part of this server was restarted before the message was safe; "
                               "send it again") },
    [REPLY_CONTENT_REFUSED] = { 554, { 5, 3, 0 }, TEXT("{}") },
};

struct number number_text(uint64_t n)
{
    struct number number;

    (void)snprintf(number.text, sizeof(number.text), "%llu", (unsigned long long)n);
    return number;
}

static void add_words(struct buf *to, struct str text, const struct str *args, size_t count)
{
    for (;;) {
        size_t at = str_find(text, STR("{}"));

        buf_add(to, str_sub(text, 0, at));
        if (at == text.len)
            return;
        assert(count > 0);
        buf_add(to, *args);
        args++, count--;
        text = str_skip(text, at + 2);
    }
}

struct reply replies_make(enum reply_id id, const struct str *args, size_t count, struct buf *words)
{
    const struct row *row = &rows[id];
    struct reply r = { .code = row->code, .status = row->status, .text = row->text };

    assert(row->code != 0);
    if (count == 0)
        return r;
    buf_clear(words);
    add_words(words, row->text, args, count);
    r.text = buf_str(words);
    return r;
}

// SPDX-License-Identifier: Apache-2.0
/* guard/codes.c - the table of reasons, and replies made from it. */
#include "guard/codes.h"

#include "base/code.h"

enum { ARG_BYTES_MAX = 120 };

const struct policy_code_row policy_codes[CODES] = {
    [CODE_NONE] = { "", 250, 0, 0, "", "" },
    [CODE_RELAY] = { "RELAY", 550, 7, 1,
                     "{} is not a domain that this server receives for; sign in on a submission "
                     "port to send there",
                     "A client that has not signed in asked for mail to be passed on. Sign in on "
                     "port 587 or 465 with a credential, or name the client's address in "
                     "trusted_networks, or the domain in local_domains." },
    [CODE_SANDBOX] = { "SANDBOX", 550, 7, 1,
                       "only mail to {} is accepted until `baton live` has found this server fit "
                       "to send",
                       "The server is new. Run `baton live`: it looks at address, names, port 25 "
                       "and SPF, and opens the gate when all is well." },
    [CODE_LITERAL] = { "LITERAL", 550, 1, 2,
                       "addresses with an IP address instead of a domain are not accepted "
                       "(delivery.allow_literals); use the domain",
                       "The recipient is user@[192.0.2.1]. Use the domain's name; an operator can "
                       "allow such addresses by delivery.allow_literals." },
    [CODE_DOMAIN] = { "DOMAIN", 550, 1, 2,
                      "the domain is not a valid internationalised name (IDNA2008)",
                      "The recipient's domain cannot exist as it is written. Look for a typing "
                      "error, or use its xn-- form." },
    [CODE_ROUTE] = { "ROUTE", 550, 7, 1, "this server has a rule not to send to {}",
                     "The configuration has a route with `via: refuse` for this domain." },
    [CODE_ACCOUNT] = { "ACCOUNT", 550, 7, 1,
                       "account {} is suspended and may not send; ask this server's operator",
                       "The account, or one above it, is suspended or gone. An operator sees why "
                       "by `baton account show NAME` and lets it send again by "
                       "`baton account set NAME state=active`." },
    [CODE_ACCOUNT_SANDBOX] = { "ACCOUNT-SANDBOX", 550, 7, 1,
                               "account {} is not approved yet and may write to {} alone; ask this "
                               "server's operator",
                               "New accounts try things out in the sandbox. An operator approves "
                               "one by `baton account set NAME state=active`." },
    [CODE_TENANT] = { "TENANT", 550, 7, 1,
                      "the field {} must stand once and name a tenant that is known here; {}",
                      "The upstream server speaks for several accounts and says whose a message "
                      "is in a header field. It is missing, stands more than once, or its value "
                      "is nobody's: `baton cred add NAME kind=tenant upstream=… value=…`." },
    [CODE_STREAM] = { "STREAM", 550, 7, 1,
                      "X-Baton-Stream: your account has no stream {}; make it with `baton stream "
                      "add {}`, or leave the field out",
                      "The message asks for a stream by its header, once at most, which the "
                      "account must have: `baton stream ls --account NAME`." },
    [CODE_STREAM_DOMAIN] = { "STREAM-DOMAIN", 550, 7, 1,
                             "From is not of this stream's domain {}; use that, or another stream",
                             "A stream with a sending domain keeps to it, so that one kind of "
                             "mail cannot spoil another's name. Change From, choose another "
                             "stream, or `baton stream set NAME domain=…`." },
    [CODE_MAIL_FROM] = { "MAIL-FROM", 550, 7, 1,
                         "MAIL FROM: {} is not a domain that your account has proved; add it with "
                         "`baton domain add {}`, or use one of yours",
                         "Every domain that mail is sent in the name of must be proved first, by "
                         "one record in DNS: `baton domain add` prints it." },
    [CODE_NULL_SENDER] = { "NULL-SENDER", 550, 7, 1,
                           "MAIL FROM:<> is for notifications and not allowed for account {}; use "
                           "an address of yours",
                           "Bounces and absence notes have no sender. An account that sends such "
                           "mail is allowed to by `baton account set NAME null_sender=true`." },
    [CODE_FROM] = { "FROM", 550, 7, 1,
                    "From: {} is not a domain that your account has proved; add it with `baton "
                    "domain add {}`, or use one of yours",
                    "Every domain that mail is sent in the name of must be proved first, by one "
                    "record in DNS: `baton domain add` prints it. Contact forms that write the "
                    "visitor's address into From: use Reply-To instead, or "
                    "`baton account set NAME rewrite_from=ADDRESS`." },
    [CODE_FROM_MISSING] = { "FROM-MISSING", 550, 7, 1,
                            "the message has no From address; add a From field with one",
                            "RFC 5322 §3.6 wants exactly one From field, and receivers judge mail "
                            "by the address in it." },
    [CODE_FROM_SYNTAX] = { "FROM-SYNTAX", 550, 7, 1,
                           "{}; write the sender as Name <user@domain>, beyond doubt",
                           "What one reader takes for the sender's address and another for its "
                           "comment is how mail is forged: only what every reader understands "
                           "alike is accepted (RFC 5322 §3.4 without its obsolete forms)." },
    [CODE_SENDER] = { "SENDER", 550, 7, 1,
                      "Sender: {} is not a domain that your account has proved; add it with "
                      "`baton domain add {}`, or leave the field out",
                      "Sender, and Resent-From of a domain that another account has proved, are "
                      "held to the same rule as From." },
    [CODE_SENDER_MISSING] = { "SENDER-MISSING", 550, 7, 1,
                              "From names several authors, so a Sender field must say who sends",
                              "RFC 5322 §3.6.2. Add a Sender field with one address of yours." },
    [CODE_DUPLICATE] = { "DUPLICATE", 550, 6, 0,
                         "the field {} stands more than once; leave one of them",
                         "Fields that may stand once (RFC 5322 §3.6) must: readers differ in "
                         "which of two they show, and signatures in which they cover." },
    [CODE_SIGNATURE] = { "SIGNATURE", 550, 7, 1,
                         "a DKIM-Signature is in the name of {}, which another account has "
                         "proved; remove it",
                         "A signed message of another customer's may not be sent again from this "
                         "account." },
    [CODE_FORWARD] = { "FORWARD", 550, 7, 1,
                       "this is mail of {} passed on, which your account may not do, or whose "
                       "sender is too long to be rewritten; ask this server's operator",
                       "Mail of others that has come a way (it has Received fields) is passed on "
                       "only by accounts with `forward=true`; its return path is then rewritten "
                       "(SRS) so that SPF holds." },
    [CODE_LEASE] = { "LEASE", 550, 7, 1,
                     "of this domain your account may use the address {} alone; use that",
                     "The domain is another account's, which lets this one send by one address "
                     "of it." },
    [CODE_SRS] = { "SRS", 550, 1, 1,
                   "{} is not an address that this server has rewritten, or is older than 21 "
                   "days, or the message is no notification (MAIL FROM:<>)",
                   "Rewritten senders of forwarded mail take bounces back, and nothing else." },
    [CODE_QUOTA_MINUTE] = { "QUOTA-MINUTE", 451, 7, 1,
                            "{} may send {} {} a minute (UTC), and that is used up; go on at {}",
                            "`baton account usage` shows what is used; `baton account set` or "
                            "`baton stream set` changes limits. The client tries again by itself." },
    [CODE_QUOTA_HOUR] = { "QUOTA-HOUR", 451, 7, 1,
                          "{} may send {} {} an hour (UTC), and that is used up; go on at {}",
                          "As [QUOTA-MINUTE]." },
    [CODE_QUOTA_DAY] = { "QUOTA-DAY", 550, 7, 1,
                         "{} may send {} {} a day (UTC), and that is used up; go on at {}",
                         "As [QUOTA-MINUTE]; with quota_451=true the answer is 451 instead." },
    [CODE_QUOTA_MONTH] = { "QUOTA-MONTH", 550, 7, 1,
                           "{} may send {} {} a month (UTC), and that is used up; go on at {}",
                           "As [QUOTA-DAY]." },
    [CODE_QUOTA_SOFT] = { "QUOTA-SOFT", 250, 0, 0,
                          "{} has used {} of {} {} of this {}, which ends at {}",
                          "A warning at the account's soft limit (soft_percent); the message was "
                          "taken." },
    [CODE_PREFLIGHT_SPF] = { "PREFLIGHT-SPF", 550, 7, 23,
                             "{} has no SPF record that names this server; publish what `baton domain "
                             "records` prints for it",
                             "Receivers look up whether this server may send for the domain of "
                             "MAIL FROM (RFC 7208), and it may not." },
    [CODE_PREFLIGHT_DKIM] = { "PREFLIGHT-DKIM", 550, 7, 20,
                              "there is no key to sign for {} with; make one with `baton domain "
                              "rotate-dkim {}`",
                              "Large receivers want mail signed in the name of the domain in "
                              "From (RFC 6376)." },
    [CODE_PREFLIGHT_DKIM_PENDING] = { "PREFLIGHT-DKIM-PENDING", 550, 7, 20,
                                      "the DKIM record of {} is not seen on all of its name "
                                      "servers yet; publish what `baton domain records {}` prints",
                                      "A key signs only once every authoritative server shows "
                                      "exactly its record." },
    [CODE_PREFLIGHT_DMARC] = { "PREFLIGHT-DMARC", 550, 7, 26,
                               "the DMARC policy of {} has receivers reject this message: neither "
                               "its SPF nor its DKIM name is of that domain",
                               "Sign with a key of the domain in From, or send with a MAIL FROM "
                               "of it that its SPF record allows (RFC 7489 §3.1)." },
    [CODE_PREFLIGHT_DMARC_MISSING] = { "PREFLIGHT-DMARC-MISSING", 550, 7, 26,
                                       "{} has no DMARC record, which large receivers ask for: "
                                       "publish _dmarc.{} TXT \"v=DMARC1; p=none\"",
                                       "It is wanted from whoever sends in bulk." },
    [CODE_PREFLIGHT_UNSUBSCRIBE] = { "PREFLIGHT-UNSUBSCRIBE", 550, 7, 0,
                                     "mail of a marketing stream needs a way to unsubscribe by one "
                                     "click: add {}",
                                     "Large receivers want one click to be enough (RFC 8058): "
                                     "List-Unsubscribe with an https address, and "
                                     "List-Unsubscribe-Post: List-Unsubscribe=One-Click." },
    [CODE_PREFLIGHT_MX] = { "PREFLIGHT-MX", 550, 7, 27,
                            "nobody can answer to {}: it has neither MX nor address; publish an "
                            "MX record",
                            "Receivers refuse senders that cannot get a bounce." },
    [CODE_PREFLIGHT_BROKEN] = { "PREFLIGHT-BROKEN", 550, 7, 20,
                                "your DKIM signature of {} does not survive the fields that this "
                                "server adds; add Date and Message-ID before you sign",
                                "The message came signed, and Date, Message-ID or another field "
                                "that the signature covers had to be added, changed or removed. "
                                "With a key of its domain here it would be signed anew." },
};

/* What others wrote, fit for a reply line: printable UTF-8, and no page of it. */
static void add_clean(struct buf *to, struct str arg)
{
    size_t added = 0;

    while (arg.len > 0) {
        size_t len = utf8_len(arg);
        bool plain = len > 1
                         ? !((unsigned char)arg.ptr[0] == 0xc2 && (unsigned char)arg.ptr[1] < 0xa0)
                         : len == 1 && arg.ptr[0] >= ' ' && arg.ptr[0] <= '~';

        if (added + len > ARG_BYTES_MAX) {
            buf_add(to, STR("..."));
            return;
        }
        buf_add(to, plain ? str_sub(arg, 0, len) : STR("?"));
        added += len > 0 ? len : 1;
        arg = str_skip(arg, len > 0 ? len : 1);
    }
}

/* The row's text with its places filled; where arguments are fewer than places, the last one stands
 * again: a name that is said twice. */
static void add_text(struct buf *to, const char *text, const struct str *args, size_t count)
{
    struct str rest = str_of(text);
    size_t next = 0;

    while (rest.len > 0) {
        size_t place = str_find(rest, STR("{}"));

        buf_add(to, str_sub(rest, 0, place));
        if (place < rest.len && count > 0)
            add_clean(to, args[next < count ? next : count - 1]);
        next++;
        rest = str_skip(rest, place + 2);
    }
}

struct reply code_reply(struct arena *a, enum policy_code code, const struct str *args,
                        size_t count, struct str link)
{
    const struct policy_code_row *row = &policy_codes[code];
    struct buf text;
    struct reply reply = {
        .code = row->code,
        .status = { (uint8_t)(row->code / 100), row->subject, row->detail },
    };

    buf_init(&text, REPLY_TEXT_MAX);
    buf_addf(&text, "[%s] ", row->word);
    add_text(&text, row->text, args, count);
    if (link.len > 0)
        buf_addf(&text, " (%.*s%s)", STR_FMT(link), row->word);
    reply.text = arena_str(a, buf_str(&text));
    buf_done(&text);
    return reply;
}

enum policy_code code_of_word(struct str word)
{
    for (enum policy_code code = CODE_NONE + 1; code < CODES; code++)
        if (str_eq(word, str_of(policy_codes[code].word)))
            return code;
    return CODE_NONE;
}

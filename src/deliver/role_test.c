// SPDX-License-Identifier: Apache-2.0
/* deliver/role_test.c - the role against a scripted server: what it says, lies and drops at each stage, and what core
 * is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "deliver/fixture.h"
#include "deliver/peer_script.h"
#include "io/loop.h"

#define MX UINT32_MAX
#define LMTP 1

/* Openings of scripts: a server without extensions, and one with those named. */
#define GREET "S:220 mx.test"
#define HELLO "C:EHLO client.test", "S:250 mx.test"
#define HELLO_PIPE "C:EHLO client.test", "S:250-mx.test\r\n250 PIPELINING"
#define FROM "C:MAIL FROM:<ann@client.test>"
#define TO "C:RCPT TO:<bob@example.test>"

static const struct script_case {
    const char *name;
    const char *script[48];
    const char *want;
    struct errand errand;
    bool impatient; /* timeouts are short */
    const char *content; /* what the server must have got, unless NULL */
    enum tls_mode tls;
} script_cases[] = {
    { "plain session",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok", "C:QUIT", "S:221 bye" },
      .want = "relayed message 250", .content = "X-Edit: yes\r\nSubject: hello\r\n\r\n..dot\r\n...two\r\nend\r\n.\r\n" },
    { "pipelined",
      { GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:250 ok\r\n250 ok\r\n354 go", "B", "S:250 ok" },
      .want = "relayed message 250" },
    { "EHLO refused, HELO taken",
      { GREET, "C:EHLO", "S:502 what?", "C:HELO client.test", "S:250 mx.test", FROM, "S:250 ok", TO, "S:250 ok", "C:DATA",
        "S:354 go", "B", "S:250 ok" },
      .want = "relayed message 250" },
    { "octet by octet",
      { "Z", GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:250-a\r\n250 b\r\n250 ok\r\n354 go", "B", "S:250-x\r\n250 y" },
      .want = "relayed message 250" },
    { "lines ended by LF", { "R:220 mx\n", "C:EHLO", "R:250 mx\n", FROM, "R:250 ok\n", TO, "R:550 5.1.1 no\n" },
      .want = "bounced recipient 550 5.1.1" },
    /* N06: refusals at each stage. */
    { "N06 greeting 554", { "S:554 no" }, .want = "deferred session 554" },
    { "N06 greeting 521, RFC 7504", { "S:521 no mail" }, .want = "bounced session 521" },
    { "N06 greeting 421", { "S:421 later" }, .want = "deferred session 421" },
    { "N06 EHLO 421", { GREET, "C:EHLO", "S:421 later", "D" }, .want = "deferred session 421" },
    { "N06 EHLO and HELO 550", { GREET, "C:EHLO", "S:550 no", "C:HELO", "S:550 no" }, .want = "deferred session 550" },
    { "N06 MAIL 4yz", { GREET, HELLO, FROM, "S:451 4.7.1 grey" }, .want = "deferred message 451" },
    { "N06 MAIL 5yz", { GREET, HELLO, FROM, "S:550 5.7.1 no" }, .want = "bounced message 550 5.7.1" },
    { "N06 MAIL 5yz, pipelined",
      { GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:550 5.7.1 no\r\n503 x\r\n503 x" }, .want = "bounced message 550 5.7.1" },
    { "N06 MAIL 421", { GREET, HELLO, FROM, "S:421 later", "D" }, .want = "deferred session 421" },
    { "N06 RCPT 5yz", { GREET, HELLO, FROM, "S:250 ok", TO, "S:550 5.1.1 who?" }, .want = "bounced recipient 550 5.1.1" },
    { "N06 RCPT 4yz", { GREET, HELLO, FROM, "S:250 ok", TO, "S:450 4.2.0 grey" }, .want = "deferred recipient 450" },
    { "N06 RCPT 552 reads as 452", { GREET, HELLO, FROM, "S:250 ok", TO, "S:552 too many" }, .want = "deferred recipient 552" },
    { "N06 RCPT 552 5.2.2 stands", { GREET, HELLO, FROM, "S:250 ok", TO, "S:552 5.2.2 full" },
      .want = "bounced recipient 552 5.2.2" },
    { "N06 RCPT 421", { GREET, HELLO, FROM, "S:250 ok", TO, "S:421 bye", "D" }, .want = "deferred session 421" },
    { "N06 RCPTs mixed",
      { GREET, HELLO_PIPE, FROM, "C:RCPT TO:<a@", "C:RCPT TO:<b@", "C:RCPT TO:<c@", "C:DATA",
        "S:250 ok\r\n250 ok\r\n550 5.1.1 no\r\n450 4.2.1 later\r\n354 go", "B", "S:250 ok" },
      .want = "relayed message 250; bounced recipient 550 5.1.1; deferred recipient 450", .errand = { .rcpts = { "a@example.test", "b@example.test", "c@example.test" } } },
    { "N06 all RCPTs refused, 354 all the same: never an empty message",
      { GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:250 ok\r\n550 5.1.1 no\r\n354 go" }, .want = "bounced recipient 550 5.1.1" },
    { "N06 421 between RCPTs",
      { GREET, HELLO, FROM, "S:250 ok", "C:RCPT TO:<a@", "S:250 ok", "C:RCPT TO:<b@", "S:421 bye", "D" },
      .want = "deferred session 421; deferred session 421; deferred session 421", .errand = { .rcpts = { "a@example.test", "b@example.test", "c@example.test" } } },
    { "N06 DATA 554", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:554 5.7.0 no" },
      .want = "bounced message 554 5.7.0" },
    { "N06 DATA 421", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:421 no", "D" },
      .want = "deferred session 421" },
    { "N06 end 5yz", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:554 5.7.1 spam" },
      .want = "bounced message 554 5.7.1" },
    { "N06 end 4yz", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:452 4.3.1 full" },
      .want = "deferred message 452" },
    { "N06 end 421", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:421 bye", "D" },
      .want = "deferred session 421" },
    /* N01: lost at each stage. */
    { "N01 dropped before the greeting", { "D" }, .want = "deferred session 0 4.4.2" },
    { "N01 dropped at EHLO", { GREET, "C:EHLO", "D" }, .want = "deferred session 0 4.4.2" },
    { "N01 dropped at MAIL", { GREET, HELLO, FROM, "D" }, .want = "deferred session 0 4.4.2" },
    { "N01 dropped at RCPT", { GREET, HELLO, FROM, "S:250 ok", TO, "D" }, .want = "deferred session 0 4.4.2" },
    { "N01 dropped at DATA", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "D" },
      .want = "deferred session 0 4.4.2" },
    { "N01 dropped after the final dot: unknown (RFC 1047)",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "D" }, .want = "unknown session 0 4.4.2" },
    { "N01 after the final dot a refused recipient stays refused",
      { GREET, HELLO_PIPE, FROM, "C:RCPT", "C:RCPT", "C:DATA", "S:250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go", "B", "D" },
      .want = "bounced recipient 550 5.1.1; unknown session 0 4.4.2", .errand = { .rcpts = { "a@example.test", "b@example.test" } } },
    { "N02 no greeting", { NULL }, .want = "deferred session 0 4.4.2", .impatient = true },
    { "N02 silence after the final dot",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B" }, .want = "unknown session 0 4.4.2",
      .impatient = true },
    /* N05: endless and senseless. */
    { "N05 endless multiline", { GREET, "C:EHLO", "E:100000" }, .want = "deferred session 0 4.5.0" },
    { "N05 a line of 1 MB", { GREET, "C:EHLO", "X:1000000" }, .want = "deferred session 0 4.5.0" },
    { "N05 NUL in a reply", { GREET, HELLO, FROM, "0", TO, "S:550 5.1.1 no" }, .want = "bounced recipient 550 5.1.1" },
    { "N05 reply cut short", { GREET, HELLO, FROM, "R:25", "D" }, .want = "deferred session 0 4.4.2" },
    { "N05 negative code", { GREET, "C:EHLO", "S:-250 mx" }, .want = "deferred session 0 4.5.0" },
    { "N05 code 199", { GREET, "C:EHLO", "S:199 mx" }, .want = "deferred session 0 4.5.0" },
    { "N05 code 999", { GREET, HELLO, FROM, "S:999 x" }, .want = "deferred session 0 4.5.0" },
    { "N05 no code", { "S:hello" }, .want = "deferred session 0 4.5.0" },
    { "N05 code changes", { GREET, "C:EHLO", "S:250-mx\r\n550 no" }, .want = "deferred session 0 4.5.0" },
    /* N11: out of step. */
    { "N11 two greetings", { "S:220 mx\r\n220 mx" }, .want = "deferred session 0 4.5.0" },
    { "N11 two EHLO answers", { GREET, "C:EHLO", "S:250 mx\r\n250 mx" }, .want = "deferred session 0 4.5.0" },
    { "N11 success before the content",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go\r\n250 queued" }, .want = "deferred session 0 4.5.0" },
    { "N11 one reply too many before DATA",
      { GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:250 ok\r\n250 extra\r\n250 ok\r\n354 go" },
      .want = "deferred session 0 4.5.0" },
    { "N11 one reply too few", { GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:250 ok\r\n354 go" },
      .want = "deferred session 0 4.5.0" },
    { "N11 354 to MAIL", { GREET, HELLO, FROM, "S:354 go" }, .want = "deferred session 0 4.5.0" },
    { "N11 250 to DATA", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:250 ok" },
      .want = "deferred session 0 4.5.0" },
    { "N11 BDAT: one reply too many",
      { GREET, "C:EHLO", "S:250-mx\r\n250-PIPELINING\r\n250 CHUNKING", FROM, TO, "S:250 ok\r\n250 extra\r\n550 5.1.1 no" },
      .want = "deferred session 0 4.5.0" },
    { "N11 BDAT: the surplus comes late",
      { GREET, "C:EHLO", "S:250-mx\r\n250-PIPELINING\r\n250 CHUNKING", FROM, TO, "S:250 ok\r\n250 ok", "N",
        "S:250 ok\r\n452 no" },
      .want = "unknown session 0 4.5.0" },
    { "success and 421 behind it",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok\r\n421 bye", "D" },
      .want = "relayed message 250" },
    /* What the peer can take. */
    { "BDAT",
      { GREET, "C:EHLO", "S:250-mx\r\n250 CHUNKING", FROM, "S:250 ok", TO, "S:250 ok", "N", "S:250 ok" },
      .want = "relayed message 250", .content = "X-Edit: yes\r\nSubject: hello\r\n\r\n.dot\r\n..two\r\nend\r\n" },
    { "R36 SIZE told", { GREET, "C:EHLO", "S:250-mx\r\n250 SIZE 100", "C:MAIL FROM:<ann@client.test> SIZE=49", "S:552 5.3.4 no" },
      .want = "bounced message 552 5.3.4" },
    { "R36 larger than SIZE: not offered", { GREET, "C:EHLO", "S:250-mx\r\n250 SIZE 10", "C:QUIT", "S:221 bye" },
      .want = "bounced message 552 5.3.4" },
    { "R20 8BITMIME",
      { GREET, "C:EHLO", "S:250-mx\r\n250 8BITMIME", "C:MAIL FROM:<ann@client.test> BODY=8BITMIME", "S:250 ok", TO,
        "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok" },
      .want = "relayed message 250", .errand = { .eight_bit = true, .content = STR("A: b\r\n\r\n\xc3\xa4\r\n") },
      .content = "X-Edit: yes\r\nA: b\r\n\r\n\xc3\xa4\r\n.\r\n" },
    { "R20 B18 8-bit to a 7-bit peer",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok" },
      .want = "relayed message 250", .errand = { .eight_bit = true,
        .content = STR("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n") } },
    { "B18 can't be converted",
      { GREET, HELLO, "C:QUIT", "S:221 bye" }, .want = "bounced message 554 5.6.3", .errand = { .eight_bit = true, .content = STR("Subject: \xc3\xa4\r\n\r\nx\r\n") } },
    { "B18 binary by BINARYMIME",
      { GREET, "C:EHLO", "S:250-mx\r\n250-CHUNKING\r\n250 BINARYMIME", "C:MAIL FROM:<ann@client.test> BODY=BINARYMIME",
        "S:250 ok", TO, "S:250 ok", "N", "S:250 ok" },
      .want = "relayed message 250", .errand = { .binary = true, .content = STR("A: b\r\n\r\na\nb") },
      .content = "X-Edit: yes\r\nA: b\r\n\r\na\nb" },
    { "B02 binary is never sent by DATA: CR and LF stay inside base64",
      { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok" },
      .want = "relayed message 250", .errand = { .binary = true,
        .content = STR("MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                       "Content-Transfer-Encoding: binary\r\n\r\nx\n.\nMAIL FROM:<e@evil.test>\n") } },
    { "B18 SMTPUTF8",
      { GREET, "C:EHLO", "S:250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8", "C:MAIL FROM:<ann@client.test> SMTPUTF8", "S:250 ok",
        "C:RCPT TO:<b\xc3\xb6" "b@", "S:550 5.1.1 no" },
      .want = "bounced recipient 550 5.1.1", .errand = { .rcpts = { "b\xc3\xb6" "b@example.test" } } },
    { "B18 SMTPUTF8 not offered: the others still go",
      { GREET, HELLO, FROM, "S:250 ok", "C:RCPT TO:<a@", "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok" },
      .want = "bounced recipient 550 5.6.7; relayed message 250", .errand = { .rcpts = { "b\xc3\xb6" "b@example.test", "a@example.test" } } },
    { "B18 SMTPUTF8 not offered: reverse-path", { GREET, HELLO, "C:QUIT", "S:221" }, .want = "bounced message 550 5.6.7", .errand = { .from = "\xc3\xa4@client.test" } },
    { "DSN passed on",
      { GREET, "C:EHLO", "S:250-mx\r\n250 DSN", "C:MAIL FROM:<ann@client.test> ENVID=q+2Bx", "S:250 ok",
        "C:RCPT TO:<bob@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@a", "S:550 5.1.1 no" },
      .want = "bounced recipient 550 5.1.1", .errand = { .envid = "q+x", .orcpt = "rfc822;bob@a", .notify = 6 } },
    { "LIMITS RCPTMAX: two transactions",
      { GREET, "C:EHLO", "S:250-mx\r\n250 LIMITS RCPTMAX=1", FROM, "S:250 ok", "C:RCPT TO:<a@", "S:250 ok", "C:DATA",
        "S:354 go", "B", "S:250 one", FROM, "S:250 ok", "C:RCPT TO:<b@", "S:250 ok", "C:DATA", "S:354 go", "B",
        "S:450 4.1.1 two" },
      .want = "relayed message 250; deferred message 450", .errand = { .rcpts = { "a@example.test", "b@example.test" } } },
    { "452 too many: the rest follows",
      { GREET, HELLO, FROM, "S:250 ok", "C:RCPT TO:<a@", "S:250 ok", "C:RCPT TO:<b@", "S:452 4.5.3 enough", "C:DATA",
        "S:354 go", "B", "S:250 one", FROM, "S:250 ok", "C:RCPT TO:<b@", "S:250 ok", "C:DATA", "S:354 go", "B",
        "S:250 two" },
      .want = "relayed message 250; relayed message 250", .errand = { .rcpts = { "a@example.test", "b@example.test" } } },
    /* R40: LMTP. */
    { "R40 LMTP: one reply each",
      { GREET, "C:LHLO client.test", "S:250-mx\r\n250 PIPELINING", FROM, "C:RCPT TO:<a@", "C:RCPT TO:<b@", "C:RCPT TO:<c@",
        "C:DATA", "S:250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go", "B", "S:250 ok\r\n452 4.2.2 full" },
      .want = "delivered recipient 250; bounced recipient 550 5.1.1; deferred recipient 452", .errand = { .route = LMTP, .rcpts = { "a@example.test", "b@example.test", "c@example.test" } } },
    { "R40 LMTP: lost between the replies",
      { GREET, "C:LHLO", "S:250 mx", FROM, "S:250 ok", "C:RCPT TO:<a@", "S:250 ok", "C:RCPT TO:<b@", "S:250 ok", "C:DATA",
        "S:354 go", "B", "S:250 ok", "D" },
      .want = "delivered recipient 250; unknown session 0 4.4.2", .errand = { .route = LMTP, .rcpts = { "a@example.test", "b@example.test" } } },
    { "R40 LHLO refused", { GREET, "C:LHLO", "S:500 what?" }, .want = "deferred session 500", .errand = { .route = LMTP } },
    /* MX. */
    { "R29 MX: delivered", { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok" },
      .want = "delivered message 250", .errand = { .route = MX } },
    { "S02 ourselves", { "S:220 client.test ESMTP" }, .want = "bounced destination 554 5.4.6", .errand = { .route = MX } },
    { "S02 ourselves, at EHLO", { GREET, "C:EHLO", "S:250 Client.Test hi" }, .want = "bounced destination 554 5.4.6", .errand = { .route = MX } },
    { "a literal that may not be sent to", { NULL }, .want = "bounced destination 550 5.1.2", .errand = { .route = MX, .domain = STR("[127.0.0.1]") } },
    /* R12: TLS. */
    { "R12 TLS required, not offered", { GREET, HELLO, "C:QUIT", "S:221" }, .want = "deferred session 0 4.7.4", .tls = TLS_MUST },
    { "R12 STARTTLS refused, may go on",
      { GREET, "C:EHLO", "S:250-mx\r\n250 STARTTLS", "C:STARTTLS", "S:454 no", FROM, "S:550 5.0.0 no" },
      .want = "bounced message 550 5.0.0", .tls = TLS_MAY },
    { "R12 STARTTLS refused, required", { GREET, "C:EHLO", "S:250-mx\r\n250 STARTTLS", "C:STARTTLS", "S:454 no" },
      .want = "deferred session 454", .tls = TLS_MUST },
    { "R12 handshake broken: once more without",
      { GREET, "C:EHLO", "S:250-mx\r\n250 STARTTLS", "C:STARTTLS", "S:220 go", "D", "|", GREET, "C:EHLO",
        "S:250-mx\r\n250 STARTTLS", FROM, "S:550 5.0.0 no" },
      .want = "bounced message 550 5.0.0", .tls = TLS_MAY },
    { "R12 handshake broken, required",
      { GREET, "C:EHLO", "S:250-mx\r\n250 STARTTLS", "C:STARTTLS", "S:220 go", "D" }, .want = "deferred session 0 4.7.5",
      .tls = TLS_MUST },
};

static struct peer peer;
static struct fixture fixture;

static void start(const struct script_case *c)
{
    fixture_start(&fixture, peer_port(&peer));
    for (size_t i = 0; i < 2; i++)
        fixture.routes[i].tls = c->tls;
    if (c->impatient)
        fixture.config.timeouts.greeting_ms = fixture.config.timeouts.data_end_ms = 100;
    peer_play(&peer, c->script);
}

static void tear_down(void)
{
    fixture_stop(&fixture);
    while (peer.running > 0)
        loop_turn(10);
}

/* What went wrong with a case, if anything, is printed; the others still run. */
static bool ended_well(const struct script_case *c)
{
    struct str told = buf_str(&fixture.told);

    if (peer.failure[0] || fixture.failure[0])
        print_error("%s: %s%s\n", c->name, peer.failure, fixture.failure);
    else if (!str_eq(told, str_of(c->want)))
        print_error("%s: got \"%.*s\", want \"%s\"\n", c->name, STR_FMT(told), c->want);
    else if (c->content && !str_eq(buf_str(&peer.content), str_of(c->content)))
        print_error("%s: content \"%.*s\"\n", c->name, STR_FMT(buf_str(&peer.content)));
    else
        return true;
    return false;
}

static void b02_n01_n11_r40_scripts_end_as_they_must(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(script_cases); i++) {
        start(&script_cases[i]);
        fixture_send(&fixture, &script_cases[i].errand);
        fixture_await(&fixture, 1);
        failed += !ended_well(&script_cases[i]);
        tear_down();
    }
    assert_int_equal(failed, 0);
}

/* --- more than one job, more than one piece -------------------------------------------------------------------- */

static void set_up(const char *const *script)
{
    fixture_start(&fixture, peer_port(&peer));
    fixture.routes[0].tls = fixture.routes[1].tls = TLS_NEVER;
    peer_play(&peer, script);
}

static void check(const char *told)
{
    if (peer.failure[0] || fixture.failure[0])
        fail_msg("%s%s", peer.failure, fixture.failure);
    assert_string_equal(buf_cstr(&fixture.told), told);
}

/* 1 MB, with dots at the start of lines wherever pieces may be cut. */
static struct buf large_content(void)
{
    struct buf b;

    buf_init(&b, 4 * 1024 * 1024);
    buf_add(&b, STR("Subject: large\r\n\r\n"));
    for (size_t i = 0; b.len < 1024 * 1024; i++)
        buf_addf(&b, "%.*s%zu\r\n", (int)(i % 5), ".....", i);
    return b;
}

static void unstuff(struct buf *content)
{
    struct buf plain;
    struct str rest = buf_str(content);
    size_t end;

    buf_init(&plain, SIZE_MAX);
    while ((end = str_find(rest, STR("\r\n"))) < rest.len) {
        if (!str_eq(str_sub(rest, 0, end), STR("."))) {
            struct str line = str_sub(rest, 0, end + 2);

            buf_add(&plain, line.ptr[0] == '.' ? str_skip(line, 1) : line);
        }
        rest = str_skip(rest, end + 2);
    }
    buf_done(content);
    *content = plain;
}

static void check_large(const char *const *script, bool by_data)
{
    struct buf large = large_content();
    struct str got;

    set_up(script);
    fixture_send(&fixture, &(struct errand){ .content = buf_str(&large) });
    fixture_await(&fixture, 1);
    check("relayed message 250");
    if (by_data)
        unstuff(&peer.content);
    got = buf_str(&peer.content);
    assert_true(str_starts(got, STR("X-Edit: yes\r\n")));
    assert_true(str_eq(str_skip(got, 13), buf_str(&large)));
    tear_down();
    buf_done(&large);
}

static void b02_a_large_message_arrives_as_it_is(void **state)
{
    static const char *const data[] = { GREET, HELLO_PIPE, FROM, TO, "C:DATA", "S:250 ok\r\n250 ok\r\n354 go",
                                        "B",   "S:250 ok", NULL };
    static const char *const chunks[] = {
        GREET, "C:EHLO", "S:250-mx\r\n250-PIPELINING\r\n250 CHUNKING", FROM, TO, "S:250 ok\r\n250 ok",
        "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok",
        "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok",
        "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok", "N", "S:250 ok",
        "N", "S:250 ok", "N", "S:250 ok", NULL };

    (void)state;
    check_large(data, true);
    check_large(chunks, false);
}

/* Two refusals in the middle of the content: by reply, and by BDAT's. */
static void n06_refused_in_the_middle_of_content(void **state)
{
    static const char *const data[] = { GREET, HELLO_PIPE, FROM, TO, "C:DATA",
                                        "S:250 ok\r\n250 ok\r\n354 go", "C:X-Edit", "S:552 5.3.4 too large", NULL };
    static const char *const chunks[] = { GREET, "C:EHLO", "S:250-mx\r\n250 CHUNKING", FROM, "S:250 ok", TO,
                                          "S:250 ok", "N", "S:552 5.3.4 too large", NULL };
    const char *const *scripts[] = { data, chunks };
    struct buf large = large_content();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(scripts[i]);
        fixture_send(&fixture, &(struct errand){ .content = buf_str(&large) });
        fixture_await(&fixture, 1);
        check("bounced message 552 5.3.4");
        tear_down();
    }
    buf_done(&large);
}

#define TAKE FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok"

static void a_connection_is_kept_without_rset_between(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, TAKE, TAKE, NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 1; i <= 3; i++) {
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, i);
    }
    check("relayed message 250; relayed message 250; relayed message 250");
    assert_int_equal(peer.connections, 1);
    tear_down();
}

static void rset_comes_after_a_refusal(void **state)
{
    static const char *const script[] = { GREET, HELLO, FROM, "S:250 ok", TO, "S:550 5.1.1 no", "C:RSET", "S:250 ok",
                                          TAKE, NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 2);
    check("bounced recipient 550 5.1.1; relayed message 250");
    tear_down();
}

static void n12_a_kept_connection_that_was_closed_is_no_attempt(void **state)
{
    static const char *const closed[] = { GREET, HELLO, TAKE, "D", "|", GREET, HELLO, TAKE, NULL };
    static const char *const told[] = { GREET, HELLO, TAKE, FROM, "S:421 idle too long", "D", "|", GREET, HELLO, TAKE,
                                        NULL };
    const char *const *scripts[] = { closed, told };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(scripts[i]);
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 1);
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 2);
        check("relayed message 250; relayed message 250");
        assert_int_equal(peer.connections, 2);
        tear_down();
    }
}

static void t09_another_route_never_shares_a_connection(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, "|", GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture.routes[1] = fixture.routes[0];
    fixture_send(&fixture, &(struct errand){ .route = 0 });
    fixture_await(&fixture, 1);
    fixture_send(&fixture, &(struct errand){ .route = 1 });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    assert_int_equal(peer.connections, 2);
    tear_down();
}

static void t09_a_reload_ends_what_was_kept(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, "|", GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .route = 0 });
    fixture_await(&fixture, 1);
    fixture_reload(&fixture);
    fixture_send(&fixture, &(struct errand){ .route = 0 });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    assert_int_equal(peer.connections, 2);
    tear_down();
}

static void a_route_of_another_configuration_is_never_taken(void **state)
{
    static const char *const script[] = { NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .site = STR("route:192.0.2.9:25") });
    fixture_send(&fixture, &(struct errand){ .route = 7 });
    fixture_await(&fixture, 2);
    check("deferred destination 0 4.3.5; deferred destination 0 4.3.5");
    assert_int_equal(peer.connections, 0);
    tear_down();
}

static void r29_n08_the_next_host_is_tried(void **state)
{
    static const char *const script[] = { "S:554 not today", "|", GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture.hosts[0] = STR("127.0.0.2"); /* nobody listens */
    fixture.hosts[1] = fixture.hosts[2] = STR("127.0.0.1");
    fixture_send(&fixture, &(struct errand){ .route = MX });
    fixture_await(&fixture, 1);
    check("delivered message 250");
    assert_int_equal(peer.connections, 2);
    tear_down();
}

static void r29_no_host_answers(void **state)
{
    static const char *const script[] = { NULL };

    (void)state;
    set_up(script);
    fixture.hosts[0] = STR("127.0.0.2");
    fixture.hosts[1] = STR("127.0.0.3");
    fixture_send(&fixture, &(struct errand){ .route = MX });
    fixture_await(&fixture, 1);
    check("deferred destination 0 4.4.1");
    assert_int_equal(fixture.last.connection_failed, 1);
    tear_down();
}

static void r28_s02_what_dns_forbids_is_not_connected_to(void **state)
{
    static const char *const script[] = { NULL };

    (void)state;
    set_up(script);
    fixture.hosts[0] = STR("10.0.0.1"); /* private, and not allowed */
    fixture_send(&fixture, &(struct errand){ .route = MX, .connections = 1 });
    fixture_await(&fixture, 1);
    fixture.hosts[0] = STR_NONE; /* null MX */
    fixture_send(&fixture, &(struct errand){ .route = MX, .connections = 1 });
    fixture_await(&fixture, 2);
    check("deferred destination 451; bounced destination 556 5.1.10");
    assert_int_equal(peer.connections, 0);
    tear_down();
}

static void note_drained(void *arg)
{
    *(bool *)arg = true;
}

/* What is in hand is finished, what waits goes back to core without a result. */
static void a_drain_finishes_what_is_in_hand(void **state)
{
    static const char *const script[] = { GREET, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA",
                                          "S:354 go", "B", "S:250 ok", "C:QUIT", "S:221 bye", NULL };
    bool drained = false;

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    while (peer.commands.len == 0)
        loop_turn(10);
    deliver_role.drain(fixture.role, note_drained, &drained);
    while (!drained)
        loop_turn(10);
    check("relayed message 250");
    assert_int_equal(fixture.results, 1);
    tear_down();
}

static void n10_one_site_never_gets_more_than_its_connections(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, TAKE, TAKE, TAKE, NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 0; i < 4; i++)
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 4);
    assert_int_equal(peer.connections, 1);
    assert_int_equal(fixture.last.connections_open, 1);
    tear_down();
}

/* The role may have one connection: an idle one makes room for another site. */
static void n10_an_idle_connection_makes_room(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, "C:QUIT", "S:221 bye", "D", "|",
                                          GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture.config.delivery.connections = 1;
    fixture_send(&fixture, &(struct errand){ .site = STR("127.0.0.1 a") });
    fixture_await(&fixture, 1);
    fixture_send(&fixture, &(struct errand){ .site = STR("127.0.0.1 b") });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    tear_down();
}

static void messages_per_connection_are_limited(void **state)
{
    static const char *const ours[] = { GREET, HELLO, TAKE, "C:QUIT", "|", GREET, HELLO, TAKE, NULL };
    static const char *const theirs[] = { GREET, "C:EHLO", "S:250-mx\r\n250 LIMITS MAILMAX=1", TAKE, "C:QUIT", "|",
                                          GREET, HELLO, TAKE, NULL };
    const char *const *scripts[] = { ours, theirs };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(scripts[i]);
        fixture.config.delivery.messages_per_connection = i == 0 ? 1 : 0;
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 2);
        check("relayed message 250; relayed message 250");
        assert_int_equal(peer.connections, 2);
        tear_down();
    }
}

static void a_dead_host_fails_all_that_wait_for_it(void **state)
{
    static const char *const script[] = { "D", NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 0; i < 3; i++)
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 3);
    check("deferred session 0 4.4.2; deferred session 0 4.4.2; deferred session 0 4.4.2");
    assert_int_equal(peer.connections, 1);
    tear_down();
}

static void a_cancelled_job_has_no_result(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_cancel(&fixture, 2);
    fixture_await(&fixture, 1);
    for (unsigned i = 0; i < 5; i++)
        loop_turn(1);
    check("relayed message 250");
    assert_int_equal(fixture.results, 1);
    tear_down();
}

static void a_lost_core_leaves_nothing_behind(void **state)
{
    static const char *const script[] = { GREET, "C:EHLO", NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 0; i < 3; i++)
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
    while (peer.commands.len == 0)
        loop_turn(10);
    channel_free(fixture.core);
    fixture.core = NULL;
    loop_turn(0);
    tear_down();
}

/* --- TLS and AUTH ---------------------------------------------------------------------------------------------- */

static void add_pem(struct buf *to, BIO *bio)
{
    char *ptr;
    long len = BIO_get_mem_data(bio, &ptr);

    buf_init(to, 64 * 1024);
    buf_add(to, str_make(ptr, (size_t)len));
    BIO_free(bio);
}

/* A certificate that signs itself: nobody's authority knows it. */
static struct tls_server *make_tls_server(void)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    struct tls_server *server;
    struct buf cert, key;
    struct err err;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, pair);
    assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
    PEM_write_bio_X509(bio, x);
    add_pem(&cert, bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    add_pem(&key, bio);
    if (!tls_server_new(buf_str(&cert), buf_str(&key), &server, &err))
        fail_msg("%s", err.text);
    buf_done(&cert);
    buf_done(&key);
    X509_free(x);
    EVP_PKEY_free(pair);
    return server;
}

#define HELLO_TLS "C:EHLO client.test", "S:250-mx.test\r\n250 STARTTLS"
#define HELLO_AUTH(mechanisms) "C:EHLO client.test", "S:250-mx.test\r\n250 AUTH " mechanisms
#define START_TLS GREET, HELLO_TLS, "C:STARTTLS", "S:220 go", "T"

static const struct tls_case {
    const char *name;
    const char *script[40];
    const char *want;
    enum tls_mode tls;
    const char *user;
    bool verify;
} tls_cases[] = {
    { "R12 STARTTLS, and what was offered before is forgotten", { START_TLS, HELLO, TAKE }, .want = "relayed message 250",
      .tls = TLS_MAY },
    { "R12 implicit TLS", { "T", GREET, HELLO, TAKE }, .want = "relayed message 250", .tls = TLS_IMPLICIT },
    { "B04 plaintext behind the STARTTLS reply",
      { GREET, HELLO_TLS, "C:STARTTLS", "R:220 go\r\n250 injected\r\n", "T" }, .want = "deferred session 0 4.5.0",
      .tls = TLS_MAY },
    { "R12 the certificate is nobody's, once more without TLS is not allowed", { START_TLS },
      .want = "deferred session 0 4.7.5", .tls = TLS_MUST, .verify = true },
    { "R34 AUTH PLAIN",
      { START_TLS, HELLO_AUTH("LOGIN PLAIN"), "C:AUTH PLAIN AHVzZXIAcGFzcw==", "S:235 ok", TAKE },
      .want = "relayed message 250", .tls = TLS_MUST, .user = "user" },
    { "R34 AUTH LOGIN",
      { START_TLS, HELLO_AUTH("LOGIN"), "C:AUTH LOGIN", "S:334 VXNlcg==", "C:dXNlcg==", "S:334 UGFzcw==", "C:cGFzcw==",
        "S:235 ok", TAKE },
      .want = "relayed message 250", .tls = TLS_MAY, .user = "user" },
    { "R34 AUTH refused", { START_TLS, HELLO_AUTH("PLAIN"), "C:AUTH PLAIN", "S:535 5.7.8 no" },
      .want = "deferred session 535", .tls = TLS_MUST, .user = "user" },
    { "R34 AUTH not offered", { START_TLS, HELLO }, .want = "deferred session 0 4.7.0", .tls = TLS_MUST, .user = "user" },
    { "T09 no TLS, no credentials", { GREET, HELLO_AUTH("PLAIN"), "C:QUIT" }, .want = "deferred session 0 4.7.4",
      .tls = TLS_MAY, .user = "user" },
    { "N07 truncated after the final dot",
      { START_TLS, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "R:250 o", "D" },
      .want = "unknown session 0 4.4.2", .tls = TLS_MUST },
};

static void r12_r34_b04_tls_ends_as_it_must(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tls_cases); i++) {
        const struct tls_case *c = &tls_cases[i];
        struct script_case as_script = { .name = c->name, .want = c->want };

        set_up(c->script);
        fixture.routes[0].tls = c->tls;
        fixture.routes[0].tls_verify = c->verify;
        fixture.routes[0].user = str_of(c->user);
        fixture.routes[0].password = str_of(c->user ? "pass" : NULL);
        fixture_reload(&fixture);
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 1);
        failed += !ended_well(&as_script);
        tear_down();
    }
    assert_int_equal(failed, 0);
}

/* --- baton live ------------------------------------------------------------------------------------------------ */

static void live_says_what_it_reached(void **state)
{
    static const char *const script[] = { "S:220 mx.test ready", "C:QUIT", NULL };
    char at[32];

    (void)state;
    set_up(script);
    snprintf(at, sizeof(at), "127.0.0.1:%u", peer_port(&peer));
    assert_string_equal(fixture_ask_live(&fixture, at), "200 \"reached\":true,\"greeting\":\"mx.test ready\"}");
    assert_string_equal(fixture_ask_live(&fixture, "127.0.0.9:1"), "200 \"reached\":false");
    tear_down();
}

/* --------------------------------------------------------------------------------------------------------------- */

static int group_setup(void **state)
{
    (void)state;
    loop_init();
    peer_start(&peer, "127.0.0.1", 0);
    peer.tls = make_tls_server();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    peer_stop(&peer);
    tls_server_free(peer.tls);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b02_n01_n11_r40_scripts_end_as_they_must),
        cmocka_unit_test(b02_a_large_message_arrives_as_it_is),
        cmocka_unit_test(n06_refused_in_the_middle_of_content),
        cmocka_unit_test(a_connection_is_kept_without_rset_between),
        cmocka_unit_test(rset_comes_after_a_refusal),
        cmocka_unit_test(n12_a_kept_connection_that_was_closed_is_no_attempt),
        cmocka_unit_test(t09_another_route_never_shares_a_connection),
        cmocka_unit_test(t09_a_reload_ends_what_was_kept),
        cmocka_unit_test(a_route_of_another_configuration_is_never_taken),
        cmocka_unit_test(r29_n08_the_next_host_is_tried),
        cmocka_unit_test(r29_no_host_answers),
        cmocka_unit_test(r28_s02_what_dns_forbids_is_not_connected_to),
        cmocka_unit_test(r12_r34_b04_tls_ends_as_it_must),
        cmocka_unit_test(live_says_what_it_reached),
        cmocka_unit_test(a_drain_finishes_what_is_in_hand),
        cmocka_unit_test(n10_one_site_never_gets_more_than_its_connections),
        cmocka_unit_test(n10_an_idle_connection_makes_room),
        cmocka_unit_test(messages_per_connection_are_limited),
        cmocka_unit_test(a_dead_host_fails_all_that_wait_for_it),
        cmocka_unit_test(a_cancelled_job_has_no_result),
        cmocka_unit_test(a_lost_core_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

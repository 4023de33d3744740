// SPDX-License-Identifier: Apache-2.0
/* accept/talk_test.c - every command, in order and out of it, as tables of what is said and heard.
 */
#include "accept/expect_test.h"

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1024 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64

enum { STEPS_MAX = 16 };

static const struct talk_case {
    const char *name;
    enum door_kind door;
    unsigned flags;
    unsigned messages; /* that core must have in the end */
    struct {
        struct str say;
        const char *hear; /* the replies: "250", "550 5.7.1", several by ", "; "end" */
    } steps[STEPS_MAX];
} talks[] = {
#define SAY(text, replies)                  \
    {                                       \
        { text, sizeof(text) - 1 }, replies \
    }
    { "R02 R04 a message by hand",
      DOOR_RELAY,
      0,
      1,
      { SAY("", "220"), SAY("HELO me.example\r\n", "250"), SAY(FROM, "250 2.1.0"),
        SAY(TO, "250 2.1.5"), SAY("DATA\r\n", "354"), SAY(TEXT, "250 2.0.0"),
        SAY("QUIT\r\n", "221 2.0.0, end") } },
    { "R05 everything in one packet",
      DOOR_RELAY,
      0,
      1,
      { SAY("", "220"), SAY(HELO FROM TO "DATA\r\n", "250, 250, 250, 354"),
        SAY(TEXT "NOOP\r\nQUIT\r\n", "250, 250, 221, end") } },
    { "R04 BDAT",
      DOOR_RELAY,
      0,
      1,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"),
        SAY("BDAT 14\r\nSubject: x\r\n\r\nBDAT 7 LAST\r\nHello\r\nQUIT\r\n",
            "250, 250, 221, end") } },
    { "R04 BDAT, LAST of nothing",
      DOOR_RELAY,
      0,
      1,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"),
        SAY("BDAT 14\r\nSubject: x\r\n\r\nBDAT 0 LAST\r\n", "250, 250") } },
    { "R05 verbs that need nothing",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"),
        SAY("NOOP\r\nnoop x\r\nRSET\r\nVRFY ann\r\nHELP\r\nhelp mail\r\n",
            "250 2.0.0, 250, 250, 252 2.5.2, 214 2.0.0, 214"),
        SAY("HELP FOO\r\nFOO\r\nEXPN x\r\n\r\n", "500, 500 5.5.1, 500, 500") } },
    { "R05 order of commands",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(FROM, "503 5.5.1"), SAY("EHLO\r\n", "501"), SAY("EHLO a b\r\n", "501"),
        SAY(HELO TO "DATA\r\n", "250, 503, 503"), SAY(FROM FROM, "250, 503 5.5.1"),
        SAY("DATA\r\n", "554 5.5.1"), SAY("RSET x\r\n", "501 5.5.4"),
        SAY("MAIL\r\nRCPT\r\n", "501, 501") } },
    { "R03 parameters",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO, "250"),
        SAY("MAIL FROM:<> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a\r\nRSET\r\n",
            "250, 250"),
        SAY("MAIL FROM:<a@b.example> FOO=1\r\n", "555 5.5.4"),
        SAY("MAIL FROM:<a@b.example> SIZE=x\r\n", "501 5.5.4"),
        SAY("MAIL FROM:<a@b.example> SIZE=999999999999\r\n", "552 5.3.4"),
        SAY("MAIL FROM:a@b.example\r\n", "501 5.5.4"), SAY("MAIL TO:<a@b.example>\r\n", "501"),
        SAY("MAIL FROM: <a@b.example>\r\n"
            "RCPT TO: <ann@home.example> NOTIFY=NEVER\r\n",
            "250, 250"),
        SAY("RCPT TO:<ann@home.example> NOTIFY=MAYBE\r\n", "501 5.5.4") } },
    { "B08 addresses",
      DOOR_RELAY,
      BIND_TRUSTED,
      0,
      { SAY("", "220"), SAY(HELO FROM, "250, 250"),
        SAY("RCPT TO:<>\r\nRCPT TO:<a>\r\nRCPT TO:<@x>\r\n", "501, 501 5.1.3, 501 5.1.3"),
        SAY("RCPT TO:<a b@x.example>\r\n", "501 5.1.3"),
        SAY("RCPT TO:<\"a b\"@x.example>\r\n", "250"), SAY("RCPT TO:<;rm -rf@>\r\n", "501"),
        SAY("RCPT TO:<@r.example:a@x.example>\r\n", "250"),
        SAY("RCPT TO:<\xc3\xbc@x.example>\r\n", "553 5.6.7"),
        SAY("RCPT TO:<\xff@x.example>\r\n", "501"), SAY("RCPT TO:<Postmaster>\r\n", "250") } },
    { "B18 UTF-8 address with SMTPUTF8",
      DOOR_RELAY,
      BIND_TRUSTED,
      0,
      { SAY("", "220"), SAY(HELO "MAIL FROM:<\xc3\xbc@x.example>\r\n", "250, 550 5.6.7"),
        SAY("MAIL FROM:<\xc3\xbc@x.example> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@x.example>\r\n",
            "250, 250") } },
    { "R09 R32 a stranger reaches local domains only",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"),
        SAY("RCPT TO:<a@other.example>\r\n", "550 5.7.1"),
        SAY("RCPT TO:<postmaster>\r\n", "250") } },
    { "R09 a trusted network reaches all",
      DOOR_RELAY,
      BIND_TRUSTED,
      1,
      { SAY("", "220"),
        SAY(HELO FROM "RCPT TO:<a@other.example>\r\nDATA\r\n", "250, 250, 250, 354"),
        SAY(TEXT, "250") } },
    { "R10 a network alone is nobody on a submission port",
      DOOR_SUBMISSION,
      BIND_TRUSTED,
      0,
      { SAY("", "220"), SAY(HELO FROM, "250, 530 5.7.0"), SAY(TO "DATA\r\n", "530, 530"),
        SAY("BDAT 5\r\nhello"
            "NOOP\r\n",
            "530, 250") } },
    { "A02 AUTH before TLS",
      DOOR_SUBMISSION,
      0,
      0,
      { SAY("", "220"), SAY(AUTH_ANN, "503 5.5.1"), SAY(HELO AUTH_ANN, "250, 538 5.7.11") } },
    { "R10 AUTH PLAIN over implicit TLS",
      DOOR_SUBMISSIONS,
      0,
      1,
      { SAY("", "220"), SAY(HELO FROM, "250, 530"), SAY(AUTH_ANN, "235 2.7.0"),
        SAY(AUTH_ANN, "503"), SAY(FROM "RCPT TO:<a@other.example>\r\nDATA\r\n", "250, 250, 354"),
        SAY(TEXT, "250") } },
    { "R10 AUTH PLAIN in two steps",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO "AUTH PLAIN\r\n", "250, 334"),
        SAY("AGFubgBzZWNyZXQ=\r\n", "235") } },
    { "R10 AUTH LOGIN",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO "AUTH LOGIN\r\n", "250, 334"), SAY("YW5u\r\n", "334"),
        SAY("c2VjcmV0\r\n", "235 2.7.0") } },
    { "R10 AUTH LOGIN with the user at once",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO "AUTH LOGIN YW5u\r\n", "250, 334"), SAY("c2VjcmV0\r\n", "235") } },
    { "B07 AUTH that can't be",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO "AUTH CRAM-MD5\r\n", "250, 504 5.5.4"),
        SAY("AUTH PLAIN !!!\r\n", "501 5.5.2"), SAY("AUTH PLAIN AGFubg==\r\n", "501 5.5.2"),
        SAY("AUTH PLAIN =\r\n", "501"), SAY("AUTH PLAIN\r\n*\r\n", "334, 501 5.7.0"),
        SAY("AUTH LOGIN\r\n\r\n\r\n", "334, 334, 535 5.7.8"), SAY("NOOP\r\n", "250"),
        SAY("AUTH PLAIN AGJ1c3kAc2VjcmV0\r\n", "454 4.7.0"), SAY(AUTH_ANN, "235") } },
    { "B07 an AUTH line over its limit",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO "AUTH PLAIN\r\n", "250, 334"),
        SAY(X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 "x\r\n",
            "500 5.5.6"),
        SAY(AUTH_ANN, "235") } },
    { "A03 too many failures",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO, "250"), SAY("AUTH PLAIN AGFubgB4\r\n", "535"),
        SAY("AUTH PLAIN AGFubgB4\r\n", "535"), SAY("AUTH PLAIN AGFubgB4\r\n", "535"),
        SAY("AUTH PLAIN AGFubgB4\r\n", "535"),
        SAY("AUTH PLAIN AGFubgB4\r\n", "535, 421 4.7.0, end") } },
    { "R10 no AUTH on a relay port",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO AUTH_ANN, "250, 503 5.5.1") } },
    { "R12 STARTTLS where it is on already",
      DOOR_SUBMISSIONS,
      0,
      0,
      { SAY("", "220"), SAY(HELO "STARTTLS\r\nSTARTTLS x\r\n", "250, 503, 501") } },
    { "B01 commands ended by LF",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY("HELO x\n", "500 5.5.2"), SAY("NO\rOP\r\n", "500"),
        SAY("NO\0OP\r\n", "500"), SAY("NOOP\r\n", "250") } },
    { "R06 commands ended by LF, normalised",
      DOOR_RELAY,
      BIND_NORMALIZE,
      1,
      { SAY("", "220"), SAY("HELO x\nMAIL FROM:<a@b.example>\n" TO "DATA\n", "250, 250, 250, 354"),
        SAY("Subject: x\n\nHello\n.\nstill\r\n.\r\n", "250"), SAY("QUIT\n", "221, end") } },
    { "B01 DATA with a bare LF is refused once",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO "DATA\r\n", "250, 250, 250, 354"),
        SAY("a\n.\nb\r\n.\r\n"
            "NOOP\r\n",
            "554 5.6.0, 250") } },
    { "B01 BDAT with a NUL, not BINARYMIME",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"),
        SAY("BDAT 3 LAST\r\na\0bNOOP\r\n", "554, 250") } },
    { "B18 BINARYMIME by BDAT",
      DOOR_RELAY,
      0,
      1,
      { SAY("", "220"), SAY(HELO "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n" TO, "250, 250, 250"),
        SAY("DATA\r\n", "503 5.5.1"), SAY("BDAT 3 LAST\r\na\0\n", "250") } },
    { "B05 BDAT that can't be read ends the session",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"), SAY("BDAT -1\r\n", "501, end") } },
    { "B05 BDAT of a huge size",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"),
        SAY("BDAT 9223372036854775807\r\n", "552 5.3.4, end") } },
    { "B05 BDAT over 64 bits",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO, "250, 250, 250"),
        SAY("BDAT 99999999999999999999 LAST\r\n", "501, end") } },
    { "B05 BDAT out of order is read away",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO "BDAT 6 LAST\r\nNOOP\r\nNOOP\r\n", "250, 503, 250"),
        SAY(FROM "BDAT 6\r\nNOOP\r\nNOOP\r\n", "250, 554, 250") } },
    { "R04 DATA and RCPT within BDAT",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(HELO FROM TO "BDAT 1\r\na", "250, 250, 250, 250"),
        SAY("DATA\r\n" TO FROM, "503, 503, 503"), SAY("RSET\r\nDATA\r\n", "250, 503") } },
    { "B17 a line over the limit",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"), SAY(X1024 X1024 X1024 X1024 "\r\nNOOP\r\n", "500 5.5.2, 250") } },
    { "a browser", DOOR_RELAY, 0, 0, { SAY("", "220"), SAY("POST / HTTP/1.1\r\n", "554, end") } },
    { "R05 too many bad commands",
      DOOR_RELAY,
      0,
      0,
      { SAY("", "220"),
        SAY("A\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\n", "500, 500, 500, 500, 500, 500, 500"),
        SAY("A\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\n", "500, 500, 500, 500, 500, 500, 500"),
        SAY("A\r\nA\r\nA\r\nA\r\nA\r\nA\r\n", "500, 500, 500, 500, 500, 500, 421 4.7.0, end") } },
    { "R34 PROXY",
      DOOR_PROXIED,
      0,
      0,
      { SAY("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n", "220"), SAY(HELO, "250") } },
    { "B14 no PROXY header where one is due", DOOR_PROXIED, 0, 0, { SAY(HELO, "end") } },
#undef SAY
};

static void test_talks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(talks); i++) {
        const struct talk_case *t = &talks[i];
        struct world w;
        struct client c;

        print_message("%s\n", t->name);
        world_start(&w, "");
        w.client_flags = t->flags;
        client_connect(&c, &w, t->door);
        for (size_t n = 0; n < STEPS_MAX && t->steps[n].hear != NULL; n++) {
            client_say(&c, t->steps[n].say);
            check_replies(&c, str_of(t->steps[n].hear));
        }
        assert_int_equal(world_whole(&w), t->messages);
        client_close(&c);
        assert_int_equal(w.accept->sessions.count, 0);
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

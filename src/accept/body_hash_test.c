// SPDX-License-Identifier: Apache-2.0
/* accept/body_hash_test.c - the hash of the body that core is told for accounts that sign, however
 * the content came (R43). */
#include "accept/expect_test.h"
#include "mail/dkim.h"

static void check_hash(const struct world *w, struct str body)
{
    const struct taken *t = &w->messages[0];
    uint8_t want[DKIM_HASH_BYTES];
    struct dkim_body b = { 0 };

    dkim_body_begin(&b, DKIM_RELAXED, UINT64_MAX);
    dkim_body_add(&b, body);
    dkim_body_end(&b, want);
    dkim_body_done(&b);
    assert_int_equal(world_whole(w), 1);
    assert_true(str_eq(t->body_hash, str_make(want, sizeof(want))));
}

static void begin(struct world *w, struct client *c, const char *commands, const char *replies)
{
    client_connect(c, w, DOOR_RELAY);
    assert_int_equal(client_hear(c), 220);
    client_say(c, str_of(commands));
    check_replies(c, str_of(replies));
}

static void end(struct world *w, struct client *c)
{
    client_close(c);
    world_forget(w);
}

static const struct data_case {
    const char *name;
    struct str content; /* by DATA */
    struct str body;
} data_cases[] = {
    { "plain", STR("Subject: x\r\n\r\nHello  you \r\n\r\n.\r\n"), STR("Hello you\r\n") },
    { "dots", STR("Subject: x\r\n\r\n..a\r\n...\r\n.\r\n"), STR(".a\r\n..\r\n") },
    { "no body", STR("Subject: x\r\n.\r\n"), STR("") },
    { "an empty body", STR("Subject: x\r\n\r\n.\r\n"), STR("") },
    { "no header", STR("Hello you\r\n.\r\n"), STR("Hello you\r\n") },
    { "nothing", STR(".\r\n"), STR("") },
};

static void r43_by_data(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, "");
    w.client_flags = BIND_SIGNS;
    for (size_t i = 0; i < ARRAY_LEN(data_cases); i++) {
        const struct data_case *d = &data_cases[i];

        print_message("%s\n", d->name);
        for (size_t split = 1; split < d->content.len; split++) {
            struct client c;

            begin(&w, &c, HELO FROM TO "DATA\r\n", "250, 250, 250, 354");
            client_say_split(&c, d->content, split);
            check_replies(&c, STR("250"));
            check_hash(&w, d->body);
            end(&w, &c);
        }
    }
    world_end(&w);
}

/* Chunks to core are cut anywhere, the header among them. */
static void r43_by_bdat_and_large(void **state)
{
    struct world w;
    struct client c;
    struct buf body; /* its first octet comes with the header's end */
    char command[64];

    (void)state;
    world_start(&w, "");
    w.client_flags = BIND_SIGNS;
    buf_init(&body, 1 << 20);
    buf_add_char(&body, 'T');
    while (body.len < 200 * 1024)
        buf_addf(&body, "line %zu  \t of many \n\r\n", body.len);
    begin(&w, &c, HELO "MAIL FROM:<me@my.example> BODY=BINARYMIME\r\n" TO "BDAT 8\r\nSubject:",
          "250, 250, 250, 250");
    client_say(&c, STR("BDAT 7\r\n x\r\n\r\nT"));
    check_replies(&c, STR("250"));
    (void)snprintf(command, sizeof(command), "BDAT %zu LAST\r\n", body.len - 1);
    client_say(&c, str_of(command));
    client_say(&c, str_skip(buf_str(&body), 1));
    check_replies(&c, STR("250"));
    check_hash(&w, buf_str(&body));
    end(&w, &c);
    buf_done(&body);
    world_end(&w);
}

/* One transaction leaves nothing to the next, nor does one that was given up. */
static void r43_one_after_the_other(void **state)
{
    struct world w;
    struct client c;

    (void)state;
    world_start(&w, "");
    w.client_flags = BIND_SIGNS;
    begin(&w, &c, HELO FROM TO "BDAT 20\r\nSubject: x\r\n\r\nabcd\r\nRSET\r\n",
          "250, 250, 250, 250, 250");
    client_say(&c, STR(FROM TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 354"));
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250"));
    world_settle();
    check_hash(&w, STR("Hello\r\n"));
    end(&w, &c);
    world_end(&w);
}

static void nothing_is_hashed_for_those_who_do_not_sign(void **state)
{
    struct world w;
    struct client c;

    (void)state;
    world_start(&w, "");
    begin(&w, &c, HELO FROM TO "DATA\r\n", "250, 250, 250, 354");
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250"));
    assert_int_equal(world_whole(&w), 1);
    assert_int_equal(w.messages[0].body_hash.len, 0);
    end(&w, &c);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r43_by_data),
        cmocka_unit_test(r43_by_bdat_and_large),
        cmocka_unit_test(r43_one_after_the_other),
        cmocka_unit_test(nothing_is_hashed_for_those_who_do_not_sign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

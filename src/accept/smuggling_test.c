// SPDX-License-Identifier: Apache-2.0
/* accept/smuggling_test.c - fault B01: whatever stands for the end of a message, and wherever the
 * bytes are split, one message comes of it or none, never two. */
#include "accept/expect_test.h"

/* What stands between the first message and the one that is to be smuggled. */
static const struct str forms[] = {
    STR("\n.\n"),         STR("\n.\r\n"),     STR("\r\n.\n"),       STR("\r.\r"),
    STR("\r\n.\r"),       STR("\r.\r\n"),     STR("\r\r\n.\r\r\n"), STR("\r\n.\r\r\n"),
    STR("\0\r\n.\0\r\n"), STR("\r\n\0.\r\n"), STR("\r\n.\0\r\n"),   STR("\n\r.\n\r"),
    STR("\n\n.\n\n"),     STR("\r\n.\n\r\n"),
};
#define SMUGGLED \
    "MAIL FROM:<evil@bad.example>\r\nRCPT TO:<ann@home.example>\r\nDATA\r\nSubject: y\r\n\r\nz\r\n.\r\n"

static void check_one_message(struct world *w)
{
    assert_true(world_whole(w) <= 1);
    for (unsigned i = 0; i < w->begun; i++)
        assert_string_equal(w->messages[i].reverse_path, "me@my.example");
}

static void smuggle(struct world *w, struct str payload, size_t split)
{
    struct client c;

    client_connect(&c, w, DOOR_RELAY);
    assert_int_equal(client_hear(&c), 220);
    client_say(&c, STR(HELO FROM TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 250, 354"));
    client_say_split(&c, payload, split);
    (void)client_hear(&c);
    assert_true(c.code == 250 || c.code >= 500);
    world_settle();
    check_one_message(w);
    client_close(&c);
    world_forget(w);
}

static void test_b01_smuggling_by_data(void **state)
{
    static const unsigned flags[] = { 0, BIND_NORMALIZE };
    struct world w;

    (void)state;
    world_start(&w, "");
    for (size_t f = 0; f < ARRAY_LEN(flags); f++) {
        w.client_flags = flags[f];
        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
            static const struct str before = STR("Subject: x\r\n\r\ny"), after = STR(SMUGGLED);
            struct buf payload;

            buf_init(&payload, 4096);
            buf_add(&payload, before);
            buf_add(&payload, forms[i]);
            buf_add(&payload, after);
            for (size_t split = before.len - 1; split <= before.len + forms[i].len + 1; split++)
                smuggle(&w, buf_str(&payload), split);
            buf_done(&payload);
        }
    }
    world_end(&w);
}

static void test_b01_smuggling_by_bdat(void **state)
{
    struct world w;

    (void)state;
    world_start(&w, "");
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct client c;
        struct buf content;

        buf_init(&content, 4096);
        buf_add(&content, STR("Subject: x\r\n\r\ny"));
        buf_add(&content, forms[i]);
        buf_add(&content, STR(SMUGGLED));
        client_connect(&c, &w, DOOR_RELAY);
        assert_int_equal(client_hear(&c), 220);
        client_say(&c, STR(HELO FROM TO));
        check_replies(&c, STR("250, 250, 250"));
        for (size_t at = 0; at < content.len; at++) {
            char command[64];
            int len = snprintf(command, sizeof(command), "BDAT 1%s\r\n%c",
                               at + 1 == content.len ? " LAST" : "", 0);

            command[len - 1] = content.ptr[at];
            client_say(&c, str_make(command, (size_t)len));
            (void)client_hear(&c);
            assert_true(c.code == 250 || c.code == 554 || c.code == 503 || c.code == 421);
            if (c.code == 421)
                break;
        }
        check_one_message(&w);
        client_close(&c);
        buf_done(&content);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_b01_smuggling_by_data),
        cmocka_unit_test(test_b01_smuggling_by_bdat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

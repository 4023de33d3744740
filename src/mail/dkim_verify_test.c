// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_verify_test.c - the signed messages of RFC 6376 and RFC 8463, and what breaks them or
 * does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/dkim.h"
#include "mail/header.h"

#define BODY "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n"
#define FIELDS                                         \
    "From: Joe SixPack <joe@football.example.com>\r\n" \
    "To: Suzie Q <suzie@shopping.example.net>\r\n"     \
    "Subject: Is dinner ready?\r\n"                    \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"  \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"

/* RFC 6376, appendix A.3 and C. */
#define SIMPLE                                                          \
    "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n" \
    "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n" \
    "      h=Received : From : To : Subject : Date : Message-ID;\r\n"   \
    "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"        \
    "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"  \
    "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"    \
    "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"    \
    "      4bmp/YzhwvcubU4=;\r\n"                                       \
    "Received: from client1.football.example.com  [192.0.2.1]\r\n"      \
    "      by submitserver.example.com with SUBMISSION;\r\n"            \
    "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n" FIELDS
#define SIMPLE_KEY                                                                                 \
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"  \
    "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi" \
    "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"

/* RFC 8463, appendix A. */
#define TWICE                                                         \
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"   \
    " d=football.example.com; i=@football.example.com;\r\n"           \
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"         \
    " subject : date : message-id : from : subject : date;\r\n"       \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"           \
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n" \
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                           \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"       \
    " d=football.example.com; i=@football.example.com;\r\n"           \
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"   \
    " date : message-id : from : subject : date;\r\n"                 \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"           \
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n" \
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n" \
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n" FIELDS
#define TWICE_ED25519 "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define TWICE_RSA                                                                                 \
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhd" \
    "R6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5" \
    "QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"

struct letter {
    struct arena arena;
    struct dkim_signature signature;
    struct dkim_key key;
};

/* Reads that-many-th signature of the section and a key. */
static void letter_read(struct letter *l, struct str section, unsigned number, struct str record)
{
    struct err err;
    size_t at = 0;

    arena_init(&l->arena, 4096);
    for (unsigned i = 0; i <= number; i++)
        assert_true(dkim_signature_next(section, &at, &l->arena, &l->signature, &err));
    assert_int_not_equal(l->signature.algorithm, 0);
    assert_true(dkim_key_read(record, &l->arena, &l->key, &err));
}

/* Empty: it holds. */
static const char *judge(const struct letter *l, struct str section, struct str body, int64_t now_s)
{
    uint8_t header_hash[DKIM_HASH_BYTES], body_hash[DKIM_HASH_BYTES];
    struct dkim_body b = { 0 };
    static struct err err;

    err = (struct err){ 0 };
    dkim_body_begin(&b, l->signature.body_form, l->signature.body_length);
    dkim_body_add(&b, body);
    dkim_body_end(&b, body_hash);
    dkim_body_done(&b);
    assert_true(dkim_header_hash(section, &l->signature, header_hash, &err));
    return dkim_verify(&l->signature, &l->key, header_hash, body_hash, now_s, &err) ? "" : err.text;
}

static const char *judge_all(struct str section, unsigned number, struct str record,
                             struct str body)
{
    struct letter l;
    const char *told;

    letter_read(&l, section, number, record);
    told = judge(&l, section, body, 1600000000);
    arena_done(&l.arena);
    return told;
}

static void r43_the_vectors_of_the_rfcs(void **state)
{
    (void)state;
    assert_string_equal(judge_all(STR(SIMPLE), 0, STR(SIMPLE_KEY), STR(BODY)), "");
    assert_string_equal(judge_all(STR(TWICE), 0, STR(TWICE_ED25519), STR(BODY)), "");
    assert_string_equal(judge_all(STR(TWICE), 1, STR(TWICE_RSA), STR(BODY)), "");
    assert_string_equal(judge_all(STR(TWICE "\r\n"), 1, STR(TWICE_RSA), STR(BODY "\r\n")), "");
}

static void what_does_not_hold(void **state)
{
    const char *header = "the header was changed, or signed with another key";

    (void)state;
    assert_string_equal(judge_all(STR(SIMPLE), 0, STR(SIMPLE_KEY), STR(BODY "x")),
                        "the body was changed");
    assert_string_equal(judge_all(STR(TWICE), 1, STR(SIMPLE_KEY), STR(BODY)), header);
    assert_string_equal(judge_all(STR(TWICE), 0, STR(TWICE_RSA), STR(BODY)),
                        "the key is of another algorithm");
    assert_string_equal(judge_all(STR(TWICE), 1, STR("v=DKIM1; p="), STR(BODY)),
                        "the key was revoked");
    assert_string_equal(judge_all(STR(SIMPLE " a\r\n"), 0, STR(SIMPLE_KEY), STR(BODY)), header);
    /* Y01, Y03: From, Subject and Date are over-signed there; To is not named for once more. */
    assert_string_equal(judge_all(STR("From: x\r\n" TWICE), 0, STR(TWICE_ED25519), STR(BODY)),
                        header);
    assert_string_equal(judge_all(STR("To: x\r\n" TWICE), 0, STR(TWICE_ED25519), STR(BODY)), "");
    assert_string_equal(judge_all(STR(TWICE "To: x\r\n"), 0, STR(TWICE_ED25519), STR(BODY)),
                        header);
}

static void an_identity_below_and_a_strict_key(void **state)
{
    (void)state;
    assert_string_equal(judge_all(STR(SIMPLE), 0, STR(SIMPLE_KEY "; t=y"), STR(BODY)), "");
    assert_string_equal(judge_all(STR(SIMPLE), 0, STR(SIMPLE_KEY "; t=s"), STR(BODY)),
                        "the key is for d= itself only, i= is below it");
    assert_string_equal(judge_all(STR(TWICE), 0, STR(TWICE_ED25519 "; t=s"), STR(BODY)), "");
}

static void it_expires(void **state)
{
    struct letter l;

    (void)state;
    letter_read(&l, STR(TWICE), 0, STR(TWICE_ED25519));
    l.signature.expires_s = 1000;
    assert_string_equal(judge(&l, STR(TWICE), STR(BODY), 1000), "");
    assert_string_equal(judge(&l, STR(TWICE), STR(BODY), 1001), "the signature has expired");
    arena_done(&l.arena);
}

/* --- others' signatures on their way through --- */

static const struct edit_case {
    const char *name, *after;
    bool relaxed, simple; /* survive in either form */
} edit_cases[] = {
    { "nothing", TWICE, true, true },
    { "fields in front", "Received: from us\r\nDate-X: y\r\n" TWICE, true, true },
    { "a field behind", TWICE "X-Seen: yes\r\n", true, true },
    { "a From in front", "From: x\r\n" TWICE, false, false },
    { "a To in front", "To: x\r\n" TWICE, true, true },
    { "gone", FIELDS, false, false },
};

static void r107_signatures_that_survive_our_edits(void **state)
{
    struct letter l;

    (void)state;
    letter_read(&l, STR(TWICE), 0, STR(TWICE_ED25519));
    for (size_t i = 0; i < ARRAY_LEN(edit_cases); i++) {
        const struct edit_case *c = &edit_cases[i];

        print_message("%s\n", c->name);
        l.signature.header_form = DKIM_RELAXED;
        assert_int_equal(dkim_signature_survives(&l.signature, STR(TWICE), str_of(c->after)),
                         c->relaxed);
        l.signature.header_form = DKIM_SIMPLE;
        assert_int_equal(dkim_signature_survives(&l.signature, STR(TWICE), str_of(c->after)),
                         c->simple);
    }
    arena_done(&l.arena);
}

#define RESPACED                                                                                  \
    "DKIM-Signature: v=1; a=rsa-sha256; d=e.org; s=s; h=from:subject; "                           \
    "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9Odqq" \
    "ehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\nFrom: x\r\n"

static void r107_white_space_matters_to_simple_form_only(void **state)
{
    struct letter l;

    (void)state;
    letter_read(&l, STR(RESPACED), 0, STR(TWICE_RSA));
    for (int form = DKIM_SIMPLE; form <= DKIM_RELAXED; form++) {
        l.signature.header_form = (enum dkim_form)form;
        assert_int_equal(dkim_signature_survives(&l.signature, STR(RESPACED "Subject: a b\r\n"),
                                                 STR(RESPACED "SUBJECT :  a\r\n\t b \r\n")),
                         form == DKIM_RELAXED);
        assert_false(dkim_signature_survives(&l.signature, STR(RESPACED "Subject: a b\r\n"),
                                             STR(RESPACED "Subject: ab\r\n")));
    }
    arena_done(&l.arena);
}

static void s07_too_many_fields(void **state)
{
    uint8_t hash[DKIM_HASH_BYTES];
    struct letter l;
    struct buf many;
    struct err err;

    (void)state;
    letter_read(&l, STR(TWICE), 0, STR(TWICE_ED25519));
    buf_init(&many, 1 << 20);
    buf_add(&many, STR(TWICE));
    for (size_t i = 0; i < HEADER_FIELDS_MAX + EDITS_MAX - 8; i++)
        buf_add(&many, STR("X: y\r\n"));
    assert_true(dkim_header_hash(buf_str(&many), &l.signature, hash, &err));
    for (size_t i = 0; i < 10; i++)
        buf_add(&many, STR("X: y\r\n"));
    assert_false(dkim_header_hash(buf_str(&many), &l.signature, hash, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_done(&many);
    arena_done(&l.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r43_the_vectors_of_the_rfcs),
        cmocka_unit_test(what_does_not_hold),
        cmocka_unit_test(an_identity_below_and_a_strict_key),
        cmocka_unit_test(it_expires),
        cmocka_unit_test(r107_signatures_that_survive_our_edits),
        cmocka_unit_test(r107_white_space_matters_to_simple_form_only),
        cmocka_unit_test(s07_too_many_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

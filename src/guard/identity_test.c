// SPDX-License-Identifier: Apache-2.0
/* guard/identity_test.c - in whose name an account may send (R45, R49, R101, R115, T01, Y03). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "guard/identity.h"
#include "guard/people.h"

/* Account 1 has own.example with what is below, a lease of rented.example and an international
 * name; account 2 has others.example with what is below; nobody has free.example. */
static void tell_all(struct directory *d)
{
    directory_init(d);
    assert_true(people_tell(d, people_begin()));
    assert_true(people_tell(d, people_account(&(struct person){ .id = 1, .name = "shop" })));
    assert_true(people_tell(d, people_account(&(struct person){ .id = 2, .name = "rival" })));
    assert_true(people_tell(d, people_account(&(struct person){
                                   .id = 3, .name = "forwarder", .flags = ACCOUNT_FORWARDS })));
    assert_true(people_tell(d, people_account(&(struct person){
                                   .id = 4, .name = "vacation", .flags = ACCOUNT_NULL_SENDER })));
    assert_true(people_tell(d, people_account(&(struct person){
                                   .id = 5, .name = "form", .rewrite_from = "web@five.example" })));
    assert_true(
        people_tell(d, people_account(&(struct person){
                           .id = 6, .name = "badform", .rewrite_from = "web@others.example" })));
    assert_true(
        people_tell(d, people_stream(1, 1, STREAM_MARKETING, "news", "news.own.example", "")));
    for (uint64_t id = 1; id <= 6; id++) {
        static const char *const names[] = { "",
                                             "own.example",
                                             "others.example",
                                             "three.example",
                                             "four.example",
                                             "five.example",
                                             "six.example" };
        assert_true(people_tell(d, people_domain(id, id, names[id], DOMAIN_SUBDOMAINS, 0, "")));
    }
    assert_true(people_tell(d, people_domain(10, 1, "rented.example", DOMAIN_LEASED, 0, "news")));
    assert_true(people_tell(d, people_domain(11, 2, "rented.example", 0, 0, "")));
    assert_true(people_tell(d, people_domain(12, 1, "xn--bcher-kva.example", 0, 0, "")));
    assert_true(people_tell(d, people_end()));
}

#define TAIL "To: x@y.example\r\nSubject: s\r\n\r\n"
#define OURS "Received: from c by relay.example; now\r\n"
#define THEIRS "Received: from elsewhere by there; then\r\n"

enum gives { NOTHING = 0, SIGNED = 1, PASSED_ON = 2, REWRITTEN = 4 };

static const struct identity_case {
    const char *name;
    uint64_t account;
    const char *reverse_path;
    const char *section;
    enum policy_code want;
    const char *arg; /* NULL: any */
    unsigned gives;  /* or-ed */
} identity_cases[] = {
    { "R45 its own", 1, "a@own.example", "From: a@own.example\r\n" TAIL, CODE_NONE, "", SIGNED },
    { "R45 other case", 1, "a@OWN.example", "FROM: A <a@Own.Example>\r\n" TAIL, CODE_NONE, "",
      SIGNED },
    { "R45 below its own", 1, "a@x.own.example", "From: a@y.own.example\r\n" TAIL, CODE_NONE, "",
      SIGNED },
    { "R45 an international name", 1, "a@own.example",
      "From: a@b\xc3\xbc"
      "cher.example\r\n" TAIL,
      CODE_NONE, "", SIGNED },
    { "R45 two authors and a sender", 1, "a@own.example",
      "From: a@own.example, b@own.example\r\nSender: a@own.example\r\n" TAIL, CODE_NONE, "",
      NOTHING },
    { "R45 a group", 1, "a@own.example", "From: Us: a@own.example;\r\n" TAIL, CODE_NONE, "",
      SIGNED },

    { "T01 another's in MAIL FROM", 1, "a@others.example", "From: a@own.example\r\n" TAIL,
      CODE_MAIL_FROM, "others.example", SIGNED },
    { "T01 nobody's in MAIL FROM", 1, "a@free.example", "From: a@own.example\r\n" TAIL,
      CODE_MAIL_FROM, "free.example", SIGNED },
    { "T01 a literal in MAIL FROM", 1, "a@[192.0.2.1]", "From: a@own.example\r\n" TAIL,
      CODE_MAIL_FROM, "[192.0.2.1]", SIGNED },
    { "T01 another's in From", 1, "a@own.example", "From: a@others.example\r\n" TAIL, CODE_FROM,
      "others.example", NOTHING },
    { "T01 nobody's in From", 1, "a@own.example", "From: a@free.example\r\n" TAIL, CODE_FROM,
      "free.example", NOTHING },
    { "T01 another's in both", 1, "a@others.example", "From: a@others.example\r\n" TAIL,
      CODE_MAIL_FROM, "others.example", NOTHING },
    { "T01 another's as second author", 1, "a@own.example",
      "From: a@own.example, b@others.example\r\nSender: a@own.example\r\n" TAIL, CODE_FROM,
      "others.example", NOTHING },
    { "T01 another's as first author", 1, "a@own.example",
      "From: b@others.example, a@own.example\r\nSender: a@own.example\r\n" TAIL, CODE_FROM,
      "others.example", NOTHING },
    { "T01 another's in a group", 1, "a@own.example",
      "From: G: a@own.example, b@others.example;\r\nSender: a@own.example\r\n" TAIL, CODE_FROM,
      "others.example", NOTHING },
    { "T01 another's in Sender", 1, "a@own.example",
      "From: a@own.example\r\nSender: b@others.example\r\n" TAIL, CODE_SENDER, "others.example",
      SIGNED },
    { "T01 nobody's in Sender", 1, "a@own.example",
      "From: a@own.example\r\nSender: b@free.example\r\n" TAIL, CODE_SENDER, "free.example",
      SIGNED },
    { "T01 another's in Resent-From", 1, "a@own.example",
      "From: a@own.example\r\nResent-From: b@others.example\r\n" TAIL, CODE_SENDER,
      "others.example", SIGNED },
    { "nobody's in Resent-From", 1, "a@own.example",
      "From: a@own.example\r\nResent-From: b@free.example\r\n" TAIL, CODE_NONE, "", SIGNED },
    { "T01 another's in d=", 1, "a@own.example",
      "From: a@own.example\r\nDKIM-Signature: v=1; d=others.example; s=x; b=\r\n" TAIL,
      CODE_SIGNATURE, "others.example", SIGNED },
    { "T01 another's in a folded d=", 1, "a@own.example",
      "From: a@own.example\r\nDKIM-Signature: v=1;\r\n\td = mail.oth\r\n ers.example; b=\r\n" TAIL,
      CODE_SIGNATURE, "mail.others.example", SIGNED },
    { "T01 another's in a second d=", 1, "a@own.example",
      "From: a@own.example\r\nDKIM-Signature: v=1; d=own.example; d=others.example\r\n" TAIL,
      CODE_SIGNATURE, "others.example", SIGNED },
    { "T01 another's in i=", 1, "a@own.example",
      "From: a@own.example\r\nDKIM-Signature: d=own.example; i=@x.others.example\r\n" TAIL,
      CODE_SIGNATURE, "x.others.example", SIGNED },
    { "its own or nobody's in d=", 1, "a@own.example",
      "From: a@own.example\r\nDKIM-Signature: d=own.example\r\n"
      "DKIM-Signature: d=free.example\r\n" TAIL,
      CODE_NONE, "", SIGNED },
    { "T01 an address in the name", 1, "a@own.example",
      "From: b@others.example <a@own.example>\r\n" TAIL, CODE_FROM_SYNTAX, NULL, NOTHING },
    { "T01 a route", 1, "a@own.example", "From: <@others.example:a@own.example>\r\n" TAIL,
      CODE_FROM_SYNTAX, NULL, NOTHING },
    { "T01 a line that is no field", 1, "a@own.example",
      "From: a@own.example\r\n\x01\r\nFrom: b@others.example\r\n" TAIL, CODE_FROM_SYNTAX, NULL,
      NOTHING },
    { "T01 a bare LF", 1, "a@own.example",
      "From: a@own.example\r\nX: y\nSender: b@others.example\r\n" TAIL, CODE_FROM_SYNTAX, NULL,
      NOTHING },
    { "T01 a bare CR", 1, "a@own.example",
      "From: a@own.example\r\nX: y\rFrom: b@others.example\r\n" TAIL, CODE_FROM_SYNTAX, NULL,
      NOTHING },
    { "T01 a blank before the colon", 1, "a@own.example", "From : a@own.example\r\n" TAIL,
      CODE_FROM_SYNTAX, NULL, NOTHING },
    { "T01 two addresses in Sender", 1, "a@own.example",
      "From: a@own.example\r\nSender: a@own.example, b@own.example\r\n" TAIL, CODE_FROM_SYNTAX,
      NULL, SIGNED },
    { "no From", 1, "a@own.example", TAIL, CODE_FROM_MISSING, NULL, NOTHING },
    { "an empty From", 1, "a@own.example", "From: \r\n" TAIL, CODE_FROM_MISSING, NULL, NOTHING },
    { "an empty group in From", 1, "a@own.example", "From: nobody:;\r\n" TAIL, CODE_FROM_MISSING,
      NULL, NOTHING },
    { "two authors without sender", 1, "a@own.example",
      "From: a@own.example, b@own.example\r\n" TAIL, CODE_SENDER_MISSING, NULL, NOTHING },

    { "Y03 two From", 1, "a@own.example", "From: a@own.example\r\nFrom: a@own.example\r\n" TAIL,
      CODE_DUPLICATE, "From", NOTHING },
    { "Y03 two From, another's first", 1, "a@own.example",
      "From: a@others.example\r\nfrom: a@own.example\r\n" TAIL, CODE_DUPLICATE, "From", NOTHING },
    { "Y03 two From, another's last", 1, "a@free.example",
      "From: a@own.example\r\nFROM: a@others.example\r\n" TAIL, CODE_DUPLICATE, "From", NOTHING },
    { "Y03 two Sender", 1, "a@own.example",
      "From: a@own.example\r\nSender: a@own.example\r\nSender: a@own.example\r\n" TAIL,
      CODE_DUPLICATE, "Sender", NOTHING },
    { "Y03 two Subject", 1, "a@own.example", "From: a@own.example\r\nSubject: t\r\n" TAIL,
      CODE_DUPLICATE, "Subject", SIGNED },
    { "Y03 two Content-Type", 1, "a@own.example",
      "From: a@own.example\r\nContent-Type: text/plain\r\nContent-type: text/html\r\n" TAIL,
      CODE_DUPLICATE, "Content-Type", SIGNED },

    { "null sender", 1, "", "From: a@own.example\r\n" TAIL, CODE_NULL_SENDER, "shop", SIGNED },
    { "R101 null sender by policy", 4, "", "From: a@four.example\r\n" TAIL, CODE_NONE, "", SIGNED },
    { "R101 null sender, another's From", 4, "", "From: a@others.example\r\n" TAIL, CODE_FROM,
      "others.example", NOTHING },

    { "R49 leased", 1, "news@rented.example", "From: news@rented.example\r\n" TAIL, CODE_NONE, "",
      SIGNED },
    { "R49 leased, a detail in the return path", 1, "news+1=x@rented.example",
      "From: News@rented.example\r\n" TAIL, CODE_NONE, "", SIGNED },
    { "R49 leased, another local part", 1, "a@own.example", "From: ceo@rented.example\r\n" TAIL,
      CODE_LEASE, "news@rented.example", SIGNED },
    { "R49 leased, another local part as sender", 1, "ceo@rented.example",
      "From: a@own.example\r\n" TAIL, CODE_LEASE, "news@rented.example", SIGNED },
    { "R49 who leases it out has all of it", 2, "ceo@rented.example",
      "From: ceo@rented.example\r\n" TAIL, CODE_NONE, "", SIGNED },

    { "R101 passed on", 3, "a@free.example", OURS THEIRS "From: a@free.example\r\n" TAIL, CODE_NONE,
      "", PASSED_ON },
    { "R101 passed on, a bounce", 3, "", OURS THEIRS "From: a@free.example\r\n" TAIL, CODE_NONE, "",
      PASSED_ON },
    { "R101 passed on, broken From", 3, "a@free.example", OURS THEIRS "From: root\r\n" TAIL,
      CODE_NONE, "", PASSED_ON },
    { "R101 its name on the way back is not vouched for", 3, "a@free.example",
      OURS THEIRS "From: ceo@three.example\r\n" TAIL, CODE_NONE, "", PASSED_ON },
    { "R101 a forwarder's own mail", 3, "a@three.example",
      OURS THEIRS "From: a@three.example\r\n" TAIL, CODE_NONE, "", SIGNED },
    { "R101 a forwarder writes in a stranger's name", 3, "a@free.example",
      OURS "From: a@free.example\r\n" TAIL, CODE_MAIL_FROM, "free.example", NOTHING },
    { "R101 Y03 passed on with two From", 3, "a@free.example",
      OURS THEIRS "From: a@free.example\r\nFrom: a@three.example\r\n" TAIL, CODE_DUPLICATE, "From",
      PASSED_ON },
    { "R101 passed on without policy", 1, "a@free.example",
      OURS THEIRS "From: b@others.example\r\n" TAIL, CODE_FORWARD, NULL, NOTHING },

    { "R115 a visitor's address", 5, "w@five.example", "From: V <v@free.example>\r\n" TAIL,
      CODE_NONE, "", SIGNED | REWRITTEN },
    { "R115 its own address stays", 5, "w@five.example", "From: a@five.example\r\n" TAIL, CODE_NONE,
      "", SIGNED },
    { "R115 a return path that is not its own", 5, "v@free.example",
      "From: v@free.example\r\n" TAIL, CODE_MAIL_FROM, "free.example", SIGNED | REWRITTEN },
    { "R115 an address that cannot be read", 5, "w@five.example", "From: visitor\r\n" TAIL,
      CODE_FROM_SYNTAX, NULL, NOTHING },
    { "R115 T01 the stand-in is another's", 6, "w@six.example", "From: v@free.example\r\n" TAIL,
      CODE_FROM, "free.example", NOTHING },
};

static unsigned gives_of(const struct identity *i)
{
    return (i->may_sign ? SIGNED : 0u) | (i->forwards ? PASSED_ON : 0u) |
           (i->rewrites ? REWRITTEN : 0u);
}

static void judge(const struct directory *d, const struct identity_case *c, struct arena *a,
                  struct identity *ret)
{
    struct identity_ask ask = {
        .directory = d,
        .account = directory_account(d, c->account),
        .reverse_path = str_of(c->reverse_path),
        .section = str_of(c->section),
    };

    identity_judge(&ask, a, ret);
}

static void test_r45_t01_y03_identity(void **state)
{
    struct directory d;
    struct arena a;

    (void)state;
    tell_all(&d);
    arena_init(&a, 4096);
    for (size_t i = 0; i < ARRAY_LEN(identity_cases); i++) {
        const struct identity_case *c = &identity_cases[i];
        struct identity got;

        judge(&d, c, &a, &got);
        if (got.code != c->want || (c->arg && !str_eq(got.arg, str_of(c->arg))) ||
            gives_of(&got) != c->gives)
            fail_msg("%s: [%s] %.*s gives %u", c->name, policy_codes[got.code].word,
                     STR_FMT(got.arg), gives_of(&got));
    }
    arena_done(&a);
    directory_done(&d);
}

/* T01: one of three domains in each of four places: good when, and only when, each is its own; a
 * signature may also be nobody's. */
static void test_t01_all_combinations(void **state)
{
    static const char *const domains[] = { "own.example", "others.example", "free.example" };
    struct directory d;
    struct arena a;
    char path[64], section[512];

    (void)state;
    tell_all(&d);
    arena_init(&a, 4096);
    for (unsigned i = 0; i < 81; i++) {
        unsigned mail = i % 3, from = i / 3 % 3, sender = i / 9 % 3, signer = i / 27;
        struct identity got;
        struct identity_case c = { .account = 1, .reverse_path = path, .section = section };

        (void)snprintf(path, sizeof path, "a@%s", domains[mail]);
        (void)snprintf(section, sizeof section,
                       "DKIM-Signature: v=1; d=%s\r\nFrom: a@%s\r\nSender: a@%s\r\n" TAIL,
                       domains[signer], domains[from], domains[sender]);
        judge(&d, &c, &a, &got);
        bool good = mail == 0 && from == 0 && sender == 0 && signer != 1;
        if ((got.code == CODE_NONE) != good || got.may_sign != (from == 0))
            fail_msg("%s %s: [%s]", path, section, policy_codes[got.code].word);
        arena_reset(&a);
    }
    arena_done(&a);
    directory_done(&d);
}

static void test_r47_streams_keep_to_their_domain(void **state)
{
    static const struct {
        const char *from;
        enum policy_code want;
    } cases[] = {
        { "a@news.own.example", CODE_NONE },     { "a@eu.news.own.example", CODE_NONE },
        { "a@own.example", CODE_STREAM_DOMAIN }, { "a@xnews.own.example", CODE_STREAM_DOMAIN },
        { "a@free.example", CODE_FROM },
    };
    struct directory d;
    struct arena a;

    (void)state;
    tell_all(&d);
    arena_init(&a, 4096);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str section = arena_strf(&a, "From: %s\r\n" TAIL, cases[i].from);
        struct identity_ask ask = {
            .directory = &d,
            .account = directory_account(&d, 1),
            .stream = directory_stream(&d, 1),
            .reverse_path = STR("a@own.example"),
            .section = section,
        };
        struct identity got;

        identity_judge(&ask, &a, &got);
        if (got.code != cases[i].want)
            fail_msg("%s: [%s]", cases[i].from, policy_codes[got.code].word);
    }
    arena_done(&a);
    directory_done(&d);
}

static void test_y03_duplicates(void **state)
{
    (void)state;
    assert_int_equal(identity_duplicate(STR("From: a\r\nTo: b\r\n\r\n")).len, 0);
    assert_true(str_eq(identity_duplicate(STR("To: a\r\nFrom: b\r\ntO: c\r\n\r\n")), STR("To")));
    assert_int_equal(identity_duplicate(STR("Received: a\r\nReceived: b\r\n\r\n")).len, 0);
    assert_int_equal(identity_duplicate(STR("X: a\r\nX: b\r\n\r\nTo: x\r\nTo: y\r\n")).len, 0);
    assert_int_equal(identity_duplicate(STR("")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_r45_t01_y03_identity),
        cmocka_unit_test(test_t01_all_combinations),
        cmocka_unit_test(test_r47_streams_keep_to_their_domain),
        cmocka_unit_test(test_y03_duplicates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* vault/proof_test.c - records read, servers' answers weighed, verdicts over time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/proof.h"

static const struct record_case {
    const char *name;
    const char *text;
    const char *relay, *account; /* NULL: not a record */
} record_cases[] = {
    { "plain", "v=baton1; relay=relay.example.net; account=a7", "relay.example.net", "a7" },
    { "no blanks", "v=baton1;relay=relay.example.net;account=a7", "relay.example.net", "a7" },
    { "blanks", " v = baton1 ;\trelay = r.example ; account = a7 ; ", "r.example", "a7" },
    { "another order", "account=a7; relay=r.example; v=baton1", "r.example", "a7" },
    { "names in capitals", "V=BATON1; Relay=R.example; ACCOUNT=a7", "R.example", "a7" },
    { "final dot", "v=baton1; relay=r.example.; account=a7", "r.example", "a7" },
    { "unknown tags", "v=baton1; relay=r.example; account=a7; note=hello world", "r.example",
      "a7" },
    { "empty tags", "v=baton1;; relay=r.example; account=a7;;", "r.example", "a7" },
    { "empty", "", NULL, NULL },
    { "other version", "v=baton2; relay=r.example; account=a7", NULL, NULL },
    { "no version", "relay=r.example; account=a7", NULL, NULL },
    { "no relay", "v=baton1; account=a7", NULL, NULL },
    { "no account", "v=baton1; relay=r.example", NULL, NULL },
    { "empty account", "v=baton1; relay=r.example; account=", NULL, NULL },
    { "T02 account of a star", "v=baton1; relay=r.example; account=*", NULL, NULL },
    { "account with a blank", "v=baton1; relay=r.example; account=a 7", NULL, NULL },
    { "account too long", "v=baton1; relay=r.example; account=a12345678901234567890123456789012",
      NULL, NULL },
    { "relay is no name", "v=baton1; relay=r_example!; account=a7", NULL, NULL },
    { "account twice", "v=baton1; relay=r.example; account=a7; account=a8", NULL, NULL },
    { "unknown tag twice", "v=baton1; relay=r.example; account=a7; x=1; X=2", NULL, NULL },
    { "no value", "v=baton1; relay=r.example; account=a7; oops", NULL, NULL },
    { "name with a dash", "v=baton1; relay=r.example; account=a7; a-b=1", NULL, NULL },
    { "control character", "v=baton1; relay=r.example; account=a7; x=\x01", NULL, NULL },
    { "8-bit", "v=baton1; relay=r.example; account=a7; x=\xc3\xa9", NULL, NULL },
    { "too many tags",
      "v=baton1; relay=r.example; account=a7; a=;b=;c=;d=;e=;f=;g=;h=;i=;j=;k=;l=;m=;n=", NULL,
      NULL },
    { "SPF", "v=spf1 -all", NULL, NULL },
};

static void record_reads_R45(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(record_cases); i++) {
        const struct record_case *c = &record_cases[i];
        struct proof_record r;
        print_message("%s\n", c->name);
        assert_int_equal(proof_record_read(str_of(c->text), &r), c->relay != NULL);
        if (c->relay) {
            assert_true(str_eq(r.relay, str_of(c->relay)));
            assert_true(str_eq(r.account, str_of(c->account)));
        }
    }
}

static void record_too_long(void **state)
{
    char text[PROOF_RECORD_MAX + 2];
    struct proof_record r;
    int len;

    (void)state;
    len = snprintf(text, sizeof text, "v=baton1; relay=r.example; account=a7; x=%0*d",
                   PROOF_RECORD_MAX - 41, 1);
    assert_int_equal(len, PROOF_RECORD_MAX);
    assert_true(proof_record_read(str_make(text, PROOF_RECORD_MAX), &r));
    text[PROOF_RECORD_MAX] = '1';
    assert_false(proof_record_read(str_make(text, PROOF_RECORD_MAX + 1), &r));
}

/* A zone's servers, one letter each:
 *   u   the record of our account            b   of our account, and of another
 *   o   our relay, another account           f   another relay's
 *   n   the name without records             x   no such name
 *   t   timeout                              s   SERVFAIL */
#define OURS "v=baton1; relay=relay.example.net; account=a7"
#define OTHERS "v=baton1; relay=Relay.Example.NET.; account=a9"
#define FOREIGN "v=baton1; relay=relay.example.org; account=a7"

static struct proof_look look_of(const char *letters, struct proof_server servers[8])
{
    static const struct str ours[] = { STR("v=spf1 -all"), STR(OURS) };
    static const struct str both[] = { STR(OTHERS), STR(OURS) };
    static const struct str others[] = { STR(OTHERS) };
    static const struct str foreign[] = { STR(FOREIGN) };
    size_t count = 0;

    for (; letters[count]; count++) {
        struct proof_server s = { .name = STR("ns.example.net") };
        switch (letters[count]) {
        case 'u':
            s.values = ours, s.count = 2;
            break;
        case 'b':
            s.values = both, s.count = 2;
            break;
        case 'o':
            s.values = others, s.count = 1;
            break;
        case 'f':
            s.values = foreign, s.count = 1;
            break;
        case 'x':
            s.said = DNS_SAID_NO_NAME;
            break;
        case 't':
            s.said = DNS_SAID_TIMEOUT;
            break;
        case 's':
            s.said = DNS_SAID_FAILED;
            break;
        default:
            break;
        }
        servers[count] = s;
    }
    return (struct proof_look){ servers, count };
}

static const struct proof_record we = { STR("relay.example.net"), STR("a7") };

static const struct sight_case {
    const char *servers;
    enum proof_finding want, lock;
} sight_cases[] = {
    { "u", PROOF_SHOWN, PROOF_ABSENT },     { "uu", PROOF_SHOWN, PROOF_ABSENT },
    { "b", PROOF_SHOWN, PROOF_ABSENT },     { "ub", PROOF_SHOWN, PROOF_ABSENT },
    { "ut", PROOF_SHOWN, PROOF_UNKNOWN },   { "us", PROOF_SHOWN, PROOF_UNKNOWN },
    { "ust", PROOF_SHOWN, PROOF_UNKNOWN },  { "un", PROOF_MIXED, PROOF_ABSENT },
    { "ux", PROOF_MIXED, PROOF_ABSENT },    { "uo", PROOF_MIXED, PROOF_SHOWN },
    { "uf", PROOF_MIXED, PROOF_ABSENT },    { "unt", PROOF_MIXED, PROOF_UNKNOWN },
    { "n", PROOF_ABSENT, PROOF_ABSENT },    { "x", PROOF_ABSENT, PROOF_ABSENT },
    { "nx", PROOF_ABSENT, PROOF_ABSENT },   { "o", PROOF_ABSENT, PROOF_SHOWN },
    { "f", PROOF_ABSENT, PROOF_ABSENT },    { "on", PROOF_ABSENT, PROOF_SHOWN },
    { "ot", PROOF_UNKNOWN, PROOF_SHOWN },   { "nt", PROOF_UNKNOWN, PROOF_UNKNOWN },
    { "ns", PROOF_UNKNOWN, PROOF_UNKNOWN }, { "xt", PROOF_UNKNOWN, PROOF_UNKNOWN },
    { "t", PROOF_UNKNOWN, PROOF_UNKNOWN },  { "s", PROOF_UNKNOWN, PROOF_UNKNOWN },
    { "ts", PROOF_UNKNOWN, PROOF_UNKNOWN }, { "", PROOF_UNKNOWN, PROOF_UNKNOWN },
};

static void every_mixture_of_servers_T02_T03_F27(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sight_cases); i++) {
        const struct sight_case *c = &sight_cases[i];
        struct proof_server servers[8];
        const struct proof_look look = look_of(c->servers, servers);
        print_message("\"%s\"\n", c->servers);
        assert_int_equal(proof_finding_of(proof_see_account(&look, &we)), c->want);
        assert_int_equal(proof_see_lock(&look, &we), c->lock);
    }
}

/* Looks an hour apart, a letter each: + shown, ~ mixed, - absent, ? unknown, L locked, and . an
 * hour without a look; the state after each look as P(ending) V(proved, it holds) X lost,
 * K locked. lost after 3 h, a gap counts up to 2 h. */
static const struct judge_case {
    const char *name, *looks, *want;
} judge_cases[] = {
    { "proved at once", "+", "V" },
    { "mixed is pending", "~~+", "PPV" },
    { "absent is pending", "--+", "PPV" },
    { "silence is pending",
      "?"
      "?+",
      "PPV" },
    { "T02 lost after three hours", "+----", "VVVVX" },
    { "comes back in time", "+---+---", "VVVVVVVV" },
    { "one server with it sets the clock back", "+---~---", "VVVVVVVV" },
    { "silence alone never loses", "+????????????", "VVVVVVVVVVVVV" },
    { "silence stops the clock",
      "+--?"
      "?-",
      "VVVVVV" },
    { "silence does not set it back",
      "+--?"
      "?--",
      "VVVVVVX" },
    { "lost is proved anew", "+----+", "VVVVXV" },
    { "lost stays lost", "+----~-?", "VVVVXXXX" },
    { "nobody looked for ten hours", "+-..........-", "VVV" },
    { "and then one hour more", "+-..........--", "VVVX" },
    { "T03 locked at once", "+L", "VK" },
    { "locked before it was proved", "L", "K" },
    { "unlocked, with evidence", "+L+", "VKV" },
    { "unlocked, without", "+L-", "VKP" },
};

static void judge_one(struct proof_standing *s, char look, struct proof_rules *r)
{
    static const char letters[] = "+~-?";
    static const enum proof_finding findings[] = { PROOF_SHOWN, PROOF_MIXED, PROOF_ABSENT,
                                                   PROOF_UNKNOWN };
    const char *at = strchr(letters, look);

    proof_judge(s, at ? findings[at - letters] : PROOF_SHOWN, at ? PROOF_ABSENT : PROOF_SHOWN, r);
}

static void verdicts_over_time_T02_T03(void **state)
{
    static const char states[] = {
        [GRANT_PENDING] = 'P', [GRANT_PROVED] = 'V', [GRANT_LOST] = 'X', [GRANT_LOCKED] = 'K'
    };
    enum { HOUR = 3600 * 1000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(judge_cases); i++) {
        const struct judge_case *c = &judge_cases[i];
        struct proof_standing s = { .state = GRANT_PENDING };
        struct proof_rules r = { .now_ms = 1000, .lost_ms = 3 * HOUR, .gap_max_ms = 2 * HOUR };
        const char *want = c->want;
        print_message("%s\n", c->name);
        for (const char *look = c->looks; *look; look++) {
            r.now_ms += HOUR;
            if (*look == '.')
                continue;
            judge_one(&s, *look, &r);
            assert_int_equal(states[s.state], *want);
            want++;
        }
        assert_int_equal(*want, '\0');
    }
}

static void a_veto_unheard_proves_nothing_T03(void **state)
{
    struct proof_standing s = { .state = GRANT_PENDING };
    const struct proof_rules r = { .now_ms = 1000, .lost_ms = 10, .gap_max_ms = 10 };

    (void)state;
    proof_judge(&s, PROOF_SHOWN, PROOF_UNKNOWN, &r);
    assert_int_equal(s.state, GRANT_PENDING);
    s.state = GRANT_LOCKED;
    proof_judge(&s, PROOF_SHOWN, PROOF_UNKNOWN, &r);
    assert_int_equal(s.state, GRANT_LOCKED);
    proof_judge(&s, PROOF_SHOWN, PROOF_ABSENT, &r);
    assert_int_equal(s.state, GRANT_PROVED);
    assert_int_equal(s.proved_ms, 1000);
}

static void servers_are_named_F27(void **state)
{
    struct proof_server servers[8];
    struct proof_look look = look_of("unxtsnnn", servers);
    struct buf text;

    (void)state;
    servers[1].name = STR("ns1.example");
    servers[3].name = STR("ns3.example");
    servers[4].name = STR("");
    buf_init(&text, 1000);
    proof_name_servers(&text, &look, PROOF_SIDE_WITHOUT, proof_server_names, &we);
    assert_true(str_eq(buf_str(&text), STR("ns1.example, ns.example.net, ns.example.net, "
                                           "ns.example.net and 1 more")));
    buf_clear(&text);
    proof_name_servers(&text, &look, PROOF_SIDE_SILENT, proof_server_names, &we);
    assert_true(str_eq(buf_str(&text), STR("ns3.example, DNS")));
    buf_done(&text);
}

static void words_round_trip(void **state)
{
    enum grant_method m;
    enum grant_state s;

    (void)state;
    assert_true(grant_method_of(STR("host"), &m) && m == METHOD_HOST);
    assert_true(grant_state_of(STR("locked"), &s) && s == GRANT_LOCKED);
    assert_false(grant_method_of(STR("Host"), &m));
    assert_false(grant_state_of(STR(""), &s));
    assert_string_equal(grant_method_name(METHOD_LEASE), "lease");
    assert_string_equal(grant_state_name(GRANT_LOST), "lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_reads_R45),
        cmocka_unit_test(record_too_long),
        cmocka_unit_test(every_mixture_of_servers_T02_T03_F27),
        cmocka_unit_test(verdicts_over_time_T02_T03),
        cmocka_unit_test(a_veto_unheard_proves_nothing_T03),
        cmocka_unit_test(servers_are_named_F27),
        cmocka_unit_test(words_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

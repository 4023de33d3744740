// SPDX-License-Identifier: Apache-2.0
/* vault/fields_test.c - every rule of every noun with values that are good and bad, and settings as
 * a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "vault/fields.h"

/* 2026-11-22T01:28:43.123Z */
#define NOW_MS 1795310923123

/* One value each, by type -------------------------------------------------------------------- */

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DIGEST_COLONS                                                                         \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:" \
    "DD:EE:FF"

static const char *const words[] = { "one", "two", "three", NULL };

static const struct value_case {
    enum field_type type;
    uint64_t max;
    const char *given, *kept; /* NULL: refused */
} value_cases[] = {
    { FIELD_WORD, 0, "two", "two" },
    { FIELD_WORD, 0, "Two", NULL },
    { FIELD_WORD, 0, "one,two", NULL },
    { FIELD_WORDS, 0, "three,one", "one,three" },
    { FIELD_WORDS, 0, "one,one", "one" },
    { FIELD_WORDS, 0, "one,four", NULL },
    { FIELD_WORDS, 0, "one, two", NULL },
    { FIELD_WORDS, 0, ",", NULL },
    { FIELD_WORDS, 0, "one,", NULL },
    { FIELD_WORDS, 0, ",one", NULL },
    { FIELD_YES_NO, 0, "true", "true" },
    { FIELD_YES_NO, 0, "false", "false" },
    { FIELD_YES_NO, 0, "yes", NULL },
    { FIELD_YES_NO, 0, "1", NULL },
    { FIELD_COUNT, 100, "0", "0" },
    { FIELD_COUNT, 100, "100", "100" },
    { FIELD_COUNT, 100, "007", "7" },
    { FIELD_COUNT, 100, "101", NULL },
    { FIELD_COUNT, 100, "-1", NULL },
    { FIELD_COUNT, 100, "1k", NULL },
    { FIELD_COUNT, 100, "18446744073709551616", NULL },
    { FIELD_COUNT, 100, " 1", NULL },
    { FIELD_BYTES, 1ull << 40, "64M", "67108864" },
    { FIELD_BYTES, 1ull << 40, "1K", "1024" },
    { FIELD_BYTES, 1ull << 40, "1T", "1099511627776" },
    { FIELD_BYTES, 1ull << 40, "5", "5" },
    { FIELD_BYTES, 1ull << 40, "2T", NULL },
    { FIELD_BYTES, 1ull << 40, "1m", NULL },
    { FIELD_BYTES, 1ull << 40, "1MB", NULL },
    { FIELD_BYTES, 1ull << 40, "M", NULL },
    { FIELD_BYTES, 1ull << 40, "18446744073709551615T", NULL },
    { FIELD_PERCENT, 100, "80", "80" },
    { FIELD_PERCENT, 100, "101", NULL },
    { FIELD_PERCENT, 100, "80%", NULL },
    { FIELD_DOMAIN, 0, "Example.ORG.", "example.org" },
    { FIELD_DOMAIN, 0,
      "b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example" },
    { FIELD_DOMAIN, 0, "exa mple.org", NULL },
    { FIELD_DOMAIN, 0, "-a.example", NULL },
    { FIELD_DOMAIN, 0, "a..example", NULL },
    { FIELD_DOMAIN, 0, "[192.0.2.1]", NULL },
    { FIELD_ADDRESS, 0, "Ann@Example.ORG", "Ann@example.org" },
    { FIELD_ADDRESS, 0, "\"a b\"@example.org", "\"a b\"@example.org" },
    { FIELD_ADDRESS, 0, "ann", NULL },
    { FIELD_ADDRESS, 0, "ann@[192.0.2.1]", NULL },
    { FIELD_ADDRESS, 0, "<ann@example.org>", NULL },
    { FIELD_ADDRESS, 0, "\xc3\xa4nn@example.org", NULL },
    { FIELD_LOCAL, 0, "news", "news" },
    { FIELD_LOCAL, 0, "a.b+c", "a.b+c" },
    { FIELD_LOCAL, 0, A64, A64 },
    { FIELD_LOCAL, 0, A64 "a", NULL },
    { FIELD_LOCAL, 0, "a@b", NULL },
    { FIELD_LOCAL, 0, "a b", NULL },
    { FIELD_LOCAL, 0, ".a", NULL },
    { FIELD_NETWORKS, 2, "192.0.2.0/24", "192.0.2.0/24" },
    { FIELD_NETWORKS, 2, "192.0.2.1", "192.0.2.1/32" },
    { FIELD_NETWORKS, 2, "2001:DB8::/32, 192.0.2.1", "2001:db8::/32,192.0.2.1/32" },
    { FIELD_NETWORKS, 2, "::ffff:192.0.2.1", "192.0.2.1/32" },
    { FIELD_NETWORKS, 2, "192.0.2.1/24", NULL },
    { FIELD_NETWORKS, 2, "192.0.2.1,,192.0.2.2", NULL },
    { FIELD_NETWORKS, 2, "192.0.2.1,192.0.2.2,192.0.2.3", NULL },
    { FIELD_NETWORKS, 2, "example.org", NULL },
    { FIELD_FINGERPRINT, 0, DIGEST, DIGEST },
    { FIELD_FINGERPRINT, 0, DIGEST_COLONS, DIGEST },
    { FIELD_FINGERPRINT, 0, DIGEST "0", NULL },
    { FIELD_FINGERPRINT, 0, "0011", NULL },
    { FIELD_FINGERPRINT, 0, "0:0" DIGEST, NULL },
    { FIELD_FINGERPRINT, 0, "g" DIGEST, NULL },
    { FIELD_DATE, 0, "2027-01-31T12:00:00Z", "2027-01-31T12:00:00.000Z" },
    { FIELD_DATE, 0, "2027-01-31", "2027-01-31T00:00:00.000Z" },
    { FIELD_DATE, 0, "1d", "2026-11-23T01:28:43.123Z" },
    { FIELD_DATE, 0, "90s", "2026-11-22T01:30:13.123Z" },
    { FIELD_DATE, 0, "soon", NULL },
    { FIELD_DATE, 0, "2027-02-30", NULL },
    { FIELD_DATE, 0, "1w", NULL },
    { FIELD_DATE, 0, "-1d", NULL },
    { FIELD_DATE, 0, "1969-12-31", NULL },
    { FIELD_DATE, 0, "9999999d", NULL },
    { FIELD_DATE, 0, "213503982334601d", NULL },
    { FIELD_NAME, 0, "news-2.a_b@c", "news-2.a_b@c" },
    { FIELD_NAME, 0, A64, A64 },
    { FIELD_NAME, 0, A64 "a", NULL },
    { FIELD_NAME, 0, "a b", NULL },
    { FIELD_NAME, 0, "a/b", NULL },
    { FIELD_TEXT, 8, "a = b, c", "a = b, c" },
    { FIELD_TEXT, 8,
      "gr\xc3\xbc\xc3\x9f"
      "e",
      "gr\xc3\xbc\xc3\x9f"
      "e" },
    { FIELD_TEXT, 8, "nine char", NULL },
    { FIELD_TEXT, 8, "a\tb", NULL },
    { FIELD_TEXT, 8, "a\x7f", NULL },
    { FIELD_TEXT, 8, "a\xff", NULL },
    { FIELD_SECRET, 8, "hush", "hush" },
    { FIELD_SECRET, 8, "a\rb", NULL },
};

static void each_type_takes_what_is_good(void **state)
{
    struct buf kept;

    (void)state;
    buf_init(&kept, 4096);
    for (size_t i = 0; i < sizeof value_cases / sizeof value_cases[0]; i++) {
        const struct value_case *c = &value_cases[i];
        const struct field_rule rule = { .key = "key",
                                         .type = c->type,
                                         .max = c->max,
                                         .words = c->type <= FIELD_WORDS ? words : NULL,
                                         .fallback = "" };
        struct err err = { 0 };
        buf_clear(&kept);
        bool ok = fields_value_ok(&rule, str_of(c->given), NOW_MS, &kept, &err);
        if (ok != (c->kept != NULL) || (ok && !str_eq(buf_str(&kept), str_of(c->kept))))
            fail_msg("%d \"%s\": \"%.*s\" %s", (int)c->type, c->given, STR_FMT(buf_str(&kept)),
                     err.text);
        if (!ok && (err.kind != ERR_SYNTAX || !strstr(err.text, "expected ")))
            fail_msg("\"%s\": %s", c->given, err.text);
        /* What was kept is good again and stays as it is: an export can be applied. */
        if (ok && c->type != FIELD_SECRET) {
            struct str once = buf_str(&kept);
            struct buf twice;
            buf_init(&twice, 4096);
            assert_true(fields_value_ok(&rule, once, NOW_MS, &twice, NULL));
            assert_true(str_eq(once, buf_str(&twice)));
            buf_done(&twice);
        }
    }
    buf_done(&kept);
}

static void of_a_secret_nothing_is_repeated(void **state)
{
    const struct field_rule rule = { .key = "password", .type = FIELD_SECRET, .max = 4 };
    struct err err = { 0 };
    struct buf kept;

    (void)state;
    buf_init(&kept, 64);
    assert_false(fields_value_ok(&rule, STR("hush-hush"), NOW_MS, &kept, &err));
    assert_null(strstr(err.text, "hush"));
    buf_done(&kept);
}

/* The table ------------------------------------------------------------------------------------ */

static void each_rule_is_whole(void **state)
{
    (void)state;
    for (enum field_noun noun = 0; noun < NOUNS; noun++) {
        size_t count;
        const struct field_rule *rules = fields_of(noun, &count);
        assert_true(count > 0 && count <= FIELDS_MAX);
        for (size_t i = 0; i < count; i++) {
            const struct field_rule *r = &rules[i];
            struct err err = { 0 };
            struct buf kept;
            buf_init(&kept, 256);
            if (r->fallback[0] != '\0' &&
                (!fields_value_ok(r, str_of(r->fallback), NOW_MS, &kept, &err) ||
                 !str_eq(buf_str(&kept), str_of(r->fallback))))
                fail_msg("%s: its default: %s", r->key, err.text);
            if (!r->about || r->about[strlen(r->about) - 1] != '.')
                fail_msg("%s: no sentence", r->key);
            if ((r->type == FIELD_COUNT || r->type == FIELD_TEXT || r->type == FIELD_PERCENT ||
                 r->type == FIELD_BYTES || r->type == FIELD_NETWORKS) &&
                r->max == 0)
                fail_msg("%s: no bound", r->key);
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(r->key, rules[k].key);
            buf_done(&kept);
        }
    }
}

static bool set_one(enum field_noun noun, const char *key, struct str value, struct buf *to)
{
    struct str secret;
    struct buf line;

    buf_init(&line, 8192);
    buf_addf(&line, "%s=%.*s\n", key, STR_FMT(value));
    const struct fields_change change = { .noun = noun,
                                          .changes = buf_str(&line),
                                          .is_new = true,
                                          .now_wall_ms = NOW_MS,
                                          .secret = &secret };
    buf_clear(to);
    bool ok = fields_merge(&change, to, NULL);
    buf_done(&line);
    return ok;
}

/* One that each rule of the type takes, and one that none does. */
static const struct {
    const char *good, *bad;
} samples[] = {
    [FIELD_YES_NO] = { "true", "maybe" },
    [FIELD_COUNT] = { "1", "1000000000000000000" },
    [FIELD_BYTES] = { "1K", "16E" },
    [FIELD_PERCENT] = { "1", "101" },
    [FIELD_DOMAIN] = { "a.example", "a b" },
    [FIELD_ADDRESS] = { "ann@a.example", "ann" },
    [FIELD_LOCAL] = { "ann", "ann@a" },
    [FIELD_NETWORKS] = { "192.0.2.0/24", "192.0.2.1/24" },
    [FIELD_FINGERPRINT] = { DIGEST, "00" },
    [FIELD_DATE] = { "90d", "later" },
    [FIELD_NAME] = { "news", "new s" },
    [FIELD_TEXT] = { "a text", "a\ttab" },
    [FIELD_SECRET] = { "correct horse", "a\ttab" },
};

static void each_rule_takes_what_is_good_alone(void **state)
{
    struct buf to, long_text;

    (void)state;
    buf_init(&to, 8192);
    for (enum field_noun noun = 0; noun < NOUNS; noun++) {
        size_t count;
        const struct field_rule *rules = fields_of(noun, &count);
        for (size_t i = 0; i < count; i++) {
            const struct field_rule *r = &rules[i];
            const char *good = r->words ? r->words[1] : samples[r->type].good;
            const char *bad = r->words ? "no-such-word" : samples[r->type].bad;
            if (!set_one(noun, r->key, str_of(good), &to))
                fail_msg("%s=%s is refused", r->key, good);
            if (set_one(noun, r->key, str_of(bad), &to))
                fail_msg("%s=%s is taken", r->key, bad);
            assert_true(set_one(noun, r->key, STR(""), &to)); /* the default */
            if (r->type != FIELD_TEXT && r->type != FIELD_SECRET)
                continue;
            buf_init(&long_text, r->max + 1);
            while (long_text.len <= r->max)
                buf_add_char(&long_text, 'a');
            if (set_one(noun, r->key, buf_str(&long_text), &to) ||
                !set_one(noun, r->key, str_sub(buf_str(&long_text), 0, r->max), &to))
                fail_msg("%s: its bound", r->key);
            buf_done(&long_text);
        }
    }
    buf_done(&to);
}

/* Laid over one another ------------------------------------------------------------------------ */

static const struct merge_case {
    const char *name;
    enum field_noun noun;
    bool is_new;
    const char *old, *changes, *want; /* refused: what the reason says */
    bool ok;
} merge_cases[] = {
    { "nothing", NOUN_STREAM, true, "", "", "", true },
    { "what stays is written", NOUN_ACCOUNT, true, "", "", "state=sandbox\nidentity=enforce\n",
      true },
    { "in the table's order", NOUN_ACCOUNT, true, "state=active\n",
      "note=hello\nlimit.day.messages=5\nidentity=observe",
      "state=active\nidentity=observe\nlimit.day.messages=5\nnote=hello\n", true },
    { "the default is left out", NOUN_STREAM, false, "kind=marketing\n", "kind=transactional\n", "",
      true },
    { "empty goes back to it", NOUN_STREAM, false, "kind=marketing\ndomain=a.example\n",
      "kind=", "domain=a.example\n", true },
    { "the rest stays", NOUN_STREAM, false, "kind=marketing\ndomain=a.example\n",
      "domain=B.example", "kind=marketing\ndomain=b.example\n", true },
    { "equals sign in a value", NOUN_STREAM, true, "", "note=a=b", "note=a=b\n", true },
    { "empty lines", NOUN_STREAM, true, "", "\n\nnote=x\n\n", "note=x\n", true },
    { "a key that is gone", NOUN_STREAM, false, "colour=red\nnote=x\n", "", "note=x\n", true },
    { "first only, at first", NOUN_CREDENTIAL, true, "", "kind=api\nscopes=sends.send",
      "kind=api\nscopes=sends.send\n", true },
    { "first only, the same again", NOUN_CREDENTIAL, false, "kind=api\n", "kind=api\nnote=x",
      "kind=api\nnote=x\n", true },
    { "first only, later", NOUN_CREDENTIAL, false, "kind=api\n", "kind=smtp",
      "kind: is set when the credential is made, and stays \"api\"", false },
    { "first only, taken back", NOUN_CREDENTIAL, false, "kind=api\n",
      "kind=", "kind: is set when the credential is made", false },
    { "no such key", NOUN_ACCOUNT, true, "", "limit.dy.messages=5",
      "\"limit.dy.messages\" is no setting of account", false },
    { "another noun's key", NOUN_STREAM, true, "", "state=active",
      "\"state\" is no setting of stream", false },
    { "no key", NOUN_STREAM, true, "", "=x", "\"\" is no setting", false },
    { "no equals sign", NOUN_STREAM, true, "", "note", "\"note\": expected key=value", false },
    { "twice", NOUN_STREAM, true, "", "note=a\nnote=b", "note: is given twice", false },
    { "a word that is none", NOUN_ACCOUNT, true, "", "state=closed",
      "state: expected one of sandbox, active, suspended, not \"closed\"", false },
    { "too many", NOUN_ACCOUNT, true, "", "limit.hour.messages=1000000000001",
      "limit.hour.messages: expected a number of at most 1000000000000", false },
    { "a secret where none is kept", NOUN_USER, true, "", "password=correct horse",
      "password: is not set here", false },
};

static void settings_are_laid_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof merge_cases / sizeof merge_cases[0]; i++) {
        const struct merge_case *c = &merge_cases[i];
        const struct fields_change change = { .noun = c->noun,
                                              .old = str_of(c->old),
                                              .changes = str_of(c->changes),
                                              .is_new = c->is_new,
                                              .now_wall_ms = NOW_MS };
        struct err err = { 0 };
        struct buf to;
        buf_init(&to, 4096);
        bool ok = fields_merge(&change, &to, &err);
        if (ok != c->ok || (ok && !str_eq(buf_str(&to), str_of(c->want))) ||
            (!ok && (err.kind != ERR_SYNTAX || strncmp(err.text, c->want, strlen(c->want)) != 0)))
            fail_msg("%s: \"%.*s\" %s", c->name, STR_FMT(buf_str(&to)), err.text);
        buf_done(&to);
    }
}

static void A06_a_secret_is_handed_on_and_not_kept(void **state)
{
    struct str secret = STR("");
    const struct fields_change change = { .noun = NOUN_USER,
                                          .changes = STR("password=correct horse\nsubmits=true"),
                                          .is_new = true,
                                          .secret = &secret };
    struct buf to;

    (void)state;
    buf_init(&to, 4096);
    assert_true(fields_merge(&change, &to, NULL));
    assert_true(str_eq(secret, STR("correct horse")));
    assert_true(str_eq(buf_str(&to), STR("role=auditor\nsubmits=true\n")));
    buf_done(&to);
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    const struct fields_change change = { .noun = NOUN_ACCOUNT, .is_new = true };
    struct err err = { 0 };
    struct buf to;

    (void)state;
    buf_init(&to, 20);
    assert_false(fields_merge(&change, &to, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    buf_done(&to);
}

/* Read and shown ------------------------------------------------------------------------------- */

static void values_are_read(void **state)
{
    const struct str s = STR("state=active\nuntil=2027-01-31T12:00:00.000Z\nforward=true\n"
                             "limit.day.bytes=67108864\n");

    (void)state;
    assert_true(str_eq(fields_get(NOUN_ACCOUNT, s, "state"), STR("active")));
    assert_true(str_eq(fields_get(NOUN_ACCOUNT, s, "identity"), STR("enforce")));
    assert_int_equal(fields_word(NOUN_ACCOUNT, s, "state"), 1);
    assert_int_equal(fields_word(NOUN_ACCOUNT, s, "identity"), 1);
    assert_int_equal(fields_number(NOUN_ACCOUNT, s, "limit.day.bytes"), 67108864);
    assert_int_equal(fields_number(NOUN_ACCOUNT, s, "limit.day.messages"), 0);
    assert_int_equal(fields_number(NOUN_ACCOUNT, s, "soft_percent"), 80);
    assert_int_equal(fields_number(NOUN_ACCOUNT, s, "until"), 1801396800000);
    assert_int_equal(fields_number(NOUN_ACCOUNT, STR(""), "until"), 0);
    assert_true(fields_true(NOUN_ACCOUNT, s, "forward"));
    assert_true(fields_true(NOUN_ACCOUNT, s, "null_sender"));
    assert_false(fields_true(NOUN_ACCOUNT, s, "quota_451"));
}

static void settings_are_shown_as_json(void **state)
{
    struct json j;
    struct buf to;

    (void)state;
    buf_init(&to, 4096);
    json_begin(&j, &to);
    json_object(&j);
    fields_json(NOUN_CREDENTIAL,
                STR("kind=api\nnetworks=192.0.2.0/24,2001:db8::/32\nnormalize=true\n"
                    "scopes=sends.send\nnote=a \"b\"\n"),
                &j);
    json_object_end(&j);
    assert_string_equal(buf_cstr(&to),
                        "{\"settings\":{\"kind\":\"api\",\"networks\":[\"192.0.2.0/24\","
                        "\"2001:db8::/32\"],\"normalize\":true,\"scopes\":[\"sends.send\"],"
                        "\"note\":\"a \\\"b\\\"\"}}");
    buf_clear(&to);
    json_begin(&j, &to);
    json_object(&j);
    fields_json(NOUN_ACCOUNT, STR("limit.day.bytes=1048576\nsoft_percent=0\n"), &j);
    json_object_end(&j);
    assert_string_equal(buf_cstr(&to),
                        "{\"settings\":{\"soft_percent\":0,\"limit.day.bytes\":1048576}}");
    buf_done(&to);
}

static void differences_are_told(void **state)
{
    struct buf to;

    (void)state;
    buf_init(&to, 4096);
    assert_true(fields_difference(NOUN_ACCOUNT, STR("state=sandbox\nnote=old\n"),
                                  STR("state=active\nlimit.day.messages=1000\n"), &to));
    assert_string_equal(buf_cstr(&to), "state: sandbox -> active, limit.day.messages: 0 -> 1000, "
                                       "note: old -> none");
    buf_clear(&to);
    assert_false(fields_difference(NOUN_ACCOUNT, STR("null_sender=true\n"), STR(""), &to));
    fields_list(STR("state=active\nnote=x\n"), &to);
    assert_string_equal(buf_cstr(&to), "state=active, note=x");
    buf_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_takes_what_is_good),
        cmocka_unit_test(of_a_secret_nothing_is_repeated),
        cmocka_unit_test(each_rule_is_whole),
        cmocka_unit_test(each_rule_takes_what_is_good_alone),
        cmocka_unit_test(settings_are_laid_over),
        cmocka_unit_test(A06_a_secret_is_handed_on_and_not_kept),
        cmocka_unit_test(settings_that_do_not_fit_are_refused),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(settings_are_shown_as_json),
        cmocka_unit_test(differences_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

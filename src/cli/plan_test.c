// SPDX-License-Identifier: Apache-2.0
/* cli/plan_test.c - two documents of objects, and what makes one into the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/plan.h"

#define NOW_MS 1800000000000

static const struct plan_case {
    const char *name, *wanted, *now;
    bool prune;
    /* A step a line: mark, noun, name, account, what is sent with '|' for line ends; or how the
     * error begins, behind "! ". */
    const char *want;
} plan_cases[] = {
    { "R94 nothing", "{}", "{}", false, "" },
    { "R94 the same", "{'accounts':[{'name':'a','settings':{'state':'active'}}]}",
      "{'accounts':[{'name':'a','settings':{'state':'active','identity':'enforce'}}]}", false, "" },
    { "R94 written differently",
      "{'accounts':[{'name':'a','settings':{'limit.day.bytes':'64M','identity':'enforce'}}]}",
      "{'accounts':[{'name':'a','settings':{'limit.day.bytes':67108864,'state':'sandbox'}}]}",
      false, "" },
    { "R94 new", "{'accounts':[{'name':'a','settings':{'state':'active'}}]}", "{}", false,
      "+ account a  state=active|identity=enforce|\n" },
    { "R94 new without settings", "{'users':[{'name':'ann'}]}", "{}", false,
      "+ user ann  role=auditor|\n" },
    { "R94 changed", "{'accounts':[{'name':'a','settings':{'state':'suspended'}}]}",
      "{'accounts':[{'name':'a','settings':{'state':'active','identity':'enforce'}}]}", false,
      "~ account a  state=suspended|\n" },
    { "R94 a setting that is not named goes back to its default",
      "{'accounts':[{'name':'a','settings':{'state':'active'}}]}",
      "{'accounts':[{'name':'a','settings':{'state':'active','identity':'observe',"
      "'limit.day.messages':100,'null_sender':false}}]}",
      false, "~ account a  identity=enforce|null_sender=|limit.day.messages=|\n" },
    { "R94 lists",
      "{'credentials':[{'user':'u','account':'a','settings':{'networks':"
      "['192.0.2.0/24','198.51.100.1']}}]}",
      "{'credentials':[{'user':'u','account':'a','settings':{'networks':['192.0.2.0/24']}}]}",
      false, "~ cred u a networks=192.0.2.0/24,198.51.100.1/32|\n" },
    { "R94 sections that are not there stay", "{'streams':[]}",
      "{'accounts':[{'name':'a','settings':{}}]}", true, "" },
    { "R94 unnamed objects stay", "{'accounts':[]}", "{'accounts':[{'name':'a','settings':{}}]}",
      false, "" },
    { "R94 unnamed objects go, last first",
      "{'accounts':[{'name':'a'}],'streams':[],'credentials':[]}",
      "{'accounts':[{'name':'a','settings':{}},{'name':'b','settings':{}},"
      "{'name':'c','parent':'b','settings':{}}],"
      "'streams':[{'account':'b','name':'s','settings':{}}],"
      "'credentials':[{'user':'u','account':'b','settings':{}}]}",
      true, "- cred u b \n- stream s b (with its account)\n- account c b \n- account b  \n" },
    { "R94 the order in which it can be done",
      "{'credentials':[{'user':'u','account':'c','settings':{'stream':'s'}}],"
      "'streams':[{'account':'c','name':'s'}],"
      "'domains':[{'domain':'x.example','account':'c','settings':{'method':'lease','lessor':'p'}},"
      "{'domain':'x.example','account':'p'}],"
      "'accounts':[{'name':'c','parent':'p','settings':{'default_stream':'s','state':'active'}},"
      "{'name':'p'}]}",
      "{}", false,
      "+ account p  state=sandbox|identity=enforce|\n"
      "+ account c p state=active|identity=enforce|\n"
      "+ stream s c \n"
      "+ domain x.example p \n"
      "+ domain x.example c method=lease|lessor=p|\n"
      "+ cred u c stream=s|\n"
      "~ account c p default_stream=s|\n" },
    { "R94 streams of one name", "{'streams':[{'account':'a','name':'s'}]}",
      "{'streams':[{'account':'b','name':'s','settings':{}}]}", false, "+ stream s a \n" },
    { "R94 a password is for a new user",
      "{'users':[{'name':'ann','settings':{'password':'correct horse battery'}}]}", "{}", false,
      "+ user ann  role=auditor|\n" },

    { "not an object", "[]", "{}", false, "! expected an object" },
    { "unknown section", "{'account':[]}", "{}", false, "! \"account\" is no kind" },
    { "section is no list", "{'accounts':{}}", "{}", false, "! accounts: expected a list" },
    { "no name", "{'accounts':[{'settings':{}}]}", "{}", false, "! accounts[0]: expected" },
    { "name is no text", "{'accounts':[{'name':7}]}", "{}", false, "! accounts[0]: expected" },
    { "twice", "{'accounts':[{'name':'a'},{'name':'a'}]}", "{}", false,
      "! accounts[1]: \"a\" stands there twice" },
    { "mistyped member", "{'accounts':[{'name':'a','setings':{}}]}", "{}", false,
      "! account a: \"setings\"" },
    { "unknown setting", "{'accounts':[{'name':'a','settings':{'sate':'active'}}]}", "{}", false,
      "! account a: \"sate\"" },
    { "bad value", "{'accounts':[{'name':'a','settings':{'state':'asleep'}}]}", "{}", false,
      "! account a: state" },
    { "settings are no object", "{'accounts':[{'name':'a','settings':[]}]}", "{}", false,
      "! account a: settings" },
    { "a line in a value", "{'accounts':[{'name':'a','settings':{'note':'x\\nstate=active'}}]}",
      "{}", false, "! account a: note" },
    { "a line in a list",
      "{'credentials':[{'user':'u','account':'a','settings':{'scopes':['x\\nkind=api']}}]}", "{}",
      false, "! cred u: scopes" },
    { "what cannot change", "{'credentials':[{'user':'u','settings':{'kind':'api'}}]}",
      "{'credentials':[{'user':'u','account':'a','settings':{}}]}", false,
      "! cred u: kind is set when it is made" },
    { "moved to another account", "{'credentials':[{'user':'u','account':'b'}]}",
      "{'credentials':[{'user':'u','account':'a','settings':{}}]}", false,
      "! cred u: it belongs to another" },
    { "password of a user who is there",
      "{'users':[{'name':'ann','settings':{'password':'correct horse battery'}}]}",
      "{'users':[{'name':'ann','settings':{'role':'auditor'}}]}", false, "! user ann: password" },
};

/* Single quotes are easier on the eye in C. */
static struct json_object *document(const char *text)
{
    char *copy = strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    struct json_object *json = json_tokener_parse(copy);
    assert_non_null(json);
    free(copy);
    return json;
}

static void steps_write(struct buf *to, const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct plan_step *s = &p->steps[i];
        (void)buf_addf(to, "%c %s %.*s %.*s ", (char)plan_mark(s->kind), s->of->noun,
                       STR_FMT(s->name), STR_FMT(s->account));
        for (size_t at = 0; at < s->settings.len; at++)
            (void)buf_add_char(to, s->settings.ptr[at] == '\n' ? '|' : s->settings.ptr[at]);
        (void)buf_addf(to, "%s\n", s->with_account ? "(with its account)" : "");
    }
}

static void test_plan_R94(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plan_cases); i++) {
        const struct plan_case *c = &plan_cases[i];
        const struct plan_about about = { .wanted = document(c->wanted),
                                          .now = document(c->now),
                                          .prune = c->prune,
                                          .now_wall_ms = NOW_MS };
        struct plan plan;
        struct err err = { 0 };
        struct buf text;

        buf_init(&text, 64 * 1024);
        if (plan_make(&plan, &about, &err)) {
            steps_write(&text, &plan);
            if (strcmp(buf_cstr(&text), c->want) != 0)
                fail_msg("%s:\n%s", c->name, buf_cstr(&text));
        } else {
            (void)buf_addf(&text, "! %s", err.text);
            if (*c->want != '!' || !str_starts(buf_str(&text), str_of(c->want)))
                fail_msg("%s: %s", c->name, err.text);
        }
        plan_done(&plan);
        buf_done(&text);
        json_object_put(about.wanted);
        json_object_put(about.now);
    }
}

static void test_plan_keeps_secrets_apart(void **state)
{
    const struct plan_about about = {
        .wanted =
            document("{'users':[{'name':'ann','settings':{'password':'correct horse battery'}}]}"),
        .now = document("{}"),
        .now_wall_ms = NOW_MS,
    };
    struct plan plan;

    (void)state;
    assert_true(plan_make(&plan, &about, NULL));
    assert_int_equal(plan.count, 1);
    assert_true(str_eq(plan.steps[0].secret, STR("correct horse battery")));
    assert_true(str_find(plan.steps[0].difference, STR("horse")) == plan.steps[0].difference.len);
    plan_done(&plan);
    json_object_put(about.wanted);
    json_object_put(about.now);
}

static void test_plan_of_many_R102(void **state)
{
    const size_t many = 50000;
    struct json_object *list = json_object_new_array();
    struct plan_about about = { .wanted = json_object_new_object(), .now = document("{}") };
    char name[40];
    struct plan plan;

    (void)state;
    for (size_t i = 0; i < many; i++) {
        struct json_object *one = json_object_new_object();
        (void)snprintf(name, sizeof name, "d%zu.example", i);
        json_object_object_add(one, "domain", json_object_new_string(name));
        json_object_object_add(one, "account", json_object_new_string("host"));
        json_object_array_add(list, one);
    }
    json_object_object_add(about.wanted, "domains", list);
    assert_true(plan_make(&plan, &about, NULL));
    assert_int_equal(plan.count, many);
    assert_true(str_eq(plan.steps[many - 1].name, str_of(name)));
    plan_done(&plan);
    json_object_put(about.wanted);
    json_object_put(about.now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_R94),
        cmocka_unit_test(test_plan_keeps_secrets_apart),
        cmocka_unit_test(test_plan_of_many_R102),
    };
    return cmocka_run_group_tests_name("cli/plan", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* cli/cli_test.c - command lines that are understood and that are not; texts made from the table;
 * what a terminal gets to see of hostile bytes (fault W07). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/show.h"

static const struct args_case {
    const char *line; /* words separated by blanks */
    const char *want; /* how the message begins; NULL: understood */
} args_cases[] = {
    { "serve", NULL },
    { "serve --config /etc/x --single", NULL },
    { "serve -c /etc/x", NULL },
    { "serve --config=/etc/x", NULL },
    { "queue ls --to @example.org -n 5 -o json", NULL },
    { "queue show 0123456789ABC", NULL },
    { "queue show --help", NULL },
    { "queue retry a b c", NULL },
    { "queue drop --all --yes --silent --reason test", NULL },
    { "send --to a --to b -", NULL },
    { "send --to a -- --file-with-hyphens", NULL },
    { "completion bash", NULL },
    { "account add shop state=active limit.day.messages=100", NULL },
    { "account set shop note=", NULL },
    { "domain add a.example b.example --account shop subdomains=true", NULL },
    { "domain transfer a.example --to other", NULL },
    { "apply -f objects.json --dry-run", NULL },
    { "send -f ann@example.org --to bob@example.org", NULL },
    { "key ls --account shop", NULL },
    { "", "expected a command" },
    { "serv", "no command \"serv\"" },
    { "queue", "queue: no verb \"\"" },
    { "queue list", "queue: no verb \"list\"" },
    { "serve now", "\"now\" is too much" },
    { "serve --socket /x", "--socket is not for this command" },
    { "serve --sock /x", "no flag --sock" },
    { "serve -x", "no flag -x" },
    { "serve --config", "--config: expected FILE" },
    { "account set shop", "expected NAME KEY=VALUE..." },
    { "account add", "expected NAME" },
    { "domain add a.example --method guess", "--method \"guess\": expected one of dns host" },
    { "export -f objects.json", "no flag -f" },
    { "export --file objects.json", "--file is not for this command" },
    { "serve --single=yes", "--single takes no value" },
    { "serve --config a --config b", "--config: given twice" },
    { "status -o yaml", "--output \"yaml\": expected one of table json" },
    { "queue ls --state asleep", "--state \"asleep\": expected one of" },
    { "queue show", "expected ID" },
    { "queue show a b", "\"b\" is too much" },
    { "send --to a x y", "\"y\" is too much" },
};

static int split(char *line, const char **words, int max)
{
    int count = 0;
    char *word = line;

    while (*word && count < max) {
        char *end = strchr(word, ' ');
        words[count++] = word;
        if (!end)
            break;
        *end = '\0';
        word = end + 1;
    }
    return count;
}

static void test_args(void **state)
{
    struct cli_args *args = NEW(struct cli_args);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(args_cases); i++) {
        const struct args_case *c = &args_cases[i];
        char *line = strdup(c->line);
        const char *words[20];
        struct err err = { 0 };

        bool ok = args_parse(split(line, words, 20), words, args, &err);
        if (ok != (c->want == NULL) || (!ok && !str_starts(str_of(err.text), str_of(c->want))))
            fail_msg("\"%s\": %s", c->line, ok ? "was understood" : err.text);
        free(line);
    }
    free(args);
}

static void test_args_values(void **state)
{
    struct cli_args *args = NEW(struct cli_args);
    const char *const words[] = {
        "send", "--to", "a@b", "-t", "c@d", "--subject=x=y", "--", "-file"
    };

    (void)state;
    assert_true(args_parse(8, words, args, NULL));
    assert_int_equal(args->to_count, 2);
    assert_string_equal(args->to[1], "c@d");
    assert_string_equal(args->flags[FLAG_SUBJECT], "x=y");
    assert_int_equal(args->arg_count, 1);
    assert_string_equal(args->args[0], "-file");
    assert_null(args->flags[FLAG_FROM]);
    free(args);
}

/* A letter may stand for two flags, but not with the same command. */
static void test_letters_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count; i++) {
        uint64_t flags = command_flags(&cli_commands[i]);
        for (int f = 0; f < FLAGS; f++)
            for (int g = 0; g < f; g++)
                if ((flags >> f & 1) && (flags >> g & 1) && cli_flags[f].letter &&
                    cli_flags[f].letter == cli_flags[g].letter)
                    fail_msg("%s: -%c", cli_commands[i].noun, cli_flags[f].letter);
    }
}

/* Every command that is not hidden stands in every text. */
static void expect_all_in(struct buf *text, bool by_verb)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        struct str word = str_of(by_verb && c->verb ? c->verb : c->noun);
        if (!c->hidden && str_find(buf_str(text), word) == text->len)
            fail_msg("%.*s is missing", STR_FMT(word));
    }
}

static void test_texts_name_every_command(void **state)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 20);
    assert_true(help_overview(&text));
    expect_all_in(&text, true);
    buf_clear(&text);
    assert_true(manual_main(&text));
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        buf_clear(&text);
        assert_true(completion_write(shells[i], &text));
        expect_all_in(&text, true);
    }
    assert_false(completion_write("csh", &text));
    for (size_t i = 0; i < cli_command_count; i++) {
        buf_clear(&text);
        assert_true(help_command(&cli_commands[i], &text));
        assert_true(str_starts(buf_str(&text), STR("Usage: baton ")));
    }
    buf_clear(&text);
    assert_true(manual_noun("queue", &text));
    assert_true(str_find(buf_str(&text), STR("\\fBbaton queue drop\\fR")) < text.len);
    assert_true(str_find(buf_str(&text), STR("SETTINGS")) == text.len);
    buf_clear(&text);
    assert_true(manual_noun("key", &text));
    assert_true(str_find(buf_str(&text), STR("\\fBscopes\\fR")) < text.len);
    buf_clear(&text);
    assert_true(manual_codes(&text));
    assert_true(str_find(buf_str(&text), STR("\\fB[RELAY]\\fR  550 5.7.1\n")) < text.len);
    buf_clear(&text);
    assert_true(manual_config(&text));
    assert_true(str_find(buf_str(&text), STR("limits.recipients")) < text.len);
    buf_done(&text);
}

/* What can be set stands in the help of what sets it. */
static void test_help_lists_settings(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        buf_clear(&text);
        (void)help_command(c, &text);
        bool is_listed = str_find(buf_str(&text), STR("\n  note ")) < text.len;
        if (is_listed != c->takes_settings)
            fail_msg("%s %s", c->noun, c->verb ? c->verb : "");
    }
    buf_done(&text);
}

static const struct clean_case {
    const char *text, *want;
    bool lines;
} clean_cases[] = {
    { "plain", "plain", false },
    { "ünï", "ünï", false },
    { "a\r\nb", "a\\x0d\\x0ab", false },
    { "a\r\nb\tc", "a\nb\tc", true },
    { "a\rb", "a\\x0db", true },
    { "\x1b[31m", "\\x1b[31m", true },
    { "\x7f", "\\x7f", true },
    { "\xc2\x9b"
      "31m",
      "\\xc2\\x9b31m", false },
    { "\xe2\x80\xae"
      "txt",
      "\\xe2\\x80\\xaetxt", false },
    { "\xff", "\\xff", false },
};

static void test_clean_W07(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1024);
    for (size_t i = 0; i < ARRAY_LEN(clean_cases); i++) {
        buf_clear(&text);
        show_clean(&text, str_of(clean_cases[i].text), clean_cases[i].lines);
        assert_string_equal(buf_cstr(&text), clean_cases[i].want);
    }
    buf_done(&text);
}

static void test_table_of_settings(void **state)
{
    static const struct show_column columns[] = { { "name", "NAME" }, { "settings.list", "LIST" } };
    struct json_object *items = json_tokener_parse(
        "[{\"name\":\"a\",\"settings\":{\"list\":[\"1\",\"\u202e\"]}},{\"name\":\"b\"}]");
    struct buf text;

    (void)state;
    buf_init(&text, 1024);
    show_table(&text, items, columns, 2);
    assert_string_equal(buf_cstr(&text), "NAME  LIST\na     1, \\xe2\\x80\\xae\nb     -\n");
    buf_done(&text);
    json_object_put(items);
}

static void test_table(void **state)
{
    static const struct show_column columns[] = { { "id", "ID" },
                                                  { "none", "NONE" },
                                                  { "to", "TO" } };
    struct json_object *items = json_tokener_parse(
        "[{\"id\":\"A\",\"to\":\"ü@b\"},{\"id\":\"LONG\",\"to\":\"\\u001b\"},{\"to\":null}]");
    struct buf text;

    (void)state;
    buf_init(&text, 1024);
    show_table(&text, items, columns, 3);
    assert_string_equal(buf_cstr(&text), "ID    TO\nA     ü@b\nLONG  \\x1b\n-     -\n");
    buf_done(&text);
    json_object_put(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_args),
        cmocka_unit_test(test_args_values),
        cmocka_unit_test(test_letters_are_unique),
        cmocka_unit_test(test_texts_name_every_command),
        cmocka_unit_test(test_help_lists_settings),
        cmocka_unit_test(test_clean_W07),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_of_settings),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}

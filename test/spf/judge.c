// SPDX-License-Identifier: Apache-2.0
/* test/spf/judge.c - mail/spf over DNS tables that come on standard input, so that others' test
 * vectors can be put to it. Not part of baton: test/spf/run compiles it.
 *
 *     new                            forget all records
 *     rr NAME TYPE VALUE             A, AAAA, MX, PTR, TXT, CNAME; DEAD: no answer for that type
 *     ask IP HELO LOCAL DOMAIN       prints: result, explanation, mechanism, look-ups, voids
 *
 * Words are separated by tabs; NAME, VALUE, HELO, LOCAL, DOMAIN and what is printed are in
 * hexadecimal behind an x, so that no word is empty. */
#include <stdio.h>
#include <stdlib.h>

#include "base/code.h"
#include "base/map.h"
#include "base/mem.h"
#include "mail/spf.h"

#define RECORDS_MAX 4000
#define ALIASES_MAX 10

static struct {
    struct arena arena;
    struct record {
        struct str name, type, value;
    } records[RECORDS_MAX];
    size_t count;
} zone;

static struct str unhex(struct str text)
{
    char *bytes = arena_alloc(&zone.arena, text.len / 2 + 1);

    text = str_skip(text, 1);
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        char pair[3] = { text.ptr[i], text.ptr[i + 1], '\0' };
        bytes[i / 2] = (char)strtoul(pair, NULL, 16);
    }
    return str_make(bytes, text.len / 2);
}

static const struct str types[] = { [SPF_RR_A] = STR("A"),
                                    [SPF_RR_AAAA] = STR("AAAA"),
                                    [SPF_RR_MX] = STR("MX"),
                                    [SPF_RR_PTR] = STR("PTR"),
                                    [SPF_RR_TXT] = STR("TXT") };

/* Records of a name in the order of the table: what stands before DEAD is told. */
static void look(enum spf_rr type, struct str name, struct spf_rr_answer *ret,
                 struct str *ret_alias, struct ip *ips, struct str *texts)
{
    *ret = (struct spf_rr_answer){ .status = SPF_RR_NO_NAME, .ips = ips, .texts = texts };
    *ret_alias = STR_NONE;
    for (size_t i = 0; i < zone.count; i++) {
        const struct record *r = &zone.records[i];
        if (!str_eq_nocase(r->name, name))
            continue;
        if (ret->status == SPF_RR_NO_NAME)
            ret->status = SPF_RR_FOUND;
        if (str_eq(r->type, STR("CNAME")))
            *ret_alias = r->value;
        if (str_eq(r->type, STR("DEAD")) && (r->value.len == 0 || str_eq(r->value, types[type])) &&
            ret->count == 0)
            ret->status = SPF_RR_TEMP;
        if (!str_eq(r->type, types[type]))
            continue;
        if (type == SPF_RR_A || type == SPF_RR_AAAA)
            (void)!ip_parse(r->value, &ips[ret->count], NULL);
        texts[ret->count++] = r->value;
    }
}

static bool ask_table(void *arg, enum spf_rr type, struct str name, struct arena *a,
                      struct spf_rr_answer *ret, struct err *err)
{
    struct ip *ips = ARENA_ARRAY(a, struct ip, RECORDS_MAX);
    struct str *texts = ARENA_ARRAY(a, struct str, RECORDS_MAX), alias = name;

    (void)arg;
    (void)err;
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        alias.len--;
    for (int i = 0; i < ALIASES_MAX && alias.len > 0; i++)
        look(type, alias, ret, &alias, ips, texts);
    return true;
}

static void print_hex(struct str text)
{
    struct buf hex;

    buf_init(&hex, 100000);
    hex_add(&hex, text);
    printf("\tx%.*s", STR_FMT(buf_str(&hex)));
    buf_done(&hex);
}

static void judge(struct str words[5])
{
    static const struct spf_dns dns = { .ask = ask_table };
    struct spf_answer answer;
    struct arena arena;
    struct err err = { 0 };
    struct spf_ask ask = { .helo = unhex(words[2]),
                           .local = unhex(words[3]),
                           .domain = unhex(words[4]) };

    arena_init(&arena, 4096);
    if (!ip_parse(words[1], &ask.ip, NULL) || !spf_check(&ask, &dns, &arena, &answer, &err))
        exit(1);
    printf("%s", spf_result_name(answer.result));
    print_hex(answer.explanation);
    print_hex(answer.mechanism);
    print_hex(answer.why);
    printf("\t%u\t%u\n", answer.lookups, answer.voids);
    fflush(stdout);
    arena_done(&arena);
}

int main(void)
{
    static char line[400000];

    arena_init(&zone.arena, 65536);
    while (fgets(line, sizeof line, stdin)) {
        struct str rest = str_of(line), words[5] = { 0 };
        rest.len -= rest.len > 0;
        for (size_t i = 0; i < 5 && str_next(&rest, '\t', &words[i]); i++)
            ;
        if (str_eq(words[0], STR("new"))) {
            zone.count = 0;
            arena_reset(&zone.arena);
        } else if (str_eq(words[0], STR("rr")) && zone.count < RECORDS_MAX) {
            zone.records[zone.count++] =
                (struct record){ unhex(words[1]), arena_str(&zone.arena, words[2]),
                                 unhex(words[3]) };
        } else if (str_eq(words[0], STR("ask"))) {
            judge(words);
        } else {
            return 1;
        }
    }
    return 0;
}

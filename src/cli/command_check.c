// SPDX-License-Identifier: Apache-2.0
/* cli/command_check.c - baton check: one address, one message's signatures, one sender, judged as
 * the relay would judge them, by a resolver that may be named. No relay need run. JSON out. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "config/config.h"
#include "guard/admission.h"
#include "io/clock.h"
#include "io/disk.h"
#include "io/process.h"
#include "mail/dkim.h"
#include "resolve/hosts.h"
#include "resolve/spf_look.h"
#include "super/super.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define MESSAGE_BYTES_MAX (512 * 1024 * 1024)
#define TEXT_MAX (1024 * 1024)

/* What a check has at hand. */
struct looking {
    struct config *config; /* the file's that --config names, else the defaults */
    struct lookups *lookups;
    struct arena arena;
};

static bool read_config(struct looking *l, const struct cli_args *a, struct err *err)
{
    struct str yaml = STR("{}");

    if (args_has(a, FLAG_CONFIG) &&
        !disk_read_file(a->flags[FLAG_CONFIG], CONFIG_BYTES_MAX, &l->arena, &yaml, err))
        return false;
    return config_parse(str_of(args_has(a, FLAG_CONFIG) ? a->flags[FLAG_CONFIG] : "defaults"), yaml,
                        &l->config, err);
}

static bool looking_begin(struct looking *l, const struct cli_args *a, struct err *err)
{
    struct endpoint server;
    struct dns_options options = { 0 };
    struct dns *dns;

    super_begin("check");
    *l = (struct looking){ 0 };
    arena_init(&l->arena, 16 * 1024);
    if (!read_config(l, a, err))
        return false;
    options.servers = l->config->dns_servers;
    options.server_count = l->config->dns_server_count;
    options.recursive = l->config->dns_recursive;
    if (l->config->dns_trust_anchor_file.len > 0)
        options.trust_anchor_file = l->config->dns_trust_anchor_file.ptr;
    if (args_has(a, FLAG_RESOLVER)) {
        if (!endpoint_parse(str_of(a->flags[FLAG_RESOLVER]), &server, err))
            return err_at(err, "--resolver");
        options = (struct dns_options){ .servers = &server, .server_count = 1 };
    }
    if (!dns_new(&options, &dns, err))
        return false;
    l->lookups = lookups_new(dns);
    return true;
}

static void looking_end(struct looking *l)
{
    if (l->lookups)
        lookups_free(l->lookups);
    if (l->config)
        config_free(l->config);
    arena_done(&l->arena);
}

static void member(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

static enum cli_exit print_line(struct buf *text, enum cli_exit result)
{
    (void)buf_add_char(text, '\n');
    enum cli_exit printed = cli_print(text);
    buf_done(text);
    return printed == CLI_OK ? result : printed;
}

/* An address ----------------------------------------------------------------------------------- */

static const char *const route_words[] = { [ROUTE_MX] = "mx",
                                           [ROUTE_SMARTHOST] = "smarthost",
                                           [ROUTE_LMTP] = "lmtp",
                                           [ROUTE_SANDBOX] = "sandbox",
                                           [ROUTE_REFUSE] = "refuse" };

/* Whether a client with an account may write to it, once the gate is open. */
static bool tell_admission(struct looking *l, const struct address *to, struct json *j)
{
    const struct admission_facts facts = { .listener = LISTENER_SUBMISSION,
                                           .authorised = true,
                                           .gate_open = true };
    struct reply refusal = { 0 };
    bool taken = admission_rcpt(l->config, &facts, to, &l->arena, &refusal);

    json_key(j, "taken");
    json_bool(j, taken);
    if (!taken) {
        json_key(j, "code");
        json_int(j, refusal.code);
        member(j, "text", refusal.text);
    }
    return taken;
}

/* Waits. */
static bool tell_hosts(struct looking *l, struct str domain, struct json *j, struct err *err)
{
    struct machine machine = { .count = 0 };
    struct hosts hosts;
    char text[IP_TEXT_MAX];

    machine.count = process_addresses(machine.ips, MACHINE_IPS_MAX);
    if (!hosts_resolve(l->lookups, policy_copy(l->config, &machine, &l->arena), domain,
                       random_u64(), &l->arena, &hosts, err))
        return false;
    json_key(j, "hosts");
    json_array(j);
    for (size_t i = 0; hosts.list.verdict == VERDICT_OK && i < hosts.list.count; i++) {
        const struct target *t = &hosts.list.targets[i];
        json_object(j);
        member(j, "name", t->name);
        json_key(j, "preference");
        json_int(j, t->preference);
        member(j, "address", str_of(ip_format(&t->ip, text)));
        json_object_end(j);
    }
    json_array_end(j);
    if (hosts.list.verdict == VERDICT_OK)
        return true;
    struct reply reply = verdict_reply(hosts.list.verdict);
    json_key(j, "code");
    json_int(j, reply.code);
    return err_set(err, ERR_DNS, "%.*s%s%.*s", STR_FMT(reply.text), hosts.why.len > 0 ? ": " : "",
                   STR_FMT(hosts.why));
}

/* *ret_why when mail to it would not be delivered. Waits. */
static bool address_tell(struct looking *l, struct str text, struct json *j, struct err *err)
{
    struct address to;
    struct buf ascii;

    if (!address_parse(text, &to, err))
        return err_at(err, "syntax");
    buf_init(&ascii, 2 * ADDRESS_DOMAIN_MAX);
    bool ok = to.is_literal ? buf_add(&ascii, to.domain) : domain_ascii(&ascii, to.domain, err);
    struct str domain = arena_str(&l->arena, buf_str(&ascii));
    buf_done(&ascii);
    if (!ok)
        return err_at(err, "domain");
    const struct config_route *route = config_route_find(l->config, domain);
    member(j, "local", to.local);
    member(j, "domain", domain);
    json_key(j, "smtputf8");
    json_bool(j, to.is_utf8);
    member(j, "route", str_of(route_words[route->kind]));
    if (!tell_admission(l, &to, j))
        return err_set(err, ERR_DENIED, "it would be refused");
    return route->kind != ROUTE_MX || tell_hosts(l, domain, j, err);
}

enum cli_exit check_address_run(const struct cli_args *a)
{
    struct looking l;
    struct err err = { 0 };
    struct buf text;
    struct json j;

    if (!looking_begin(&l, a, &err)) {
        looking_end(&l);
        return cli_fail(CLI_USAGE, "%s", err.text);
    }
    buf_init(&text, TEXT_MAX);
    json_begin(&j, &text);
    json_object(&j);
    member(&j, "address", str_of(a->args[0]));
    bool ok = address_tell(&l, str_of(a->args[0]), &j, &err);
    json_key(&j, "ok");
    json_bool(&j, ok);
    if (!ok)
        member(&j, "why", str_of(err.text));
    json_object_end(&j);
    looking_end(&l);
    return print_line(&text, ok ? CLI_OK : CLI_UNHEALTHY);
}

/* Signatures ----------------------------------------------------------------------------------- */

/* RFC 8601 §2.7.1. */
enum dkim_result { DKIM_PASS, DKIM_FAIL, DKIM_PERMERROR, DKIM_TEMPERROR };
static const char *const dkim_words[] = { "pass", "fail", "permerror", "temperror" };

struct signed_message {
    struct str section, body;
};

/* The section ends with its last field's line end; a message without body has none. */
static struct signed_message message_cut(struct str text)
{
    size_t end = str_find(text, STR("\r\n\r\n"));

    if (str_starts(text, STR("\r\n")))
        return (struct signed_message){ STR(""), str_skip(text, 2) };
    if (end == text.len)
        return (struct signed_message){ text, STR("") };
    return (struct signed_message){ str_sub(text, 0, end + 2), str_skip(text, end + 4) };
}

static void body_hash(const struct dkim_signature *s, struct str body, uint8_t ret[DKIM_HASH_BYTES])
{
    struct dkim_body b = { 0 };

    dkim_body_begin(&b, s->body_form, s->body_length);
    dkim_body_add(&b, body);
    dkim_body_end(&b, ret);
    dkim_body_done(&b);
}

/* The key record of a signature. Waits. */
static bool find_key(struct looking *l, const struct dkim_signature *s, struct dkim_key *ret,
                     enum dkim_result *ret_result, struct err *err)
{
    struct dns_answer txt;
    struct str name =
        arena_strf(&l->arena, "%.*s._domainkey.%.*s", STR_FMT(s->selector), STR_FMT(s->domain));

    *ret_result = DKIM_TEMPERROR;
    if (!lookup_one(l->lookups, DNS_TXT, name, &l->arena, &txt, err))
        return false;
    if (txt.status == DNS_TEMP)
        return err_set(err, ERR_DNS, "no answer for %.*s: %.*s", STR_FMT(str_sub(name, 0, 80)),
                       STR_FMT(txt.why));
    *ret_result = DKIM_PERMERROR;
    if (txt.count == 0)
        return err_set(err, ERR_DNS, "there is no TXT record at %.*s",
                       STR_FMT(str_sub(name, 0, 120)));
    for (size_t i = 0; i < txt.count; i++)
        if (dkim_key_read(txt.records[i].bytes, &l->arena, ret, err))
            return true;
    return err_at(err, "the key record");
}

/* Waits. */
static enum dkim_result judge(struct looking *l, const struct signed_message *m,
                              const struct dkim_signature *s, struct err *err)
{
    uint8_t header_hash[DKIM_HASH_BYTES], hash[DKIM_HASH_BYTES];
    enum dkim_result result = DKIM_PERMERROR;
    struct dkim_key key;

    if (s->algorithm == 0)
        return DKIM_PERMERROR; /* err says why */
    if (!find_key(l, s, &key, &result, err))
        return result;
    if (!dkim_header_hash(m->section, s, header_hash, err))
        return DKIM_PERMERROR;
    body_hash(s, m->body, hash);
    return dkim_verify(s, &key, header_hash, hash, clock_wall_ms() / 1000, err) ? DKIM_PASS
                                                                                : DKIM_FAIL;
}

static void tell_signature(struct json *j, const struct dkim_signature *s, enum dkim_result result,
                           const struct err *err)
{
    json_object(j);
    if (s->algorithm != 0) {
        member(j, "domain", s->domain);
        member(j, "selector", s->selector);
        member(j, "identity", s->identity);
        member(j, "algorithm",
               s->algorithm == DKIM_RSA_SHA256 ? STR("rsa-sha256") : STR("ed25519-sha256"));
        member(j, "headers", s->headers);
    }
    member(j, "result", str_of(dkim_words[result]));
    if (result != DKIM_PASS)
        member(j, "reason", str_of(err->text));
    json_object_end(j);
}

/* True when there are signatures, and all of them hold. Waits. */
static bool signatures_tell(struct looking *l, struct str text, struct json *j)
{
    const struct signed_message m = message_cut(text);
    struct dkim_signature s;
    struct err err = { 0 };
    size_t at = 0, count = 0, passed = 0;

    json_key(j, "signatures");
    json_array(j);
    while (count < DKIM_SIGNATURES_MAX &&
           dkim_signature_next(m.section, &at, &l->arena, &s, &err)) {
        enum dkim_result result = judge(l, &m, &s, &err);
        tell_signature(j, &s, result, &err);
        count++;
        passed += result == DKIM_PASS;
        err = (struct err){ 0 };
    }
    json_array_end(j);
    return count > 0 && passed == count;
}

static enum cli_exit dkim_of(struct looking *l, struct str message)
{
    struct buf text;
    struct json j;

    buf_init(&text, TEXT_MAX);
    json_begin(&j, &text);
    json_object(&j);
    bool ok = signatures_tell(l, message, &j);
    json_key(&j, "ok");
    json_bool(&j, ok);
    json_object_end(&j);
    return print_line(&text, ok ? CLI_OK : CLI_UNHEALTHY);
}

enum cli_exit check_dkim_run(const struct cli_args *a)
{
    struct buf input, message;
    struct looking l;
    struct err err = { 0 };
    enum cli_exit result;

    buf_init(&input, MESSAGE_BYTES_MAX);
    buf_init(&message, MESSAGE_BYTES_MAX);
    bool ok = looking_begin(&l, a, &err) && cli_read_stdin(&input, &err);
    if (ok) {
        cli_add_lines(&message, buf_str(&input));
        result = dkim_of(&l, buf_str(&message));
    } else {
        result = cli_fail(CLI_USAGE, "%s", err.text);
    }
    looking_end(&l);
    buf_done(&input);
    buf_done(&message);
    return result;
}

/* SPF ------------------------------------------------------------------------------------------ */

static bool spf_ask_of(struct looking *l, const struct cli_args *a, struct spf_ask *ret,
                       struct err *err)
{
    struct str from = str_of(a->flags[FLAG_FROM]), local = STR(""), domain = from;
    struct buf ascii;

    *ret = (struct spf_ask){ .helo = str_of(a->flags[FLAG_HELO]), .now_s = clock_wall_ms() / 1000 };
    if (!ip_parse(str_of(a->flags[FLAG_IP]), &ret->ip, err))
        return err_at(err, "--ip");
    if (from.len > 0 && !str_cut_last(from, '@', &local, &domain))
        domain = from;
    buf_init(&ascii, 2 * ADDRESS_DOMAIN_MAX);
    bool ok = domain.len == 0 || domain_ascii(&ascii, domain, err);
    ret->local = local;
    ret->domain = arena_str(&l->arena, buf_str(&ascii));
    buf_done(&ascii);
    return ok || err_at(err, "--from");
}

/* Waits. */
static bool spf_find(struct looking *l, const struct cli_args *a, struct spf_answer *ret,
                     struct err *err)
{
    struct spf_ask ask;

    return spf_ask_of(l, a, &ask, err) && spf_look(l->lookups, &ask, &l->arena, ret, err);
}

static enum cli_exit spf_tell(const struct spf_answer *spf)
{
    struct buf text;
    struct json j;

    buf_init(&text, TEXT_MAX);
    json_begin(&j, &text);
    json_object(&j);
    member(&j, "result", str_of(spf_result_name(spf->result)));
    member(&j, "domain", spf->domain);
    member(&j, "mechanism", spf->mechanism);
    member(&j, "why", spf->why);
    if (spf->explanation.len > 0)
        member(&j, "explanation", spf->explanation);
    json_key(&j, "lookups");
    json_int(&j, spf->lookups);
    json_key(&j, "void_lookups");
    json_int(&j, spf->voids);
    json_object_end(&j);
    return print_line(&text, spf->result == SPF_PASS ? CLI_OK : CLI_UNHEALTHY);
}

enum cli_exit check_spf_run(const struct cli_args *a)
{
    struct spf_answer spf;
    struct looking l;
    struct err err = { 0 };
    enum cli_exit result;

    if (!args_has(a, FLAG_IP) || !args_has(a, FLAG_HELO))
        return cli_fail(CLI_USAGE, "expected --ip ADDRESS and --helo NAME");
    if (looking_begin(&l, a, &err) && spf_find(&l, a, &spf, &err))
        result = spf_tell(&spf);
    else
        result = cli_fail(CLI_USAGE, "%s", err.text);
    looking_end(&l);
    return result;
}

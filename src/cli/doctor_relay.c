// SPDX-License-Identifier: Apache-2.0
/* cli/doctor_relay.c - is it an open relay? Tried as a stranger would, from outside in: every
 * listener is asked in many ways to take mail for a domain that nobody has. Nothing is ever sent:
 * the dialogue ends before DATA. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/doctor.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/stream.h"

#define TALK_MS 15000
#define ADDRESSES_MAX 64
#define ELSEWHERE "relay-test.invalid" /* never anybody's: RFC 2606 §2 */

/* {host} is this relay's name, {ip} the address at which it was reached. */
static const struct trick {
    const char *ehlo, *mail, *rcpt;
    bool by_host; /* means nothing where {host} is a domain that is received for */
} tricks[] = {
    { "probe.invalid", "<probe@probe.invalid>", "<probe@" ELSEWHERE ">", false },
    { "probe.invalid", "<>", "<probe@" ELSEWHERE ">", false },
    { "probe.invalid", "<probe@" ELSEWHERE ">", "<probe@" ELSEWHERE ">", false },
    { "probe.invalid", "<postmaster@{host}>", "<probe@" ELSEWHERE ">", false },
    { "probe.invalid", "<probe@[127.0.0.1]>", "<probe@" ELSEWHERE ">", false },
    { "localhost", "<root@localhost>", "<probe@" ELSEWHERE ">", false },
    { "{host}", "<probe@{host}>", "<probe@" ELSEWHERE ">", false },
    { "[127.0.0.1]", "<probe@probe.invalid>", "<probe@" ELSEWHERE ">", false },
    { "probe.invalid", "<probe@probe.invalid>", "<probe@" ELSEWHERE ".>", false },
    { "probe.invalid", "<probe@probe.invalid>", "probe@" ELSEWHERE, false },
    { "probe.invalid", "<probe@probe.invalid>", "<\"probe@" ELSEWHERE "\">", false },
    { "probe.invalid", "<probe@probe.invalid>", "<probe@[127.0.0.1]>", false },
    { "probe.invalid", "<probe@probe.invalid>", "<@{host}:probe@" ELSEWHERE ">", false },
    { "probe.invalid", "<probe@probe.invalid>", "<probe%" ELSEWHERE "@[{ip}]>", false },
    { "probe.invalid", "<probe@probe.invalid>", "<probe%" ELSEWHERE "@{host}>", true },
    { "probe.invalid", "<probe@probe.invalid>", "<\"probe@" ELSEWHERE "\"@{host}>", true },
    { "probe.invalid", "<probe@probe.invalid>", "<probe@" ELSEWHERE "@{host}>", true },
    { "probe.invalid", "<probe@probe.invalid>", "<" ELSEWHERE "!probe@{host}>", true },
};

struct talk {
    struct doctor *doctor;
    const struct config_listener *listener;
    struct endpoint at;
    struct tls_client *tls;
    struct stream *stream;
};

/* A dialogue ----------------------------------------------------------------------------------- */

/* The code of a whole reply, of several lines perhaps. Waits. */
static bool hear(struct talk *t, unsigned *ret_code, struct err *err)
{
    int64_t deadline = loop_now_ms() + TALK_MS;

    for (;;) {
        struct str window = stream_window(t->stream), line;
        size_t end = str_find(window, STR("\r\n"));
        if (end == window.len) {
            if (!stream_fill(t->stream, deadline, err))
                return false;
            continue;
        }
        line = str_sub(window, 0, end);
        bool is_last = line.len < 4 || line.ptr[3] != '-';
        uint64_t code = 0;
        bool ok = str_to_u64(str_sub(line, 0, 3), 999, &code);
        stream_take(t->stream, end + 2);
        if (!ok)
            return err_set(err, ERR_SYNTAX, "that is no SMTP");
        *ret_code = (unsigned)code;
        if (is_last)
            return true;
    }
}

static struct str filled(struct talk *t, const char *text)
{
    struct arena *a = &t->doctor->arena;
    struct str rest = str_of(text), host = t->doctor->config->hostname;
    char ip[IP_TEXT_MAX];
    size_t at = str_index(rest, '{');

    if (at == rest.len)
        return rest;
    bool is_host = str_starts(str_skip(rest, at), STR("{host}"));
    return arena_strf(a, "%.*s%.*s%.*s", (int)at, text,
                      STR_FMT(is_host ? host : str_of(ip_format(&t->at.ip, ip))),
                      STR_FMT(str_skip(rest, at + strlen(is_host ? "{host}" : "{ip}"))));
}

/* Waits. */
static bool say(struct talk *t, const char *command, const char *argument, unsigned *ret_code,
                struct err *err)
{
    struct str line =
        arena_strf(&t->doctor->arena, "%s%.*s\r\n", command, STR_FMT(filled(t, argument)));

    return stream_put(t->stream, line, err) && stream_flush(t->stream, err) &&
           hear(t, ret_code, err);
}

/* Up to the greeting. Waits. */
static bool begin(struct talk *t, struct err *err)
{
    int64_t deadline = loop_now_ms() + TALK_MS;
    unsigned code;

    if (!stream_connect(&t->at, NULL, deadline, &t->stream, err))
        return false;
    stream_set_write_timeout(t->stream, TALK_MS);
    if (t->listener->kind == LISTENER_SUBMISSIONS &&
        !stream_start_tls_client(t->stream, t->tls, t->doctor->config->hostname, deadline, NULL,
                                 err))
        return false;
    return hear(t, &code, err) &&
           (code < 400 || err_set(err, ERR_DENIED, "the greeting is %u", code));
}

/* Waits. */
static bool start_tls(struct talk *t, struct err *err)
{
    unsigned code = 0;

    if (t->listener->kind == LISTENER_SUBMISSIONS)
        return begin(t, err);
    if (!begin(t, err) || !say(t, "EHLO ", "probe.invalid", &code, err) ||
        !say(t, "STARTTLS", "", &code, err))
        return false;
    if (code != 220)
        return err_set(err, ERR_TLS, "STARTTLS is answered with %u", code);
    return stream_start_tls_client(t->stream, t->tls, t->doctor->config->hostname,
                                   loop_now_ms() + TALK_MS, NULL, err);
}

bool doctor_handshake(struct doctor *d, const struct config_listener *l, struct tls_client *tls,
                      struct tls_facts *ret, struct err *err)
{
    struct talk t = { .doctor = d, .listener = l, .at = doctor_reach(l), .tls = tls };
    bool ok = start_tls(&t, err);

    if (ok)
        *ret = *stream_tls(t.stream);
    stream_free(t.stream);
    return ok;
}

/* True: it was taken. A refusal at any step, and the end of the connection, is a refusal. Waits. */
static bool is_taken(struct talk *t, const struct trick *trick)
{
    struct err err;
    unsigned code = 0;

    return begin(t, &err) && say(t, "EHLO ", trick->ehlo, &code, &err) && code < 400 &&
           say(t, "MAIL FROM:", trick->mail, &code, &err) && code < 400 &&
           say(t, "RCPT TO:", trick->rcpt, &code, &err) && code < 400;
}

/* Listeners ------------------------------------------------------------------------------------ */

static bool ip_is_any(const struct ip *ip)
{
    static const uint8_t zero[16];

    return memcmp(ip->bytes, zero, ip->family == 4 ? 4 : 16) == 0;
}

/* One of ours, public if there is one; else loopback. */
static struct ip own_address(int family)
{
    static const uint8_t loopback4[4] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
    struct ip own[ADDRESSES_MAX], best = { 0 };
    size_t count = process_addresses(own, ADDRESSES_MAX);

    for (size_t i = 0; i < count; i++) {
        bool is_link_local =
            own[i].family == 6 && own[i].bytes[0] == 0xfe && own[i].bytes[1] == 0x80;
        if (own[i].family != family || ip_is_loopback(&own[i]) || is_link_local)
            continue;
        if (best.family == 0 || (ip_is_public(&own[i]) && !ip_is_public(&best)))
            best = own[i];
    }
    if (best.family == 0)
        return family == 4 ? ip_make4(loopback4) : ip_make6(loopback6);
    return best;
}

struct endpoint doctor_reach(const struct config_listener *l)
{
    struct endpoint at = l->at;

    if (ip_is_any(&at.ip))
        at.ip = own_address(at.ip.family);
    return at;
}

/* Whoever connects to an address of his own comes from that address. */
static bool stands_outside(const struct talk *t)
{
    return config_network_find(t->doctor->config, &t->at.ip) == NULL;
}

static bool is_meant(const struct talk *t, const struct trick *trick)
{
    const struct config *c = t->doctor->config;

    return !trick->by_host || !config_is_local_domain(c, c->hostname);
}

static void try_all(struct talk *t, const struct doctor_subject *s)
{
    size_t taken = 0, tried = 0;

    for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
        if (!is_meant(t, &tricks[i]))
            continue;
        tried++;
        if (is_taken(t, &tricks[i])) {
            taken++;
            doctor_add(t->doctor, s, DOCTOR_FAIL, "MAIL FROM:%s RCPT TO:%s was taken",
                       tricks[i].mail, tricks[i].rcpt);
        }
        stream_free(t->stream);
        t->stream = NULL;
    }
    if (taken == 0)
        doctor_add(t->doctor, s, DOCTOR_OK, "%zu tricks were refused", tried);
}

static void look_at(struct talk *t)
{
    char text[ENDPOINT_TEXT_MAX];
    struct doctor_subject s = {
        "open-relay", t->listener->name.ptr,
        "close it now: trusted_networks, routes and local_domains say who may send what"
    };
    struct err err = { 0 };

    if (!stands_outside(t)) {
        s.advice = "try it from another machine, or trust less than all of this one's addresses";
        doctor_add(t->doctor, &s, DOCTOR_WARN,
                   "%s is in a trusted network: it cannot be tried "
                   "as a stranger would",
                   endpoint_format(&t->at, text));
        return;
    }
    bool answers = begin(t, &err);
    stream_free(t->stream);
    t->stream = NULL;
    if (answers) {
        try_all(t, &s);
    } else if (t->listener->proxy == PROXY_REQUIRED) {
        doctor_add(t->doctor, &s, DOCTOR_OK, "it talks to proxies alone");
    } else {
        s.advice = "is the relay running?";
        doctor_add(t->doctor, &s, DOCTOR_FAIL, "%s: %s", endpoint_format(&t->at, text), err.text);
    }
}

void doctor_relay(struct doctor *d)
{
    struct talk t = { .doctor = d };
    struct err err = { 0 };

    if (!tls_client_new(TLS_VERIFY_NONE, NULL, &t.tls, &err)) {
        doctor_add(d, &(struct doctor_subject){ "open-relay", "", "" }, DOCTOR_WARN, "%s",
                   err.text);
        return;
    }
    for (size_t i = 0; i < d->config->listener_count; i++) {
        t.listener = &d->config->listeners[i];
        t.at = doctor_reach(t.listener);
        look_at(&t);
    }
    tls_client_free(t.tls);
}

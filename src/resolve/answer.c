// SPDX-License-Identifier: Apache-2.0
/* resolve/answer.c - writes answers into frames, codes and words with them. */
#include "resolve/answer.h"

#include "base/json.h"

#define WORDS_MAX 400

/* The verdict's words, with what DNS said where it said something. */
static struct reply reply_of(enum verdict verdict, struct str why, struct arena *a)
{
    struct reply reply = verdict_reply(verdict);

    if (verdict == VERDICT_TEMP && why.len > 0)
        reply.text =
            arena_strf(a, "%.*s (%.*s)", STR_FMT(reply.text), STR_FMT(str_sub(why, 0, 400)));
    return reply;
}

void answer_site(struct channel *c, uint64_t id, const struct site *site, struct arena *a)
{
    const struct reply reply = reply_of(site->verdict, site->why, a);
    const struct str name = site->verdict == VERDICT_OK ? site->name : STR_NONE;

    struct wire_site_answer *w = wire_add(c, WIRE_SITE_ANSWER, name.len + reply.text.len);
    w->question = id;
    w->ttl_s = site->ttl_s;
    w->code = reply.code;
    w->status_subject = reply.status.subject;
    w->status_detail = reply.status.detail;
    wire_put(w, &w->site, name);
    wire_put(w, &w->text, reply.text);
}

static void answer_host(struct channel *c, uint64_t id, const struct target *target)
{
    struct wire_host *w = wire_add(c, WIRE_HOST, target->name.len);

    w->question = id;
    w->ip = wire_ip_of(&target->ip, 0);
    w->preference = target->preference;
    wire_put(w, &w->name, target->name);
}

void answer_hosts(struct channel *c, uint64_t id, const struct hosts *hosts, struct arena *a)
{
    const struct reply reply = reply_of(hosts->list.verdict, hosts->why, a);

    for (size_t i = 0; i < hosts->list.count; i++)
        answer_host(c, id, &hosts->list.targets[i]);
    struct wire_hosts_answer *w = wire_add(c, WIRE_HOSTS_ANSWER, reply.text.len);
    w->question = id;
    w->count = (uint32_t)hosts->list.count;
    w->ttl_s = hosts->list.ttl_s;
    w->code = reply.code;
    w->status_subject = reply.status.subject;
    w->status_detail = reply.status.detail;
    wire_put(w, &w->text, reply.text);
}

void answer_end(struct channel *c, uint64_t request, uint16_t status, struct str text)
{
    struct wire_admin_end *w = wire_add(c, WIRE_ADMIN_END, text.len);

    w->request = request;
    w->status = status;
    wire_put(w, &w->text, text);
}

static void answer_check(struct channel *c, uint64_t request, const struct live_check *check)
{
    struct buf text;
    struct json j;

    buf_init(&text, FRAME_BYTES_MAX / 2);
    json_begin(&j, &text);
    json_object(&j);
    json_key(&j, "check");
    json_str(&j, str_of(check->name));
    json_key(&j, "ok");
    json_bool(&j, check->ok);
    json_key(&j, "text");
    json_str(&j, check->text);
    json_object_end(&j);
    struct wire_admin_row *w = wire_add(c, WIRE_ADMIN_ROW, text.len);
    w->request = request;
    wire_put(w, &w->json, buf_str(&text));
    buf_done(&text);
}

void answer_live(struct channel *c, uint64_t id, const struct live_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        answer_check(c, id, &report->checks[i]);
    answer_end(c, id, 200, STR_NONE);
}

/* Name servers
 * ---------------------------------------------------------------------------------------------
 */

static struct str value_of(enum dns_type type, const struct dns_record *record, struct arena *a)
{
    char text[IP_TEXT_MAX];

    if (type == DNS_TXT)
        return record->bytes;
    if (type == DNS_A || type == DNS_AAAA)
        return arena_str(a, str_of(ip_format(&record->ip, text)));
    return record->name;
}

static void answer_value(struct channel *c, uint64_t id, struct str value)
{
    if (value.len > FRAME_BYTES_MAX - sizeof(struct wire_dns_value))
        return;
    struct wire_dns_value *w = wire_add(c, WIRE_DNS_VALUE, value.len);
    w->question = id;
    wire_put(w, &w->value, value);
}

static enum dns_said said_on_wire(const struct authority_server *server)
{
    static const enum dns_said said[] = {
        [AUTHORITY_RECORDS] = DNS_SAID_RECORDS,
        [AUTHORITY_NO_NAME] = DNS_SAID_NO_NAME,
        [AUTHORITY_SILENT] = DNS_SAID_TIMEOUT,
        [AUTHORITY_FAILED] = DNS_SAID_FAILED,
    };

    return server->answer.count > DNS_VALUES_MAX ? DNS_SAID_FAILED : said[server->said];
}

static void answer_server(struct channel *c, uint64_t id, enum dns_type type,
                          const struct authority_server *server, struct arena *a)
{
    const enum dns_said said = said_on_wire(server);

    struct wire_dns_server *w = wire_add(c, WIRE_DNS_SERVER, server->name.len);
    w->question = id;
    w->ip = wire_ip_of(&server->ip, 0);
    w->said = said;
    wire_put(w, &w->name, server->name);
    for (size_t i = 0; i < server->answer.count && said == DNS_SAID_RECORDS; i++)
        answer_value(c, id, value_of(type, &server->answer.records[i], a));
}

void answer_dns_end(struct channel *c, const struct wire_dns_end *end, struct str text)
{
    const struct str words = str_sub(text, 0, WORDS_MAX);

    struct wire_dns_end *w = wire_add(c, WIRE_DNS_END, words.len);
    w->question = end->question;
    w->servers = end->servers;
    w->code = end->code;
    w->ttl_s = end->ttl_s;
    wire_put(w, &w->text, words);
}

void answer_dns(struct channel *c, uint64_t id, enum dns_type type,
                const struct authority_answer *answer, struct arena *a)
{
    static const uint16_t codes[] = { [ZONE_FOUND] = 0, [ZONE_NONE] = 550, [ZONE_TEMP] = 451 };

    for (size_t i = 0; i < answer->count; i++)
        answer_server(c, id, type, &answer->servers[i], a);
    answer_dns_end(c,
                   &(struct wire_dns_end){ .question = id,
                                           .servers = (uint32_t)answer->count,
                                           .code = codes[answer->found],
                                           .ttl_s = answer->ttl_s },
                   answer->why);
}

void answer_spf(struct channel *c, uint64_t id, enum spf_result result, struct str why)
{
    const struct str words = str_sub(why, 0, WORDS_MAX);

    struct wire_spf_answer *w = wire_add(c, WIRE_SPF_ANSWER, words.len);
    w->question = id;
    w->result = (uint32_t)result;
    wire_put(w, &w->text, words);
}

// SPDX-License-Identifier: Apache-2.0
/* resolve/question.c - the stories: a recipient's site, a domain's hosts, what each name server
 * says, whether we may send for a domain, `baton live`. */
#include "resolve/question.h"

#include "io/clock.h"
#include "io/loop.h"
#include "resolve/answer.h"
#include "resolve/spf_look.h"

#define BUSY_TTL_S 5
#define AUTHORITY_MS (30 * 1000)

/* Mail's way out
 * ----------------------------------------------------------------------------------------------
 */

static bool ask_site(struct question *q, const struct setting *s, struct err *err)
{
    struct site site;

    if (!site_find(s->lookups, s->policy, q->asked.name, random_u64(), &q->arena, &site, err))
        return false;
    if (question_channel(q))
        answer_site(question_channel(q), q->asked.id, &site, &q->arena);
    return true;
}

static void busy_site(struct channel *c, uint64_t id)
{
    const struct site site = { .verdict = VERDICT_BUSY, .ttl_s = BUSY_TTL_S };

    answer_site(c, id, &site, NULL);
}

static bool answer_found(struct question *q, const struct hosts *hosts)
{
    if (question_channel(q))
        answer_hosts(question_channel(q), q->asked.id, hosts, &q->arena);
    return true;
}

static bool ask_hosts(struct question *q, const struct setting *s, struct err *err)
{
    struct hosts hosts;

    return hosts_resolve(s->lookups, s->policy, q->asked.name, random_u64(), &q->arena, &hosts,
                         err) &&
           answer_found(q, &hosts);
}

static bool ask_plain(struct question *q, const struct setting *s, struct err *err)
{
    struct hosts hosts;

    return hosts_resolve_plain(s->lookups, s->policy, q->asked.name, random_u64(), &q->arena,
                               &hosts, err) &&
           answer_found(q, &hosts);
}

static void busy_hosts(struct channel *c, uint64_t id)
{
    const struct hosts hosts = { .list = { .verdict = VERDICT_BUSY, .ttl_s = BUSY_TTL_S } };

    answer_hosts(c, id, &hosts, NULL);
}

const struct question_kind question_site = { ask_site, busy_site, false };
const struct question_kind question_hosts = { ask_hosts, busy_hosts, false };
const struct question_kind question_plain = { ask_plain, busy_hosts, false };

/* Ourselves
 * -----------------------------------------------------------------------------------------------
 */

static bool ask_live(struct question *q, const struct setting *s, struct err *err)
{
    const struct spf_own own = { s->hostname, { s->sources[0], s->sources[1] } };
    struct live_report report;

    if (!live_find(s->lookups, &own, &q->arena, &report, err))
        return false;
    if (question_channel(q))
        answer_live(question_channel(q), q->asked.id, &report);
    return true;
}

static void busy_live(struct channel *c, uint64_t id)
{
    answer_end(c, id, 503, verdict_reply(VERDICT_BUSY).text);
}

const struct question_kind question_live = { ask_live, busy_live, false };

/* vault's
 * -------------------------------------------------------------------------------------------------
 */

/* All of DNS at once: one server without a name. */
static bool ask_resolver(struct question *q, const struct setting *s, struct authority_answer *ret,
                         struct err *err)
{
    struct authority_server *server = &ret->servers[0];

    *ret = (struct authority_answer){ .count = 1 };
    if (!lookup_one(s->lookups, q->asked.type, q->asked.name, &q->arena, &server->answer, err))
        return false;
    ret->ttl_s = server->answer.ttl_s;
    server->why = server->answer.why;
    if (server->answer.status != DNS_OK)
        server->said = server->answer.status == DNS_NO_NAME ? AUTHORITY_NO_NAME : AUTHORITY_FAILED;
    return true;
}

static bool ask_authorities(struct question *q, const struct setting *s,
                            struct authority_answer *ret, struct err *err)
{
    const struct authority_question question = { .name = q->asked.name,
                                                 .type = q->asked.type,
                                                 .port = s->authority_port,
                                                 .policy = s->policy,
                                                 .silence = s->silence,
                                                 .deadline_ms = loop_now_ms() + AUTHORITY_MS };

    return authority_ask(s->lookups, &question, &q->arena, ret, err);
}

static bool ask_dns(struct question *q, const struct setting *s, struct err *err)
{
    struct authority_answer *answer = ARENA_NEW(&q->arena, struct authority_answer);

    if (!(q->asked.how == DNS_HOW_EACH_AUTHORITY ? ask_authorities : ask_resolver)(q, s, answer,
                                                                                   err))
        return false;
    if (question_channel(q))
        answer_dns(question_channel(q), q->asked.id, q->asked.type, answer, &q->arena);
    return true;
}

static void busy_dns(struct channel *c, uint64_t id)
{
    const struct wire_dns_end end = { .question = id, .code = 451, .ttl_s = BUSY_TTL_S };

    answer_dns_end(c, &end, verdict_reply(VERDICT_BUSY).text);
}

const struct question_kind question_dns = { ask_dns, busy_dns, true };

static bool spf_ips(struct question *q, const struct setting *s, struct spf_own_ips *ret,
                    struct err *err)
{
    const struct spf_own own = { s->hostname, { s->sources[0], s->sources[1] } };

    if (q->asked.ip.family == 0)
        return spf_own_find(s->lookups, &own, &q->arena, ret, err);
    *ret = (struct spf_own_ips){ .ips = { q->asked.ip }, .count = 1 };
    return true;
}

static bool ask_spf(struct question *q, const struct setting *s, struct err *err)
{
    struct spf_own_ips ips;
    struct spf_answer answer;
    struct ip worst;

    if (!spf_ips(q, s, &ips, err) || !spf_look_worst(s->lookups, s->hostname, q->asked.name, &ips,
                                                     &q->arena, &answer, &worst, err))
        return false;
    /* A pass from those addresses that are known says nothing of the others. */
    if (ips.unsure && answer.result == SPF_PASS)
        answer = (struct spf_answer){ .result = SPF_TEMPERROR,
                                      .why = STR("DNS does not tell all addresses that we send "
                                                 "from now") };
    if (question_channel(q))
        answer_spf(question_channel(q), q->asked.id, answer.result, answer.why);
    return true;
}

static void busy_spf(struct channel *c, uint64_t id)
{
    answer_spf(c, id, SPF_TEMPERROR, verdict_reply(VERDICT_BUSY).text);
}

const struct question_kind question_spf = { ask_spf, busy_spf, true };

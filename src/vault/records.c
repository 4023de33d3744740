// SPDX-License-Identifier: Apache-2.0
/* vault/records.c - which records a domain needs, and why. How they are written down is
 * records_form.c's. */
#include "vault/records.h"

#include "guard/directory.h"

struct gathering {
    const struct records_about *about;
    struct arena *arena;
    struct record *records;
    size_t count;
};

static void add(struct gathering *g, struct record r)
{
    g->records[g->count++] = r;
}

static struct str proof_value(struct gathering *g)
{
    const struct proof_record r = { g->about->relay, g->about->account };
    struct buf text;

    buf_init(&text, PROOF_RECORD_MAX);
    proof_record_write(&text, &r);
    const struct str kept = arena_str(g->arena, buf_str(&text));
    buf_done(&text);
    return kept;
}

static void add_proof(struct gathering *g)
{
    const struct records_about *about = g->about;
    const bool proves = about->method == METHOD_DNS;
    struct str why = about->why;

    if (!proves)
        why = STR("proves the domain by itself, and locks out accounts that it does not name");
    else if (why.len == 0)
        why = STR("proves that the account may use the domain");
    add(g, (struct record){ .need = proves ? RECORD_MUST : RECORD_MAY,
                            .type = "TXT",
                            .name = arena_strf(g->arena, "_baton.%.*s", STR_FMT(about->domain)),
                            .value = proof_value(g),
                            .state = str_of(grant_state_name(about->state)),
                            .why = why });
}

static void add_key(struct gathering *g, const struct records_key *k)
{
    static const struct {
        enum record_need need;
        const char *state, *why;
    } kinds[] = {
        [KEY_PENDING] = { RECORD_MUST, "pending",
                          "a signing key; it signs once every name server shows it" },
        [KEY_ACTIVE] = { RECORD_MUST, "active", "the key that signs" },
        [KEY_RETIRING] = { RECORD_KEEP, "retiring",
                           "an old key: mail that it signed is still on its way" },
    };
    struct str why = k->why.len > 0 ? k->why : str_of(kinds[k->state].why);

    if (k->may_go)
        why = STR("an old key: its record may be removed now");
    add(g, (struct record){ .need = k->may_go ? RECORD_REMOVE : kinds[k->state].need,
                            .type = "TXT",
                            .name = arena_strf(g->arena, "%.*s._domainkey.%.*s",
                                               STR_FMT(k->selector), STR_FMT(g->about->domain)),
                            .value = k->record,
                            .state = str_of(kinds[k->state].state),
                            .why = why });
}

static struct str fact_word(uint32_t facts, uint32_t good, uint32_t bad)
{
    return facts & good ? STR("found") : facts & bad ? STR("missing") : STR("unknown");
}

static void add_spf(struct gathering *g)
{
    const struct records_about *about = g->about;
    struct str why = STR("lets this relay send for the domain (SPF)");

    if (about->facts & FACT_SPF_FAIL)
        why = arena_strf(g->arena,
                         "the SPF record there leaves this relay out: put a:%.*s into it, in front "
                         "of its \"all\"",
                         STR_FMT(about->hostname));
    add(g, (struct record){
               .need = RECORD_SHOULD,
               .type = "TXT",
               .name = about->domain,
               .value = arena_strf(g->arena, "v=spf1 a:%.*s ~all", STR_FMT(about->hostname)),
               .state = fact_word(about->facts, FACT_SPF_PASS, FACT_SPF_NONE | FACT_SPF_FAIL),
               .why = why });
}

static void add_dmarc(struct gathering *g)
{
    const struct records_about *about = g->about;

    add(g, (struct record){
               .need = RECORD_SHOULD,
               .type = "TXT",
               .name = arena_strf(g->arena, "_dmarc.%.*s", STR_FMT(about->domain)),
               .value = arena_strf(g->arena, "v=DMARC1; p=none; rua=mailto:postmaster@%.*s",
                                   STR_FMT(about->domain)),
               .state = fact_word(about->facts, FACT_DMARC, FACT_DMARC_NONE),
               .why = STR("the large receivers want a DMARC policy; p=none is a first one") });
}

static void add_return_domain(struct gathering *g, struct str domain)
{
    const struct str hostname = g->about->hostname;

    add(g, (struct record){ .need = RECORD_SHOULD,
                            .type = "MX",
                            .name = domain,
                            .value = arena_strf(g->arena, "10 %.*s.", STR_FMT(hostname)),
                            .state = STR("unknown"),
                            .why = STR("bounces of the stream come back to this relay") });
    add(g, (struct record){
               .need = RECORD_SHOULD,
               .type = "TXT",
               .name = domain,
               .value = arena_strf(g->arena, "v=spf1 a:%.*s -all", STR_FMT(hostname)),
               .state = STR("unknown"),
               .why = STR("this relay, and nobody else, sends with that return path (SPF)") });
}

/* RFC 6186 §3.1, RFC 8314 §5.1. */
static void add_service(struct gathering *g, const char *service, uint16_t port)
{
    if (port == 0)
        return;
    add(g, (struct record){
               .need = RECORD_MAY,
               .type = "SRV",
               .name = arena_strf(g->arena, "%s._tcp.%.*s", service, STR_FMT(g->about->domain)),
               .value = arena_strf(g->arena, "0 1 %u %.*s.", port, STR_FMT(g->about->hostname)),
               .state = STR("unknown"),
               .why = STR("mail programs find this relay by it (RFC 6186)") });
}

enum { OTHERS_MAX = 5 }; /* proof, SPF, DMARC, two services */

void records_of(const struct records_about *about, struct arena *a, struct record **ret,
                size_t *ret_count)
{
    const size_t most = OTHERS_MAX + about->key_count + 2 * about->return_domain_count;
    struct gathering g = { .about = about, .arena = a };

    g.records = ARENA_ARRAY(a, struct record, most);
    add_proof(&g);
    for (size_t i = 0; i < about->key_count; i++)
        add_key(&g, &about->keys[i]);
    add_spf(&g);
    add_dmarc(&g);
    for (size_t i = 0; i < about->return_domain_count; i++)
        add_return_domain(&g, about->return_domains[i]);
    add_service(&g, "_submissions", about->submissions_port);
    add_service(&g, "_submission", about->submission_port);
    *ret = g.records;
    *ret_count = g.count;
}

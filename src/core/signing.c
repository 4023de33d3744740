// SPDX-License-Identifier: Apache-2.0
/* core/signing.c - which keys sign a job, and the way of a signature: deliver asks, vault signs.
 *
 * Keys are chosen when a job is handed out, so that what waits in the queue is signed by the keys
 * of the day it leaves. A deliver role gets signatures by keys that its job names and no others;
 * whether the account may use the key is vault's to check again. What cannot be signed now waits:
 * nothing leaves unsigned that should be signed (fault Y04). */
#include <stdlib.h>

#include "core/job.h"
#include "guard/domain_name.h"
#include "mail/dkim.h"

/* Beyond the longest that it is tried: the receiver's own queue. */
#define SIGNATURE_SPARE_S (7 * 24 * 3600)
/* A message may be sent in two forms (7-bit); a deliver that asks for more is broken. */
#define ASKED_AT_ONCE_MAX (2 * JOB_SIGNS_MAX)

struct signing {
    uint64_t question, job, key;
};

/* --- choosing --- */

/* For mail of our own, which is no account's: whoever has the domain. */
static struct dir_domain *anyones_grant(const struct core *c, struct str domain)
{
    struct str label;
    bool exact = true;

    do {
        for (struct dir_domain *g = map_find(&c->directory.domains, domain); g; g = g->next)
            if ((exact || (g->flags & DOMAIN_SUBDOMAINS)) && !list_empty(&g->keys))
                return g;
        exact = false;
    } while (str_cut(domain, '.', &label, &domain));
    return NULL;
}

/* Notifications are written by the postmaster. */
static struct dir_domain *own_grant(struct job *j)
{
    struct str local, domain, postmaster = core_postmaster(j->core, &j->arena);

    if (!str_cut_last(postmaster, '@', &local, &domain) || !domain_name(domain, &j->arena, &domain))
        return NULL;
    return anyones_grant(j->core, domain);
}

static struct dir_domain *grant_for(struct job *j)
{
    const struct envelope *e = &j->envelope;
    const struct dir_account *a;

    if (e->flags & ENVELOPE_DSN)
        return own_grant(j);
    if (e->sign_domain.len == 0)
        return NULL;
    a = directory_account(&j->core->directory, e->account);
    return a ? directory_grant(&j->core->directory, a, e->sign_domain) : NULL;
}

/* The stream's own key, else one of no stream. */
static const struct dir_key *key_of(const struct dir_domain *g, uint32_t algorithm, uint64_t stream)
{
    const struct dir_key *common = NULL;

    LIST_EACH (&g->keys, struct dir_key, k, link) {
        if (k->algorithm != algorithm)
            continue;
        if (k->stream != 0 && k->stream == stream)
            return k;
        if (k->stream == 0)
            common = k;
    }
    return common;
}

static void add_sign(struct job *j, const struct dir_key *k, uint64_t account)
{
    const struct envelope *e = &j->envelope;
    struct wire_job_sign *m;

    if (j->sign_count == JOB_SIGNS_MAX)
        return;
    j->signs[j->sign_count++] = (struct job_sign){ .key = k->id, .account = account };
    m = wire_add(j->peer->channel, WIRE_JOB_SIGN, k->domain.len + k->selector.len);
    m->job = j->id;
    m->key = k->id;
    m->signed_s = e->accepted_wall_ms / 1000;
    m->expires_s = m->signed_s + j->core->config->retry.expire_ms / 1000 + SIGNATURE_SPARE_S;
    m->algorithm = k->algorithm;
    wire_put(m, &m->domain, k->domain);
    wire_put(m, &m->selector, k->selector);
}

/* The relay's own keys sign beside (dkim.also_sign), each algorithm once. */
static void add_relay_signs(struct job *j, const struct dir_domain *g, uint64_t account)
{
    uint64_t seen = 0;

    LIST_EACH (&j->core->directory.relay_keys, struct dir_key, k, relay_link) {
        if (k->grant == g || k->algorithm >= 64 || (seen & 1ull << k->algorithm))
            continue;
        seen |= 1ull << k->algorithm;
        add_sign(j, k, account);
    }
}

void signing_choose(struct job *j)
{
    static const uint32_t algorithms[] = { DKIM_ED25519_SHA256, DKIM_RSA_SHA256 };
    const struct envelope *e = &j->envelope;
    struct dir_domain *g;
    uint64_t account = e->account;

    /* The sandbox shows what was handed in; mail from anybody for our own domains is not ours. */
    if (j->peer->kind != ROLE_DELIVER || (account == 0 && !(e->flags & ENVELOPE_DSN)))
        return;
    g = grant_for(j);
    if (g && (e->flags & ENVELOPE_DSN))
        account = g->account->id;
    for (size_t i = 0; g && i < ARRAY_LEN(algorithms); i++) {
        const struct dir_key *k = key_of(g, algorithms[i], e->stream);
        if (k)
            add_sign(j, k, account);
    }
    if (account != 0)
        add_relay_signs(j, g, account);
}

/* --- signatures --- */

static void answer(struct core *c, const struct signing *s, uint16_t code, struct str signature,
                   struct str text)
{
    struct job *j = idmap_find(&c->jobs, s->job);
    struct wire_job_signed *m;

    if (!j || !j->peer->channel)
        return; /* over meanwhile */
    j->signs_asked--;
    m = wire_add(j->peer->channel, WIRE_JOB_SIGNED, signature.len + text.len);
    m->job = s->job;
    m->key = s->key;
    m->code = code;
    wire_put(m, &m->signature, signature);
    wire_put(m, &m->text, text);
}

static const struct job_sign *sign_of(const struct job *j, uint64_t key)
{
    for (size_t i = 0; i < j->sign_count; i++)
        if (j->signs[i].key == key)
            return &j->signs[i];
    return NULL;
}

static void ask_vault(struct core *c, struct job *j, const struct job_sign *sign, struct str hash)
{
    struct signing *s = NEW(struct signing);
    struct wire_sign *m;

    *s = (struct signing){ .question = ++c->last_signing, .job = j->id, .key = sign->key };
    j->signs_asked++;
    if (!c->vault.channel) {
        answer(c, s, 451, STR(""), STR("the signing keys cannot be had now"));
        free(s);
        return;
    }
    idmap_put(&c->signings, s->question, s);
    m = wire_add(c->vault.channel, WIRE_SIGN, hash.len);
    m->question = s->question;
    m->account = sign->account;
    m->key = sign->key;
    wire_put(m, &m->hash, hash);
}

bool signing_on_ask(struct core *c, struct peer *from, const struct wire_sign_ask *m,
                    struct err *err)
{
    struct job *j = idmap_find(&c->jobs, m->job);
    struct str hash = wire_get(m, m->hash);
    const struct job_sign *sign;

    if (!j || j->peer != from)
        return true; /* it has just been called back */
    sign = sign_of(j, m->key);
    if (!sign || hash.len != DKIM_HASH_BYTES)
        return err_set(err, ERR_SYNTAX, "a signature asked for that the job does not name");
    if (j->signs_asked == ASKED_AT_ONCE_MAX)
        return err_set(err, ERR_SYNTAX, "more than %d signatures asked for at once",
                       ASKED_AT_ONCE_MAX);
    ask_vault(c, j, sign, hash);
    return true;
}

void signing_on_signed(struct core *c, const struct wire_signed *m)
{
    struct signing *s = idmap_take(&c->signings, m->question);

    if (!s)
        return; /* asked of the vault before */
    answer(c, s, m->code, wire_get(m, m->signature), wire_get(m, m->text));
    free(s);
}

void signing_vault_gone(struct core *c)
{
    size_t at = 0;
    uint64_t question;
    void *value;

    while (idmap_each(&c->signings, &at, &question, &value)) {
        idmap_take(&c->signings, question);
        answer(c, value, 451, STR(""), STR("the signing keys cannot be had now"));
        free(value);
    }
}

void signing_done(struct core *c)
{
    size_t at = 0;
    uint64_t question;
    void *value;

    while (idmap_each(&c->signings, &at, &question, &value))
        free(value);
    idmap_done(&c->signings);
}

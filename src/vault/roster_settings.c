// SPDX-License-Identifier: Apache-2.0
/* vault/roster_settings.c - what the settings of accounts, streams, people and credentials say, as
 * the values that are looked at while mail flows. They were checked when they were set (fields.h).
 */
#include <assert.h>
#include <stdlib.h>

#include "vault/fields.h"
#include "vault/roster.h"

/* "limit.day.messages" and its siblings stand in the table in the order of the limits. */
static void read_limits(enum field_noun noun, struct str settings,
                        uint64_t limits[DIRECTORY_LIMITS])
{
    size_t count, at = 0;
    const struct field_rule *rules = fields_of(noun, &count);

    for (size_t i = 0; i < count; i++)
        if (str_starts(str_of(rules[i].key), STR("limit.")))
            limits[at++] = fields_number(noun, settings, rules[i].key);
    assert(at == DIRECTORY_LIMITS);
}

static uint32_t account_flags(struct str settings)
{
    static const struct {
        const char *key;
        uint32_t flag;
    } flags[] = {
        { "null_sender", ACCOUNT_NULL_SENDER },
        { "forward", ACCOUNT_FORWARDS },
        { "quota_451", ACCOUNT_QUOTA_451 },
        { "shares_domains", ACCOUNT_SHARES_DOMAINS },
    };
    uint32_t all = 0;

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (fields_true(NOUN_ACCOUNT, settings, flags[i].key))
            all |= flags[i].flag;
    return all;
}

void roster_find_default(struct account *a)
{
    struct str name = fields_get(NOUN_ACCOUNT, a->settings, "default_stream");

    a->default_stream = name.len > 0 ? roster_stream(a, name) : NULL;
}

/* The text in a fresh arena; the old one goes, once the new text, which may lie in it, is copied.
 */
static struct str renew(struct arena *texts, struct str settings)
{
    struct arena fresh;

    arena_init(&fresh, texts->block_size);
    settings = arena_str(&fresh, settings);
    arena_done(texts);
    *texts = fresh;
    return settings;
}

void roster_set_account(struct roster *r, struct account *a, struct str settings)
{
    (void)r;
    settings = renew(&a->texts, settings);
    a->settings = settings;
    a->state = ACCOUNT_SANDBOX + fields_word(NOUN_ACCOUNT, settings, "state");
    a->identity = POLICY_OBSERVE + fields_word(NOUN_ACCOUNT, settings, "identity");
    a->flags = account_flags(settings);
    a->soft_percent = (uint32_t)fields_number(NOUN_ACCOUNT, settings, "soft_percent");
    a->until_wall_ms = (int64_t)fields_number(NOUN_ACCOUNT, settings, "until");
    read_limits(NOUN_ACCOUNT, settings, a->limits);
    a->rewrite_from = fields_get(NOUN_ACCOUNT, settings, "rewrite_from");
    a->forward_domain = fields_get(NOUN_ACCOUNT, settings, "forward_domain");
    a->note = fields_get(NOUN_ACCOUNT, settings, "note");
    roster_find_default(a);
}

void roster_set_stream(struct roster *r, struct stream *s, struct str settings)
{
    (void)r;
    settings = renew(&s->texts, settings);
    s->settings = settings;
    s->kind = STREAM_TRANSACTIONAL + fields_word(NOUN_STREAM, settings, "kind");
    s->preflight = POLICY_OFF + fields_word(NOUN_STREAM, settings, "preflight");
    read_limits(NOUN_STREAM, settings, s->limits);
    s->domain = fields_get(NOUN_STREAM, settings, "domain");
    s->return_domain = fields_get(NOUN_STREAM, settings, "return_domain");
}

static void read_user(struct user *u, struct str settings)
{
    u->settings = settings;
    u->role = USER_OPERATOR_ADMIN + fields_word(NOUN_USER, settings, "role");
    u->suspended = str_eq(fields_get(NOUN_USER, settings, "state"), STR("suspended"));
    u->submits = fields_true(NOUN_USER, settings, "submits");
}

/* The arena holds the password as well. */
static void renew_user(struct user *u, struct str settings, struct str password)
{
    struct arena fresh;

    arena_init(&fresh, u->texts.block_size);
    settings = arena_str(&fresh, settings);
    u->password = arena_str(&fresh, password);
    arena_done(&u->texts);
    u->texts = fresh;
    read_user(u, settings);
}

void roster_set_user(struct roster *r, struct user *u, struct str settings)
{
    (void)r;
    renew_user(u, settings, u->password);
}

void roster_set_password(struct roster *r, struct user *u, struct str password)
{
    (void)r;
    renew_user(u, u->settings, password);
}

static void read_networks(struct credential *c)
{
    struct str rest = fields_get(NOUN_CREDENTIAL, c->settings, "networks"), piece;
    size_t most = 1;

    free(c->networks);
    c->networks = NULL;
    c->network_count = 0;
    if (rest.len == 0)
        return;
    for (size_t i = 0; i < rest.len; i++)
        most += rest.ptr[i] == ',';
    c->networks = NEW_ARRAY(struct ip_net, most);
    while (fields_next(&rest, &piece)) {
        bool ok = ip_net_parse(piece, &c->networks[c->network_count++], NULL);
        assert(ok);
    }
}

void roster_read_credential(struct credential *c, struct str settings)
{
    settings = renew(&c->texts, settings);
    c->settings = settings;
    c->kind = CREDENTIAL_SMTP + fields_word(NOUN_CREDENTIAL, settings, "kind");
    c->normalize = fields_true(NOUN_CREDENTIAL, settings, "normalize");
    c->expires_wall_ms = (int64_t)fields_number(NOUN_CREDENTIAL, settings, "expires");
    c->scopes = fields_get(NOUN_CREDENTIAL, settings, "scopes");
    c->upstream = fields_get(NOUN_CREDENTIAL, settings, "upstream");
    c->value = fields_get(NOUN_CREDENTIAL, settings, "value");
    c->tenant_key = arena_strf(&c->texts, "%.*s\n%.*s", STR_FMT(c->upstream), STR_FMT(c->value));
    struct str stream = fields_get(NOUN_CREDENTIAL, settings, "stream");
    c->stream = stream.len > 0 ? roster_stream(c->account, stream) : NULL;
    read_networks(c);
}

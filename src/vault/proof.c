// SPDX-License-Identifier: Apache-2.0
/* vault/proof.c - the record that proves a domain, and the judge of what servers show of it. */
#include "vault/proof.h"

#include "mail/address.h"

enum { TAGS_MAX = 16, ACCOUNT_ID_MAX = 32, NAMED_MAX = 4 };

/* The record ----------------------------------------------------------------------------------- */

struct tag {
    struct str name, value;
};

static bool tag_name_ok(struct str name)
{
    if (name.len == 0 || !ascii_is_alpha(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!ascii_is_alpha(name.ptr[i]) && !ascii_is_digit(name.ptr[i]) && name.ptr[i] != '_')
            return false;
    return true;
}

static bool tag_value_ok(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < ' ' || value.ptr[i] > '~')
            return false;
    return true;
}

/* All tags, each once; -1: it is not a list of tags. */
static int tags_read(struct str text, struct tag tags[TAGS_MAX])
{
    struct str piece;
    int count = 0;

    while (str_next(&text, ';', &piece)) {
        struct tag t;
        piece = str_trim(piece);
        if (piece.len == 0)
            continue;
        if (count == TAGS_MAX || !str_cut(piece, '=', &t.name, &t.value))
            return -1;
        t.name = str_trim(t.name);
        t.value = str_trim(t.value);
        if (!tag_name_ok(t.name) || !tag_value_ok(t.value))
            return -1;
        for (int i = 0; i < count; i++)
            if (str_eq_nocase(tags[i].name, t.name))
                return -1;
        tags[count++] = t;
    }
    return count;
}

static struct str tag_find(const struct tag *tags, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (str_eq_nocase(tags[i].name, str_of(name)))
            return tags[i].value;
    return STR_NONE;
}

/* Letters and digits: what accounts are called in records; so `*` is nobody. */
static bool account_id_ok(struct str id)
{
    if (id.len == 0 || id.len > ACCOUNT_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!ascii_is_alpha(id.ptr[i]) && !ascii_is_digit(id.ptr[i]))
            return false;
    return true;
}

bool proof_record_read(struct str text, struct proof_record *ret)
{
    struct tag tags[TAGS_MAX];
    struct proof_record r;
    int count;

    if (text.len > PROOF_RECORD_MAX || (count = tags_read(text, tags)) < 0 ||
        !str_eq_nocase(tag_find(tags, count, "v"), STR("baton1")))
        return false;
    r.relay = tag_find(tags, count, "relay");
    r.account = tag_find(tags, count, "account");
    if (r.relay.len > 0 && r.relay.ptr[r.relay.len - 1] == '.')
        r.relay.len--;
    if (!domain_ok(r.relay, /* utf8= */ false) || !account_id_ok(r.account))
        return false;
    *ret = r;
    return true;
}

bool proof_record_write(struct buf *to, const struct proof_record *r)
{
    return buf_addf(to, "v=baton1; relay=%.*s; account=%.*s", STR_FMT(r->relay),
                    STR_FMT(r->account));
}

/* Sight ---------------------------------------------------------------------------------------- */

static bool answered(const struct proof_server *s)
{
    return s->said == DNS_SAID_RECORDS || s->said == DNS_SAID_NO_NAME;
}

/* Among the records of our relay: is there any, and does one name the account? */
static bool server_has(const struct proof_server *s, const struct proof_record *want, bool *ret_any)
{
    bool any = false, named = false;

    for (size_t i = 0; s->said == DNS_SAID_RECORDS && i < s->count; i++) {
        struct proof_record r;
        if (!proof_record_read(s->values[i], &r) || !domain_eq(r.relay, want->relay))
            continue;
        any = true;
        named = named || str_eq(r.account, want->account);
    }
    *ret_any = any;
    return named;
}

bool proof_server_names(const struct proof_server *s, const void *want)
{
    bool any;
    return server_has(s, want, &any);
}

struct proof_sight proof_see_account(const struct proof_look *l, const struct proof_record *want)
{
    struct proof_sight sight = { 0 };

    for (size_t i = 0; i < l->count; i++) {
        if (!answered(&l->servers[i]))
            sight.silent++;
        else if (proof_server_names(&l->servers[i], want))
            sight.with++;
        else
            sight.without++;
    }
    return sight;
}

enum proof_finding proof_finding_of(struct proof_sight s)
{
    if (s.with > 0)
        return s.without == 0 ? PROOF_SHOWN : PROOF_MIXED;
    return s.without > 0 && s.silent == 0 ? PROOF_ABSENT : PROOF_UNKNOWN;
}

enum proof_finding proof_see_lock(const struct proof_look *l, const struct proof_record *want)
{
    size_t answers = 0;

    /* A single server is enough: a veto that is on its way is a veto. */
    for (size_t i = 0; i < l->count; i++) {
        bool any;
        answers += answered(&l->servers[i]);
        if (!server_has(&l->servers[i], want, &any) && any)
            return PROOF_SHOWN;
    }
    return answers > 0 && answers == l->count ? PROOF_ABSENT : PROOF_UNKNOWN;
}

/* Judging -------------------------------------------------------------------------------------- */

static void judge_absent(struct proof_standing *s, const struct proof_rules *r)
{
    if (s->state != GRANT_PROVED)
        return;
    if (s->missing_ms == 0) {
        s->missing_ms = r->now_ms;
    } else {
        int64_t unseen = r->now_ms - s->checked_ms - r->gap_max_ms;
        if (unseen > 0)
            s->missing_ms += unseen;
    }
    if (r->now_ms - s->missing_ms >= r->lost_ms)
        s->state = GRANT_LOST;
}

static void judge_shown(struct proof_standing *s, enum proof_finding lock,
                        const struct proof_rules *r)
{
    s->missing_ms = 0;
    if (s->state == GRANT_PROVED || lock == PROOF_UNKNOWN)
        return; /* nothing is proved anew before the owner's veto could be heard */
    s->state = GRANT_PROVED;
    s->proved_ms = r->now_ms;
}

void proof_judge(struct proof_standing *s, enum proof_finding found, enum proof_finding lock,
                 const struct proof_rules *r)
{
    if (lock == PROOF_SHOWN || lock == PROOF_MIXED) {
        s->state = GRANT_LOCKED;
        s->missing_ms = 0;
    } else if (found == PROOF_SHOWN) {
        judge_shown(s, lock, r);
    } else if (s->state == GRANT_LOCKED && lock == PROOF_ABSENT) {
        s->state = GRANT_PENDING;
    } else if (found == PROOF_MIXED) {
        s->missing_ms = 0;
    } else if (found == PROOF_ABSENT) {
        judge_absent(s, r);
    } else if (s->missing_ms != 0) {
        s->missing_ms += r->now_ms - s->checked_ms;
    }
    s->checked_ms = r->now_ms;
}

/* Words ---------------------------------------------------------------------------------------- */

static bool on_side(const struct proof_server *s, enum proof_side side,
                    bool (*shown)(const struct proof_server *s, const void *arg), const void *arg)
{
    if (side == PROOF_SIDE_SILENT)
        return !answered(s);
    return answered(s) && !shown(s, arg);
}

void proof_name_servers(struct buf *to, const struct proof_look *l, enum proof_side side,
                        bool (*shown)(const struct proof_server *s, const void *arg),
                        const void *arg)
{
    size_t named = 0, more = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (!on_side(&l->servers[i], side, shown, arg))
            continue;
        if (named == NAMED_MAX) {
            more++;
            continue;
        }
        if (named++ > 0)
            buf_add(to, STR(", "));
        buf_add(to, l->servers[i].name.len > 0 ? l->servers[i].name : STR("DNS"));
    }
    if (more > 0)
        buf_addf(to, " and %zu more", more);
}

static const char *const method_names[] = { [METHOD_DNS] = "dns",
                                            [METHOD_HOST] = "host",
                                            [METHOD_ATTESTED] = "attested",
                                            [METHOD_LEASE] = "lease" };
static const char *const state_names[] = { [GRANT_PENDING] = "pending",
                                           [GRANT_PROVED] = "proved",
                                           [GRANT_LOST] = "lost",
                                           [GRANT_LOCKED] = "locked" };

const char *grant_method_name(enum grant_method m)
{
    return method_names[m];
}

const char *grant_state_name(enum grant_state s)
{
    return state_names[s];
}

bool grant_method_of(struct str word, enum grant_method *ret)
{
    for (enum grant_method m = METHOD_DNS; m <= METHOD_LEASE; m++)
        if (str_eq(word, str_of(method_names[m]))) {
            *ret = m;
            return true;
        }
    return false;
}

bool grant_state_of(struct str word, enum grant_state *ret)
{
    for (enum grant_state s = GRANT_PENDING; s <= GRANT_LOCKED; s++)
        if (str_eq(word, str_of(state_names[s]))) {
            *ret = s;
            return true;
        }
    return false;
}

// SPDX-License-Identifier: Apache-2.0
/* vault/attempt.c - one attempt to sign in: with a secret of ours, with a person's password, or by
 * SCRAM; and the answer to it.
 *
 * The same work is done whether the user exists or not (fault A04), and which work that is tells
 * the form of the secret alone: one hash and one comparison for a secret of ours, one argon2id for
 * anything else. The answer to a wrong one waits (slowdown.c); before an argon2id from where many
 * were wrong, the work waits as well. Neither secrets nor what might be one are logged (A06). */
#include <stdlib.h>

#include "base/code.h"
#include "base/log.h"
#include "io/clock.h"
#include "vault/auth.h"
#include "vault/password.h"

enum {
    ANSWERS_WAITING_MAX = 10000,
    PASSWORDS_OF_CLIENT_MAX = 8, /* of one client address, waiting or at work */
    NONCE_BYTES = 18,
    CHALLENGE_BYTES_MAX = 2048,
};

enum phase {
    PHASE_SCRAM, /* the client has the word */
    PHASE_WAITS, /* for its work to begin */
    PHASE_WORKS, /* a worker has it */
    PHASE_ANSWER /* which waits */
};

struct attempt {
    struct vault *vault;
    struct vault_session *session; /* NULL: it has ended while a worker has this */
    enum phase phase;
    enum verdict verdict;
    uint64_t credential, user; /* whose secret it was; 0: nobody's */
    struct timer timer;
    int64_t waited_ms; /* before the work */

    struct scram scram;
    uint32_t step; /* of SCRAM, that comes next */
    bool proved;

    struct list checks_link; /* in vault.checks, in PHASE_WAITS and PHASE_WORKS */
    struct ip client;
    char hash[PASSWORD_HASH_BYTES];
    struct buf secret;
    struct err checked; /* by the worker; ERR_NONE: right */
    struct str name;    /* as the client has given it */
    char name_text[SCRAM_USER_MAX];
};

/* Life ----------------------------------------------------------------------------------------- */

static void on_timer(void *arg);

static struct attempt *attempt_new(struct vault_session *s, struct str name)
{
    struct attempt *a = NEW(struct attempt);

    a->vault = s->accept->vault;
    a->session = s;
    a->client = s->client;
    a->name = str_make(a->name_text, str_sub(name, 0, sizeof a->name_text).len);
    if (a->name.len > 0)
        memcpy(a->name_text, name.ptr, a->name.len);
    list_init(&a->checks_link);
    buf_init(&a->secret, PASSWORD_MAX);
    scram_init(&a->scram);
    timer_init(&a->timer, on_timer, a);
    a->vault->answers_waiting++;
    s->attempt = a;
    return a;
}

static void attempt_free(struct attempt *a)
{
    if (a->session)
        a->session->attempt = NULL;
    timer_clear(&a->timer);
    list_remove(&a->checks_link);
    scram_done(&a->scram);
    if (a->secret.ptr)
        mem_wipe(a->secret.ptr, a->secret.cap);
    buf_done(&a->secret);
    a->vault->answers_waiting--;
    free(a);
}

void attempt_drop(struct vault_session *s)
{
    struct attempt *a = s->attempt;

    if (!a)
        return;
    a->session = NULL;
    s->attempt = NULL;
    if (a->phase != PHASE_WORKS)
        attempt_free(a); /* else it ends when the worker is done */
}

/* Verdicts ------------------------------------------------------------------------------------- */

const char *verdict_text(enum verdict v)
{
    static const char *const texts[VERDICTS] = {
        [VERDICT_RIGHT] = "right",
        [VERDICT_WRONG] = "user or secret is wrong",
        [VERDICT_KIND] = "this credential is of a kind that does not sign in so",
        [VERDICT_SCOPE] = "the API key lacks the scope sends.send",
        [VERDICT_SUBMITS] = "this person may not hand over mail (submits=true is not set)",
        [VERDICT_NETWORK] = "the client is in none of the credential's networks",
        [VERDICT_EXPIRED] = "the credential has expired",
        [VERDICT_SUSPENDED] = "the account, one above it, or the person is suspended",
        [VERDICT_VERIFIER] = "no SCRAM verifier is kept of it: sign in by PLAIN, or rotate it",
    };
    return texts[v];
}

static bool may_send(const struct credential *c)
{
    struct str rest = c->scopes, scope;

    while (str_next(&rest, ',', &scope))
        if (str_eq(scope, STR("sends.send")))
            return true;
    return false;
}

/* A v4-mapped client is its IPv4 address already (A08, base/ip.h). */
static bool is_from_its_networks(const struct credential *c, const struct ip *client)
{
    for (size_t i = 0; i < c->network_count; i++)
        if (ip_net_has(&c->networks[i], client))
            return true;
    return c->network_count == 0;
}

enum verdict verdict_of_credential(const struct credential *c, const struct vault_session *s)
{
    if (c->kind == CREDENTIAL_TENANT)
        return VERDICT_KIND;
    if (c->kind == CREDENTIAL_API && !may_send(c))
        return VERDICT_SCOPE;
    if (!is_from_its_networks(c, &s->client))
        return VERDICT_NETWORK;
    if (c->expires_wall_ms > 0 && c->expires_wall_ms <= clock_wall_ms())
        return VERDICT_EXPIRED;
    if (account_state_of(c->account) == ACCOUNT_SUSPENDED)
        return VERDICT_SUSPENDED;
    return VERDICT_RIGHT;
}

enum verdict verdict_of_user(const struct user *u)
{
    if (!u->submits || !u->account)
        return VERDICT_SUBMITS;
    if (u->suspended || account_state_of(u->account) == ACCOUNT_SUSPENDED)
        return VERDICT_SUSPENDED;
    return VERDICT_RIGHT;
}

/* By a secret, so not a certificate's. */
static enum verdict signing_in(const struct credential *c, const struct vault_session *s)
{
    return c->kind == CREDENTIAL_CERT ? VERDICT_KIND : verdict_of_credential(c, s);
}

/* Answers -------------------------------------------------------------------------------------- */

static void send_failed(const struct vault_session *s, uint16_t code, struct str text)
{
    if (!s->accept->channel)
        return;
    struct wire_auth_failed *f = wire_add(s->accept->channel, WIRE_AUTH_FAILED, text.len);
    f->session = s->id;
    f->code = code;
    wire_put(f, &f->text, text);
}

static void refuse_for_now(const struct vault_session *s)
{
    s->accept->vault->auth_refused++;
    send_failed(s, 454, STR("cannot check right now, try again later"));
}

/* That it is suspended is told to those alone who know the secret. */
static void send_verdict(const struct vault_session *s, enum verdict v)
{
    s->accept->vault->auth_wrong++;
    if (v == VERDICT_SUSPENDED)
        send_failed(s, 525, STR("the account is suspended"));
    else
        send_failed(s, 535, STR("user or secret is wrong"));
}

/* At the end of its wait. Whose secret it was may have gone meanwhile, or changed. */
static void answer_now(struct attempt *a)
{
    struct vault_session *s = a->session;
    struct vault *v = a->vault;
    struct credential *c =
        a->credential ? roster_credential_of_id(&v->roster, a->credential) : NULL;
    struct user *u = a->user ? idmap_find(&v->roster.users_by_id, a->user) : NULL;
    enum verdict verdict = a->verdict;

    attempt_free(a);
    if (verdict == VERDICT_RIGHT)
        verdict = c ? signing_in(c, s) : u ? verdict_of_user(u) : VERDICT_WRONG;
    if (verdict != VERDICT_RIGHT) {
        send_verdict(s, verdict);
    } else if (!v->core.channel) {
        refuse_for_now(s);
    } else {
        v->auth_right++;
        if (c)
            binding_by_credential(s, c, BIND_AUTHENTICATED, 0);
        else
            binding_by_user(s, u);
    }
}

/* A user field that is not a user name may be a secret in the wrong place. */
static void log_failed(const struct attempt *a, int64_t wait_ms)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;
    bool is_name = roster_name_ok(a->name) && !secret_is_ours(a->name);

    log_begin(&l, LOG_INFO, "auth-failed");
    log_cstr(&l, "client", ip_format(&a->client, ip));
    if (is_name)
        log_str(&l, "user", a->name);
    else
        log_cstr(&l, "user", "(not a user name)");
    log_cstr(&l, "why", verdict_text(a->verdict));
    log_num(&l, "answer_in_ms", wait_ms);
    log_end(&l);
}

/* The verdict stands: its answer goes, now or later. */
static void judged(struct attempt *a, enum verdict verdict)
{
    bool right = verdict == VERDICT_RIGHT;
    int64_t wait_ms =
        slowdown_judged(&a->vault->slowdown, &a->client, a->name, right, loop_now_ms()) -
        a->waited_ms;

    a->verdict = verdict;
    a->phase = PHASE_ANSWER;
    list_remove(&a->checks_link);
    if (!right)
        log_failed(a, wait_ms > 0 ? wait_ms : 0);
    if (wait_ms > 0)
        timer_set(&a->timer, loop_now_ms() + wait_ms);
    else
        answer_now(a);
}

/* With a secret of ours ------------------------------------------------------------------------ */

/* The credential whose user and secret these are, or NULL. */
static struct credential *check(struct vault *v, struct str user, struct str secret)
{
    struct credential *c = roster_credential(&v->roster, user);
    uint8_t hash[SECRET_HASH_BYTES];

    secret_hash(v->key, secret, hash);
    v->hashes++;
    bool right = secret_hash_eq(hash, c ? c->hash : v->nobody);
    v->compares++;
    mem_wipe(hash, sizeof hash);
    return right ? c : NULL;
}

static void try_secret(struct vault_session *s, struct str user, struct str secret)
{
    struct attempt *a = attempt_new(s, user);
    struct credential *c = check(a->vault, user, secret);

    a->credential = c ? c->id : 0;
    judged(a, c ? signing_in(c, s) : VERDICT_WRONG);
}

/* With a person's password --------------------------------------------------------------------- */

/* On a worker. */
static void run_check(void *arg)
{
    struct attempt *a = arg;

    if (password_check(str_of(a->hash), buf_str(&a->secret), &a->checked))
        a->checked.kind = ERR_NONE;
}

static void on_checked(void *arg)
{
    struct attempt *a = arg;
    struct user *u = idmap_find(&a->vault->roster.users_by_id, a->user);
    enum verdict verdict = a->checked.kind != ERR_NONE ? VERDICT_WRONG : VERDICT_RIGHT;

    a->vault->passwords_at_work--;
    if (!a->session) {
        attempt_free(a);
    } else if (a->checked.kind == ERR_IO) {
        struct vault_session *s = a->session;
        log_err(LOG_WARN, "password-unchecked", &a->checked);
        attempt_free(a);
        refuse_for_now(s);
    } else {
        /* Another password was set meanwhile: this one was right for the old one. */
        if (!u || !str_eq(u->password, str_of(a->hash)))
            verdict = VERDICT_WRONG;
        judged(a, verdict == VERDICT_RIGHT ? verdict_of_user(u) : verdict);
    }
}

static void begin_work(struct attempt *a)
{
    struct vault_session *s = a->session;

    a->phase = PHASE_WORKS;
    a->vault->passwords++;
    if (worker_submit(a->vault->password_workers, run_check, on_checked, a, NULL)) {
        a->vault->passwords_at_work++;
        return;
    }
    attempt_free(a);
    refuse_for_now(s);
}

static size_t checks_of(const struct vault *v, const struct ip *client)
{
    size_t count = 0;

    LIST_EACH (&v->checks, struct attempt, a, checks_link)
        count += slowdown_same(&a->client, client);
    return count;
}

static void copy_hash(struct attempt *a, const struct user *u)
{
    struct str hash = u && u->password.len > 0 && u->password.len < sizeof a->hash
                          ? u->password
                          : str_of(a->vault->nobody_password);

    memcpy(a->hash, hash.ptr, hash.len);
    a->hash[hash.len] = '\0';
}

static void try_password(struct vault_session *s, struct str name, struct str password)
{
    struct vault *v = s->accept->vault;
    struct user *u = roster_user(&v->roster, name);
    struct attempt *a;

    if (checks_of(v, &s->client) >= PASSWORDS_OF_CLIENT_MAX) {
        refuse_for_now(s);
        return;
    }
    a = attempt_new(s, name);
    a->user = u ? u->id : 0;
    a->phase = PHASE_WAITS;
    list_append(&v->checks, &a->checks_link);
    /* None is longer: what is cut off is wrong all the same. */
    buf_add(&a->secret, str_sub(password, 0, PASSWORD_MAX));
    copy_hash(a, password.len <= PASSWORD_MAX ? u : NULL);
    a->waited_ms = slowdown_before(&v->slowdown, &s->client, loop_now_ms());
    if (a->waited_ms > 0)
        timer_set(&a->timer, loop_now_ms() + a->waited_ms);
    else
        begin_work(a);
}

static void on_timer(void *arg)
{
    struct attempt *a = arg;

    if (a->phase == PHASE_WAITS)
        begin_work(a);
    else
        answer_now(a);
}

/* Both ----------------------------------------------------------------------------------------- */

/* Another attempt begins: one whose client has turned to something else is over. False: accept has
 * not waited for the answer. */
static bool turn_to_another(struct vault_session *s, struct err *err)
{
    if (s->attempt && s->attempt->phase != PHASE_SCRAM)
        return err_set(err, ERR_SYNTAX, "AUTH in a session that waits for an answer");
    attempt_drop(s);
    return true;
}

static bool is_too_busy(const struct vault_session *s)
{
    const struct vault *v = s->accept->vault;

    return !v->core.channel || v->answers_waiting >= ANSWERS_WAITING_MAX;
}

bool attempt_secret(struct vault_session *s, struct str user, struct str secret, struct err *err)
{
    if (!turn_to_another(s, err))
        return false;
    if (is_too_busy(s))
        refuse_for_now(s);
    else if (secret_is_ours(secret))
        try_secret(s, user, secret);
    else
        try_password(s, user, secret);
    return true;
}

/* SCRAM ---------------------------------------------------------------------------------------- */

/* What a name has that is nobody's: always the same salt, and a key that nobody knows. */
static void verifier_of_nobody(struct vault *v, struct str name, struct scram_verifier *ret)
{
    uint8_t salt[SECRET_HASH_BYTES];
    struct buf text;

    buf_init(&text, SCRAM_USER_MAX + 16);
    buf_add(&text, STR("scram salt "));
    buf_add(&text, name);
    secret_hash(v->key, buf_str(&text), salt);
    v->hashes++;
    buf_done(&text);
    *ret = (struct scram_verifier){ .iterations = SCRAM_ITERATIONS };
    memcpy(ret->salt, salt, sizeof ret->salt);
    memcpy(ret->stored_key, v->nobody, sizeof ret->stored_key);
}

static void send_challenge(const struct vault_session *s, struct str message)
{
    if (!s->accept->channel)
        return;
    struct wire_auth_challenge *f = wire_add(s->accept->channel, WIRE_AUTH_CHALLENGE, message.len);
    f->session = s->id;
    wire_put(f, &f->message, message);
}

/* Its form is wrong: that costs nothing and tells nothing, so it is said at once. */
static void misspelt(struct attempt *a, const struct err *why)
{
    struct vault_session *s = a->session;

    attempt_free(a);
    s->accept->vault->auth_wrong++;
    send_failed(s, 501, str_of(why->text));
}

static void make_nonce(struct buf *to)
{
    uint8_t bytes[NONCE_BYTES];

    random_bytes(bytes, sizeof bytes);
    buf_init(to, SCRAM_NONCE_MAX);
    base64_add(to, str_make(bytes, sizeof bytes));
}

static void first_step(struct vault_session *s, struct str message)
{
    struct attempt *a = attempt_new(s, STR(""));
    struct scram_verifier verifier;
    struct buf to, nonce;
    struct err err;

    if (!scram_first(&a->scram, message, &err)) {
        misspelt(a, &err);
        return;
    }
    a->name = a->scram.user;
    const struct credential *c = roster_credential(&a->vault->roster, a->name);
    verifier_of_nobody(a->vault, a->name, &verifier);
    if (c && c->scram.iterations > 0)
        verifier = c->scram;
    a->credential = c ? c->id : 0;
    make_nonce(&nonce);
    buf_init(&to, CHALLENGE_BYTES_MAX);
    scram_challenge(&a->scram, &verifier, buf_str(&nonce), &to);
    a->step = 1;
    send_challenge(s, buf_str(&to));
    buf_done(&to);
    buf_done(&nonce);
}

/* The credential, when it still is what the exchange began with. */
static struct credential *still_there(const struct attempt *a)
{
    struct credential *c =
        a->credential ? roster_credential_of_id(&a->vault->roster, a->credential) : NULL;

    return c && c->scram.iterations > 0 &&
                   secret_hash_eq(c->scram.stored_key, a->scram.verifier.stored_key)
               ? c
               : NULL;
}

static enum verdict verdict_of_proof(const struct attempt *a, bool right)
{
    const struct credential *c =
        a->credential ? roster_credential_of_id(&a->vault->roster, a->credential) : NULL;

    if (c ? c->scram.iterations == 0 : roster_user(&a->vault->roster, a->name) != NULL)
        return VERDICT_VERIFIER;
    c = right ? still_there(a) : NULL;
    return c ? signing_in(c, a->session) : VERDICT_WRONG;
}

static void proof_step(struct attempt *a, struct str message)
{
    enum verdict verdict;
    bool right = false;
    struct buf to;
    struct err err;

    buf_init(&to, CHALLENGE_BYTES_MAX);
    a->vault->compares++;
    if (!scram_final(&a->scram, message, &to, &right, &err)) {
        misspelt(a, &err);
    } else if ((verdict = verdict_of_proof(a, right)) != VERDICT_RIGHT) {
        judged(a, verdict);
    } else {
        a->step = 2;
        send_challenge(a->session, buf_str(&to));
    }
    buf_done(&to);
}

/* The client has seen our proof, and has nothing to add (RFC 4954 §4). */
static void last_step(struct attempt *a, struct str message)
{
    const struct credential *c = still_there(a);
    struct err err;

    if (message.len > 0) {
        (void)err_set(&err, ERR_SYNTAX, "SCRAM: an empty answer is wanted last");
        misspelt(a, &err);
        return;
    }
    judged(a, c ? signing_in(c, a->session) : VERDICT_WRONG);
}

bool attempt_step(struct vault_session *s, uint32_t step, struct str message, struct err *err)
{
    if (step == 0) {
        if (!turn_to_another(s, err))
            return false;
        if (is_too_busy(s))
            refuse_for_now(s);
        else
            first_step(s, message);
        return true;
    }
    if (!s->attempt || s->attempt->phase != PHASE_SCRAM || s->attempt->step != step)
        return err_set(err, ERR_SYNTAX, "step %u of SCRAM is not due", step);
    if (step == 1)
        proof_step(s->attempt, message);
    else
        last_step(s->attempt, message);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* io/stream_test.c - streams and listeners over loopback, in the clear and over TLS. */
#include "io/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "io/fiber_sanitize.h"
#include "io/loop.h"
#include "io/sockaddr.h"
#include "io/tls_real.h"

#define SOON (loop_now_ms() + 20000) /* never reached, unless something hangs */

static struct listener *listener;
static struct stream *server, *client;

static void accepted(void *arg, struct stream *s)
{
    (void)arg;
    assert_null(server);
    server = s;
}

static struct endpoint loopback(uint16_t port)
{
    return (struct endpoint){ .ip = ip_make4((const uint8_t[]){ 127, 0, 0, 1 }), .port = port };
}

static int setup(void **state)
{
    struct endpoint at = loopback(0);
    struct err err;

    (void)state;
    loop_init();
    if (!listener_new(&at, &listener, &err))
        fail_msg("%s", err.text);
    listener_start(listener, accepted, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    listener_free(listener);
    return 0;
}

/* A connected pair for each test. */
static int connect_pair(void **state)
{
    struct endpoint at = listener_local(listener);
    struct err err;

    (void)state;
    if (!stream_connect(&at, NULL, SOON, &client, &err))
        fail_msg("%s", err.text);
    while (server == NULL)
        loop_turn(NO_DEADLINE);
    return 0;
}

static int free_pair(void **state)
{
    (void)state;
    stream_free(client);
    stream_free(server);
    client = server = NULL;
    return 0;
}

static void say(struct stream *s, struct str text)
{
    struct err err;

    if (!stream_put(s, text, &err) || !stream_flush(s, &err))
        fail_msg("%s", err.text);
}

static void expect(struct stream *s, struct str want)
{
    struct err err;

    while (stream_window(s).len < want.len)
        if (!stream_fill(s, SOON, &err))
            fail_msg("%s", err.text);
    assert_memory_equal(stream_window(s).ptr, want.ptr, want.len);
    stream_take(s, want.len);
}

static void expect_end(struct stream *s, enum err_kind want)
{
    struct err err = { .kind = ERR_NONE };

    for (int i = 0; i < 2; i++) { /* and again: it is remembered */
        assert_false(stream_fill(s, SOON, &err));
        assert_int_equal(err.kind, want);
    }
    assert_true(stream_readable(s));
}

/* In the clear --------------------------------------------------------------------------------- */

static void test_bytes_go_both_ways(void **state)
{
    struct endpoint peer = stream_peer(client), local = stream_local(server);

    (void)state;
    assert_int_equal(peer.port, local.port);
    assert_true(ip_eq(&peer.ip, &local.ip));
    assert_null(stream_tls(client));
    say(client, STR("EHLO a\r\n"));
    expect(server, STR("EHLO "));
    expect(server, STR("a\r\n"));
    say(server, STR("250 b\r\n"));
    expect(client, STR("250 b\r\n"));
    assert_int_equal(stream_window(client).len, 0);
}

static void test_put_sends_nothing_before_flush(void **state)
{
    struct err err;

    (void)state;
    assert_true(stream_put(client, STR("QUIT\r\n"), &err));
    loop_turn(0);
    assert_false(stream_readable(server));
    assert_true(stream_flush(client, &err));
    expect(server, STR("QUIT\r\n"));
}

static void test_readable_without_waiting(void **state)
{
    (void)state;
    assert_false(stream_readable(server));
    say(client, STR("early"));
    assert_true(stream_readable(server));
    expect(server, STR("early"));
    assert_false(stream_readable(server));
    stream_free(client);
    client = NULL;
    assert_true(stream_readable(server));
    expect_end(server, ERR_CLOSED);
}

static void test_read_times_out(void **state)
{
    struct err err;

    (void)state;
    assert_false(stream_fill(server, loop_now_ms() + 1, &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    say(client, STR("late")); /* a timeout ends nothing */
    expect(server, STR("late"));
}

static void test_last_bytes_come_before_the_end(void **state)
{
    (void)state;
    say(client, STR("bye"));
    stream_free(client);
    client = NULL;
    loop_turn(0);
    expect(server, STR("bye"));
    expect_end(server, ERR_CLOSED);
}

static void reader_is_cancelled(void *arg)
{
    struct err err = { .kind = ERR_NONE };

    assert_false(stream_fill(server, NO_DEADLINE, &err));
    *(enum err_kind *)arg = err.kind;
}

static void test_read_is_cancelled(void **state)
{
    enum err_kind kind = ERR_NONE;
    struct fiber *f = fiber_spawn("reader", reader_is_cancelled, &kind);

    (void)state;
    loop_turn(0);
    fiber_cancel(f);
    while (fiber_count() > 0)
        loop_turn(NO_DEADLINE);
    assert_int_equal(kind, ERR_CANCELLED);
}

static void test_window_is_bounded(void **state)
{
    static char block[STREAM_WINDOW_MAX + 10];
    struct err err;

    (void)state;
    memset(block, 'x', sizeof block);
    say(client, str_make(block, sizeof block));
    while (stream_window(server).len < STREAM_WINDOW_MAX)
        assert_true(stream_fill(server, SOON, &err));
    assert_false(stream_fill(server, SOON, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    stream_take(server, 20);
    expect(server, str_make(block, sizeof block - 20));
}

/* Much more than sockets buffer: the writer waits, the reader takes odd pieces. */
#define FLOOD_BYTES (8u * 1024 * 1024)

static void flood(void *arg)
{
    struct stream *s = arg;
    char block[1000];
    struct err err;

    for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof block) {
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (char)((sent + i) % 251);
        if (!stream_put(s, str_make(block, sizeof block), &err))
            fail_msg("%s", err.text);
    }
    if (!stream_flush(s, &err))
        fail_msg("%s", err.text);
}

static void drain(struct stream *s)
{
    const size_t all = (FLOOD_BYTES + 999) / 1000 * 1000;
    struct err err;
    size_t at = 0;

    while (at < all) {
        struct str w = stream_window(s);
        size_t n = w.len > 777 && at % 3 != 0 ? 777 : w.len;

        for (size_t i = 0; i < n; i++, at++)
            if (w.ptr[i] != (char)(at % 251))
                fail_msg("byte %zu is wrong", at);
        stream_take(s, n);
        if (at < all && stream_window(s).len == 0 && !stream_fill(s, SOON, &err))
            fail_msg("%s", err.text);
    }
}

static void test_flood_with_partial_writes(void **state)
{
    (void)state;
    fiber_spawn("flood", flood, client);
    drain(server);
    while (fiber_count() > 0)
        loop_turn(NO_DEADLINE);
}

static void test_write_times_out(void **state)
{
    static char block[64 * 1024];
    struct err err = { .kind = ERR_NONE };

    (void)state;
    stream_set_write_timeout(client, 1);
    while (stream_put(client, str_make(block, sizeof block), &err))
        continue;
    assert_int_equal(err.kind, ERR_TIMEOUT);
}

static void test_N01_write_to_a_dead_peer(void **state)
{
    struct err err = { .kind = ERR_NONE };

    (void)state;
    say(server, STR("unread, so that closing resets"));
    loop_turn(0);
    stream_free(client);
    client = NULL;
    for (int i = 0; i < 100 && err.kind == ERR_NONE; i++) { /* no SIGPIPE */
        if (!stream_put(server, STR("x"), &err) || !stream_flush(server, &err))
            break;
        loop_turn(1);
    }
    assert_int_equal(err.kind, ERR_IO);
    assert_true(err.sys == EPIPE || err.sys == ECONNRESET);
}

/* Connecting and listening --------------------------------------------------------------------- */

static void test_connect_refused(void **state)
{
    struct endpoint at = loopback(1), source_at = listener_local(listener);
    struct ip source;
    struct stream *s;
    struct err err;

    (void)state;
    assert_false(stream_connect(&at, NULL, SOON, &s, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(err.sys, ECONNREFUSED);

    source = ip_make4((const uint8_t[]){ 192, 0, 2, 77 }); /* fault N09: not ours */
    assert_false(stream_connect(&source_at, &source, SOON, &s, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(err.sys, EADDRNOTAVAIL);
}

static void test_connect_from_source(void **state)
{
    struct endpoint at = listener_local(listener);
    struct ip source = ip_make4((const uint8_t[]){ 127, 0, 0, 9 });
    struct endpoint peer;
    struct err err;

    (void)state;
    assert_true(stream_connect(&at, &source, SOON, &client, &err));
    while (server == NULL)
        loop_turn(NO_DEADLINE);
    peer = stream_peer(server);
    assert_true(ip_eq(&peer.ip, &source));
}

static void test_listen_refused(void **state)
{
    struct endpoint taken = listener_local(listener);
    struct listener *l;
    struct err err;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_false(listener_new(&taken, &l, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(err.sys, EADDRINUSE);
    assert_false(listener_from_fd(fd, &l, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    close(fd);
    assert_false(listener_from_fd(fd, &l, &err));
    assert_int_equal(err.kind, ERR_IO);
}

static void test_paused_listener_accepts_later(void **state)
{
    struct endpoint at = listener_local(listener);
    struct err err;

    (void)state;
    listener_pause(listener);
    assert_true(stream_connect(&at, NULL, SOON, &client, &err)); /* into the backlog */
    loop_turn(0);
    loop_turn(0);
    assert_null(server);
    listener_start(listener, accepted, NULL);
    while (server == NULL)
        loop_turn(NO_DEADLINE);
}

static void test_D09_no_descriptors_pauses(void **state)
{
    struct endpoint at = listener_local(listener);
    struct rlimit before, few;
    struct err err;
    int turns = 0;

    (void)state;
#ifdef RUNNING_ON_VALGRIND
    if (RUNNING_ON_VALGRIND)
        skip(); /* it takes the connection, then drops it and says EMFILE itself */
#endif
    listener_pause(listener);
    assert_true(stream_connect(&at, NULL, SOON, &client, &err));
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &few);
    listener_start(listener, accepted, NULL);
    loop_turn(NO_DEADLINE); /* sees the connection, gets EMFILE */
    setrlimit(RLIMIT_NOFILE, &before);
    assert_null(server);
    while (server == NULL) {
        loop_turn(NO_DEADLINE);
        turns++;
    }
    assert_true(turns < 10); /* it did not spin */
}

static void frees_listener(void *arg, struct stream *s)
{
    struct listener **l = arg;

    stream_free(s);
    listener_free(*l);
    *l = NULL;
}

static void test_listener_freed_by_its_callback(void **state)
{
    struct endpoint at = loopback(0);
    struct listener *l;
    struct err err;

    (void)state;
    assert_true(listener_new(&at, &l, &err));
    listener_start(l, frees_listener, &l);
    at = listener_local(l);
    assert_true(stream_connect(&at, NULL, SOON, &client, &err));
    while (l != NULL)
        loop_turn(NO_DEADLINE);
}

/* TLS ------------------------------------------------------------------------------------------ */

static struct buf cert_pem, key_pem;
static struct tls_server *tls_server;
static struct tls_client *tls_any, *tls_named;
static char ca_path[] = "/tmp/stream_test_ca_XXXXXX";

static void add_pem(struct buf *to, BIO *bio)
{
    char *ptr;
    long len = BIO_get_mem_data(bio, &ptr);

    buf_init(to, 64 * 1024);
    assert_true(buf_add(to, str_make(ptr, (size_t)len)));
    BIO_free(bio);
}

/* A certificate that signs itself, for mx.test and 127.0.0.1. */
static void make_certificate(struct buf *cert, struct buf *key)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:mx.test,IP:127.0.0.1");
    BIO *bio = BIO_new(BIO_s_mem());

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"mx.test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, pair);
    X509_add_ext(x, names, -1);
    assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
    PEM_write_bio_X509(bio, x);
    add_pem(cert, bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    add_pem(key, bio);
    X509_EXTENSION_free(names);
    X509_free(x);
    EVP_PKEY_free(pair);
}

static int tls_setup(void **state)
{
    struct err err;
    int fd;

    setup(state);
    make_certificate(&cert_pem, &key_pem);
    fd = mkstemp(ca_path);
    assert_true(write(fd, cert_pem.ptr, cert_pem.len) == (ssize_t)cert_pem.len);
    close(fd);
    if (!tls_server_new(buf_str(&cert_pem), buf_str(&key_pem), &tls_server, &err) ||
        !tls_client_new(TLS_VERIFY_NONE, NULL, &tls_any, &err) ||
        !tls_client_new(TLS_VERIFY_NAME, ca_path, &tls_named, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int tls_teardown(void **state)
{
    tls_server_free(tls_server);
    tls_client_free(tls_any);
    tls_client_free(tls_named);
    tls_client_free(NULL);
    tls_server_free(NULL);
    unlink(ca_path);
    buf_done(&cert_pem);
    buf_done(&key_pem);
    return teardown(state);
}

struct server_side {
    bool ok, discarded;
    struct err err;
};

static void serve_tls(void *arg)
{
    struct server_side *side = arg;

    side->ok = stream_start_tls_server(server, tls_server, SOON, &side->discarded, &side->err);
}

/* Both handshakes; false with the client's err. */
static bool shake_hands(struct tls_client *tls, struct str name, struct server_side *side,
                        bool *ret_discarded, struct err *err)
{
    bool ok;

    *side = (struct server_side){ .ok = false };
    fiber_spawn("server", serve_tls, side);
    ok = stream_start_tls_client(client, tls, name, SOON, ret_discarded, err);
    while (fiber_count() > 0)
        loop_turn(NO_DEADLINE);
    return ok;
}

static void must_shake_hands(void)
{
    struct server_side side;
    struct err err;

    if (!shake_hands(tls_any, STR("mx.test"), &side, NULL, &err))
        fail_msg("client: %s", err.text);
    if (!side.ok)
        fail_msg("server: %s", side.err.text);
}

static void test_tls_both_ways(void **state)
{
    (void)state;
    must_shake_hands();
    assert_string_equal(stream_tls(client)->protocol, "TLSv1.3");
    assert_string_equal(stream_tls(client)->cipher, stream_tls(server)->cipher);
    assert_true(stream_tls(client)->bits >= 128);
    assert_false(stream_tls(client)->verified);
    say(client, STR("EHLO a\r\n"));
    expect(server, STR("EHLO a\r\n"));
    assert_false(stream_readable(server));
    say(server, STR("250 b\r\n"));
    expect(client, STR("250 b\r\n"));
    assert_false(stream_readable(client)); /* though a session ticket came */
    stream_free(client);                   /* with close_notify */
    client = NULL;
    expect_end(server, ERR_CLOSED);
}

/* Gives `tls` a certificate to show, whose SHA-256 is returned; the server asks for one. */
static void show_certificate(struct tls_client *tls, uint8_t ret_sha256[32])
{
    struct buf cert, key;
    unsigned len;

    make_certificate(&cert, &key);
    BIO *cert_bio = BIO_new_mem_buf(cert.ptr, (int)cert.len);
    BIO *key_bio = BIO_new_mem_buf(key.ptr, (int)key.len);
    X509 *x = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
    EVP_PKEY *pair = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);

    assert_int_equal(SSL_CTX_use_certificate(tls->ctx, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls->ctx, pair), 1);
    assert_int_equal(X509_digest(x, EVP_sha256(), ret_sha256, &len), 1);
    EVP_PKEY_free(pair);
    X509_free(x);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    buf_done(&cert);
    buf_done(&key);
}

static void test_R09_tls_tells_the_client_certificate(void **state)
{
    uint8_t sha256[32];
    struct server_side side;
    struct tls_server *before = tls_server;
    struct tls_client *shows;
    struct err err;

    (void)state;
    assert_true(tls_client_new(TLS_VERIFY_NONE, NULL, &shows, &err));
    show_certificate(shows, sha256);
    assert_true(tls_server_new(buf_str(&cert_pem), buf_str(&key_pem), &tls_server, &err));
    assert_true(shake_hands(shows, STR("mx.test"), &side, NULL, &err));
    assert_true(side.ok);
    assert_false(stream_tls(server)->shown); /* it was not asked for */

    free_pair(state);
    connect_pair(state);
    tls_server_ask_certificate(tls_server);
    must_shake_hands();
    assert_false(stream_tls(server)->shown); /* it has none */

    free_pair(state);
    connect_pair(state);
    assert_true(shake_hands(shows, STR("mx.test"), &side, NULL, &err));
    assert_true(side.ok);
    assert_true(stream_tls(server)->shown);
    assert_memory_equal(stream_tls(server)->sha256, sha256, sizeof sha256);
    assert_false(stream_tls(server)->verified); /* whoever issued it */
    tls_client_free(shows);
    tls_server_free(tls_server);
    tls_server = before;
}

static void test_tls_flood(void **state)
{
    (void)state;
    must_shake_hands();
    fiber_spawn("flood", flood, client);
    drain(server);
    while (fiber_count() > 0)
        loop_turn(NO_DEADLINE);
}

static const struct verify_case {
    const char *name;
    struct str host;
    bool verifies, ok;
} verify_cases[] = {
    { "right name", STR("mx.test"), true, true },
    { "right name, other case", STR("MX.Test"), true, true },
    { "right address", STR("127.0.0.1"), true, true },
    { "wrong name", STR("mx2.test"), true, false },
    { "wrong address", STR("127.0.0.2"), true, false },
    { "no name", STR(""), true, false },
    { "name with NUL", STR("mx.test\0.evil"), true, false },
    { "wrong name, believes nothing", STR("mx2.test"), false, true },
    { "no name, believes nothing", STR(""), false, true },
};

static void test_tls_verifies_names(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(verify_cases); i++) {
        const struct verify_case *c = &verify_cases[i];
        struct server_side side;
        struct err err = { .kind = ERR_NONE };
        bool ok;

        connect_pair(state);
        fiber_spawn("server", serve_tls, &side);
        ok = stream_start_tls_client(client, c->verifies ? tls_named : tls_any, c->host, SOON, NULL,
                                     &err);
        if (ok != c->ok)
            fail_msg("%s: %s", c->name, err.text);
        if (ok)
            assert_int_equal(stream_tls(client)->verified, c->verifies);
        else
            assert_int_equal(err.kind, ERR_TLS);
        stream_free(client);
        client = NULL;
        while (fiber_count() > 0)
            loop_turn(NO_DEADLINE);
        free_pair(state);
    }
}

static void test_B03_clear_text_after_starttls_is_discarded(void **state)
{
    struct server_side side;
    struct err err;

    (void)state;
    say(client, STR("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n"));
    expect(server, STR("STARTTLS\r\n"));
    assert_true(shake_hands(tls_any, STR("mx.test"), &side, NULL, &err));
    assert_true(side.ok && side.discarded);
    assert_int_equal(stream_window(server).len, 0);
    say(client, STR("EHLO a\r\n"));
    expect(server, STR("EHLO a\r\n"));
}

static void test_B04_response_injection_is_discarded(void **state)
{
    struct server_side side;
    struct err err;
    bool discarded = false;

    (void)state;
    say(server, STR("220 go\r\n250 injected\r\n"));
    expect(client, STR("220 go\r\n"));
    assert_true(shake_hands(tls_any, STR("mx.test"), &side, &discarded, &err));
    assert_true(discarded && side.ok && !side.discarded);
    say(server, STR("250 real\r\n"));
    expect(client, STR("250 real\r\n"));
}

static void test_N07_truncation_is_not_an_end(void **state)
{
    struct err err;

    (void)state;
    must_shake_hands();
    say(client, STR("250 half a re"));
    expect(server, STR("250 half a re"));
    /* The connection ends below TLS: no close_notify. */
    struct endpoint at = stream_local(client);
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_storage a = { 0 };
        socklen_t len = sizeof a;

        if (getsockname(fd, (struct sockaddr *)&a, &len) != 0 ||
            sockaddr_endpoint(&a).port != at.port)
            continue;
        len = sizeof a;
        if (getpeername(fd, (struct sockaddr *)&a, &len) == 0)
            shutdown(fd, SHUT_WR);
    }
    expect_end(server, ERR_TLS);
    assert_false(stream_fill(server, SOON, &err));
}

static void test_handshake_refuses_garbage(void **state)
{
    struct server_side side;

    (void)state;
    fiber_spawn("server", serve_tls, &side);
    say(client, STR("this is no TLS at all, it is plain text\r\n"));
    while (fiber_count() > 0)
        loop_turn(NO_DEADLINE);
    assert_false(side.ok);
    assert_int_equal(side.err.kind, ERR_TLS);
    expect_end(server, ERR_TLS);
}

static void test_handshake_times_out(void **state)
{
    struct err err;

    (void)state;
    assert_false(stream_start_tls_server(server, tls_server, loop_now_ms() + 1, NULL, &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
}

static void test_handshake_with_the_peer_gone(void **state)
{
    struct err err;

    (void)state;
    stream_free(client);
    client = NULL;
    assert_false(stream_start_tls_server(server, tls_server, SOON, NULL, &err));
    assert_int_equal(err.kind, ERR_TLS);
}

static void test_tls_contexts_refuse(void **state)
{
    struct buf other_cert, other_key;
    struct tls_server *t;
    struct tls_client *c;
    struct err err;
    char print[96];

    (void)state;
    make_certificate(&other_cert, &other_key);
    const struct {
        struct str chain, key;
    } bad[] = {
        { STR(""), buf_str(&key_pem) },
        { STR("rubbish"), buf_str(&key_pem) },
        { buf_str(&cert_pem), STR("") },
        { buf_str(&cert_pem), buf_str(&other_key) },
        { buf_str(&key_pem), buf_str(&cert_pem) },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(tls_server_new(bad[i].chain, bad[i].key, &t, &err));
        assert_int_equal(err.kind, ERR_TLS);
    }
    assert_false(tls_client_new(TLS_VERIFY_NAME, "/nonexistent/ca.pem", &c, &err));
    assert_int_equal(err.kind, ERR_TLS);

    assert_true(tls_fingerprint(buf_str(&cert_pem), print, &err));
    assert_int_equal(strlen(print), 95);
    assert_false(tls_fingerprint(STR("rubbish"), print, &err));
    assert_int_equal(err.kind, ERR_TLS);
    buf_done(&other_cert);
    buf_done(&other_key);
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, connect_pair, free_pair)
#define LONE_TEST(f) cmocka_unit_test_setup_teardown(f, NULL, free_pair)

int main(void)
{
    const struct CMUnitTest clear[] = {
        PAIR_TEST(test_bytes_go_both_ways),
        PAIR_TEST(test_put_sends_nothing_before_flush),
        PAIR_TEST(test_readable_without_waiting),
        PAIR_TEST(test_read_times_out),
        PAIR_TEST(test_last_bytes_come_before_the_end),
        PAIR_TEST(test_read_is_cancelled),
        PAIR_TEST(test_window_is_bounded),
        PAIR_TEST(test_flood_with_partial_writes),
        PAIR_TEST(test_write_times_out),
        PAIR_TEST(test_N01_write_to_a_dead_peer),
        LONE_TEST(test_connect_refused),
        LONE_TEST(test_connect_from_source),
        LONE_TEST(test_listen_refused),
        LONE_TEST(test_paused_listener_accepts_later),
        LONE_TEST(test_D09_no_descriptors_pauses),
        LONE_TEST(test_listener_freed_by_its_callback),
    };
    const struct CMUnitTest tls[] = {
        PAIR_TEST(test_tls_both_ways),
        PAIR_TEST(test_R09_tls_tells_the_client_certificate),
        PAIR_TEST(test_tls_flood),
        LONE_TEST(test_tls_verifies_names),
        PAIR_TEST(test_B03_clear_text_after_starttls_is_discarded),
        PAIR_TEST(test_B04_response_injection_is_discarded),
        PAIR_TEST(test_N07_truncation_is_not_an_end),
        PAIR_TEST(test_handshake_refuses_garbage),
        PAIR_TEST(test_handshake_times_out),
        PAIR_TEST(test_handshake_with_the_peer_gone),
        LONE_TEST(test_tls_contexts_refuse),
    };

    return cmocka_run_group_tests_name("io/stream", clear, setup, teardown) +
           cmocka_run_group_tests_name("io/stream TLS", tls, tls_setup, tls_teardown);
}

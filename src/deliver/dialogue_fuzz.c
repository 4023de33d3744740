// SPDX-License-Identifier: Apache-2.0
/* deliver/dialogue_fuzz.c - a server that says arbitrary octets: the dialogue ends, within its
 * bounds, and never calls that a success which the octets cannot mean.
 *
 * The first octet chooses LMTP and the size of the message, the others are all that the server
 * says, at once. */
#include <assert.h>
#include <stdlib.h>

#include "deliver/dialogue.h"
#include "io/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct config_timeouts timeouts = {
    .greeting_ms = 1,
    .helo_ms = 1,
    .mail_ms = 1,
    .rcpt_ms = 1,
    .data_ms = 1,
    .data_block_ms = 50,
    .data_end_ms = 1,
    .quit_ms = 1,
    .tls_ms = 1,
};

static struct str said;
static struct stream *server;

static void accepted(void *arg, struct stream *s)
{
    struct err err;

    (void)arg;
    server = s;
    if (!stream_put(s, said, &err) || !stream_flush(s, &err))
        return;
}

static struct stream *connect_to_server(void)
{
    static struct listener *listener;
    struct endpoint at = { .ip = ip_make4((const uint8_t[]){ 127, 0, 0, 1 }) };
    struct stream *client;
    struct err err;

    if (!listener) {
        loop_init();
        if (!listener_new(&at, &listener, &err))
            abort();
        listener_start(listener, accepted, NULL);
    }
    at = listener_local(listener);
    server = NULL;
    if (!stream_connect(&at, &(struct ip){ 0 }, loop_now_ms() + 5000, &client, &err))
        abort();
    while (!server)
        loop_turn(10);
    return client;
}

static bool next(void *arg, struct str *ret, bool *ret_last, struct err *err)
{
    (void)err;
    *ret = *(struct str *)arg;
    *ret_last = true;
    return true;
}

static void offer(struct dialogue *d, struct str content)
{
    struct batch_rcpt rcpts[2] = { 0 };
    struct batch b = { .rcpts = rcpts,
                       .rcpt_count = 2,
                       .content = { .next = next, .arg = &content } };
    struct err err;

    for (size_t i = 0; i < 2; i++)
        rcpts[i].address = (struct address){ .local = STR("a"), .domain = STR("b.test") };
    if (!dialogue_offer(d, &b, &err))
        return;
    if (reply_ok(&b.reply)) {
        assert(b.all_sent && b.accepted > 0);
        assert(extensions_have(&d->ext, EXT_CHUNKING) || str_find(said, STR("354")) < said.len);
    }
}

static void converse(struct dialogue *d, struct str content)
{
    struct reply reply;
    struct err err;

    if (!dialogue_greeting(d, &reply, &err) || !reply_ok(&reply))
        return;
    if (!dialogue_hello(d, &reply, &err) || !reply_ok(&reply) || d->closing)
        return;
    offer(d, content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char content[100 * 1024];
    struct dialogue d;
    struct arena arena;

    if (size < 1)
        return 0;
    said = str_make(data + 1, size - 1);
    memset(content, '.', sizeof(content));
    arena_init(&arena, 1024);
    dialogue_init(&d, connect_to_server(),
                  &(struct dialogue_options){
                      .helo = STR("us.test"), .lmtp = data[0] & 1, .timeouts = &timeouts },
                  &arena);
    converse(&d, str_make(content, data[0] & 2 ? sizeof(content) : 10));
    dialogue_done(&d);
    stream_free(server);
    arena_done(&arena);
    return 0;
}

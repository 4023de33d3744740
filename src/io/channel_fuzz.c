// SPDX-License-Identifier: Apache-2.0
/* io/channel_fuzz.c - packets from a peer that may say anything: what is handed over as frames must
 * be the packet, whole and in order, or the channel ends. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/channel_carrier.h"
#include "io/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of the packet that were seen as frames so far. */
struct seen {
    const char *next;
    size_t len;
    bool closed;
};

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct seen *s = owner;

    (void)c, (void)err;
    assert((const char *)f == s->next && f->len % 8 == 0 && f->len >= sizeof *f);
    assert(f->len <= FRAME_BYTES_MAX && f->flags == 0);
    s->next += f->len;
    s->len += f->len;
    return true;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct seen *s = owner;

    (void)c;
    assert(why->kind == ERR_SYNTAX && s->len == 0);
    s->closed = true;
}

static bool send_nowhere(void *carrier, const struct packet *p)
{
    (void)carrier, (void)p;
    return true;
}

static void free_nothing(void *carrier)
{
    (void)carrier;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct channel_carrier nowhere = { send_nowhere, free_nothing };
    static const struct channel_events events = { on_frame, on_closed };
    struct seen seen = { .len = 0 };
    char *bytes = mem_new(size + 1); /* its own, so that ASan sees its end; aligned */
    struct packet p = { .bytes = { bytes, size } };
    struct channel *c;
    bool stays;

    loop_init();
    if (size > 0)
        memcpy(bytes, data, size);
    seen.next = bytes;
    c = channel_on(&nowhere, &seen, 0);
    channel_set_owner(c, &events, &seen);
    stays = channel_carrier_packet(c, &p);
    assert(stays ? seen.len == size && !seen.closed : seen.closed);
    channel_free(c);
    free(bytes);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* io/channel_test.c - channels: every test runs over a socket pair and over a pair joined in this
 * process, which must not be told apart. */
#include "io/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop.h"

/* A frame of these tests. */
struct count {
    struct frame head;
    uint64_t number;
    char more[64];
};

struct side {
    struct channel *c;
    uint64_t next; /* the number that must come */
    size_t frames;
    int fds[32];
    size_t fd_count;
    bool closed;
    enum err_kind why;
    bool answers, frees, refuses;
};

static struct side a, b;

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct side *s = owner;
    const struct count *n = (const struct count *)(const void *)f;
    int fd;

    assert_ptr_equal(channel_owner(c), s);
    assert_int_equal(f->type, 7);
    assert_int_equal(n->number, s->next++);
    s->frames++;
    while ((fd = channel_take_fd(c)) >= 0)
        s->fds[s->fd_count++] = fd;
    if (s->refuses)
        return err_set(err, ERR_DENIED, "not from you");
    if (s->answers) {
        struct count *back = channel_add(c, 7, sizeof *back);

        back->number = n->number;
        channel_flush(c);
    }
    if (s->frees) {
        channel_free(c);
        s->c = NULL;
    }
    return true;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct side *s = owner;

    assert_false(s->closed);
    assert_false(channel_is_open(c));
    s->closed = true;
    s->why = why->kind;
}

static const struct channel_events events = { on_frame, on_closed };

static void add(struct side *s, uint64_t number)
{
    struct count *n = channel_add(s->c, 7, sizeof *n);

    assert_int_equal(n->head.len, sizeof *n);
    assert_int_equal(n->number, 0);
    n->number = number;
}

static int setup_pair(void **state)
{
    (void)state;
    a = b = (struct side){ .c = NULL };
    channel_pair(10, &a.c, 20, &b.c);
    channel_set_owner(a.c, &events, &a);
    channel_set_owner(b.c, &events, &b);
    return 0;
}

static int setup_sockets(void **state)
{
    struct err err;
    int fds[2];

    (void)state;
    a = b = (struct side){ .c = NULL };
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    assert_true(channel_new(fds[0], 10, &events, &a, &a.c, &err));
    assert_true(channel_new(fds[1], 20, &events, &b, &b.c, &err));
    return 0;
}

static int free_both(void **state)
{
    (void)state;
    channel_free(a.c);
    channel_free(b.c);
    channel_free(NULL);
    return 0;
}

static void turn_until(const bool *done)
{
    for (int i = 0; i < 1000 && !*done; i++)
        loop_turn(1000);
    assert_true(*done);
}

static void turn_until_frames(const struct side *s, size_t frames)
{
    for (int i = 0; i < 1000 && s->frames < frames; i++)
        loop_turn(1000);
    assert_int_equal(s->frames, frames);
}

static void test_frames_leave_at_the_turns_end(void **state)
{
    (void)state;
    add(&a, 0);
    add(&a, 1);
    assert_int_equal(channel_queued(a.c), 2 * sizeof(struct count));
    loop_turn(0);
    assert_int_equal(channel_queued(a.c), 0);
    turn_until_frames(&b, 2);
    add(&b, 0);
    channel_flush(b.c);
    assert_int_equal(channel_queued(b.c), 0);
    assert_int_equal(a.frames, 0); /* flushed is not handled */
    turn_until_frames(&a, 1);
}

static void test_ten_thousand_frames(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        add(&a, i);
    turn_until_frames(&b, 10000);
}

static void test_answers_go_to_and_fro(void **state)
{
    (void)state;
    b.answers = true;
    for (uint64_t i = 0; i < 1000; i++)
        add(&a, i);
    turn_until_frames(&a, 1000);
    assert_int_equal(b.frames, 1000);
}

static void wait_for_room(void *arg)
{
    struct err err;

    while (channel_full(a.c))
        assert_true(gate_wait(channel_room(a.c), NO_DEADLINE, &err));
    *(bool *)arg = true;
}

static void test_full_channel_wakes_when_there_is_room(void **state)
{
    uint64_t count = 0;
    bool woken = false;

    (void)state;
    /* What the way takes, and then a full pile. */
    for (int i = 0; i < 3; i++) {
        while (!channel_full(a.c))
            add(&a, count++);
        channel_flush(a.c);
    }
    while (!channel_full(a.c))
        add(&a, count++);
    fiber_spawn("waits", wait_for_room, &woken);
    turn_until(&woken);
    turn_until_frames(&b, count);
}

static void test_frames_before_the_end_arrive(void **state)
{
    (void)state;
    add(&a, 0);
    channel_free(a.c);
    a.c = NULL;
    turn_until(&b.closed);
    assert_int_equal(b.frames, 1);
    assert_int_equal(b.why, ERR_CLOSED);
    add(&b, 5); /* thrown away */
    channel_flush(b.c);
    assert_int_equal(channel_queued(b.c), 0);
}

static void test_unread_words_survive_a_reset(void **state)
{
    (void)state;
    add(&b, 0);
    channel_flush(b.c);
    add(&a, 0);
    channel_free(a.c); /* has not read b's: the kernel calls that a reset */
    a.c = NULL;
    turn_until(&b.closed);
    assert_int_equal(b.frames, 1);
}

static void test_refused_frame_ends_it(void **state)
{
    (void)state;
    b.refuses = true;
    add(&a, 0);
    add(&a, 1);
    turn_until(&b.closed);
    assert_int_equal(b.frames, 1);
    assert_int_equal(b.why, ERR_DENIED);
    turn_until(&a.closed);
    assert_int_equal(a.why, ERR_CLOSED);
}

static void test_freed_inside_its_own_frame(void **state)
{
    (void)state;
    b.frees = true;
    add(&a, 0);
    add(&a, 1);
    turn_until(&a.closed);
    assert_int_equal(b.frames, 1);
    assert_false(b.closed); /* who frees is not told */
}

static void test_descriptors_come_with_their_frame(void **state)
{
    int fds[3];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (uint64_t i = 0; i < 10; i++) { /* 30: more than one packet may carry */
        add(&a, i);
        channel_add_fds(a.c, fds, ARRAY_LEN(fds));
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]); /* ours: the channel has its own */
    turn_until_frames(&b, 10);
    assert_int_equal(b.fd_count, 30);
    for (size_t i = 0; i < b.fd_count; i++) {
        assert_true(fcntl(b.fds[i], F_GETFD) & FD_CLOEXEC);
        close(b.fds[i]);
    }
    assert_int_equal(channel_take_fd(b.c), -1);
}

static void test_descriptors_of_a_freed_channel_are_closed(void **state)
{
    int next, pipe_ends[2];

    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    add(&a, 0);
    channel_add_fds(a.c, &pipe_ends[1], 1);
    channel_free(b.c);
    b.c = NULL;
    channel_free(a.c);
    a.c = NULL;
    close(pipe_ends[1]);
    assert_int_equal(read(pipe_ends[0], &next, sizeof next), 0); /* no writer is left anywhere */
    close(pipe_ends[0]);
}

/* Over the socket, from a peer that says what it likes ----------------------------------------- */

static int hostile = -1;

static int setup_hostile(void **state)
{
    struct err err;
    int fds[2];

    (void)state;
    a = b = (struct side){ .c = NULL };
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    assert_true(channel_new(fds[0], 10, &events, &b, &b.c, &err));
    hostile = fds[1];
    return 0;
}

static int free_hostile(void **state)
{
    if (hostile >= 0)
        close(hostile);
    hostile = -1;
    return free_both(state);
}

static const struct garbage_case {
    const char *name;
    struct frame heads[2];
    size_t len;
} garbage_cases[] = {
    { "half a head", { { .len = 8, .type = 7 } }, 4 },
    { "length 0", { { .len = 0, .type = 7 } }, 8 },
    { "length under the head's", { { .len = 4, .type = 7 } }, 8 },
    { "length no multiple of 8", { { .len = 12, .type = 7 } }, 12 },
    { "longer than the packet", { { .len = 24, .type = 7 } }, 16 },
    { "shorter than the packet", { { .len = 8, .type = 7 } }, 12 },
    { "too long a frame", { { .len = FRAME_BYTES_MAX + 8, .type = 7 } }, FRAME_BYTES_MAX + 8 },
    { "flags", { { .len = 8, .type = 7, .flags = 1 } }, 8 },
    { "spare", { { .len = 8, .type = 7, .spare = 1 } }, 8 },
    { "good, then bad", { { .len = 8, .type = 7 }, { .len = 7, .type = 7 } }, 16 },
    { "too long a packet", { { .len = 8, .type = 7 } }, PACKET_BYTES_MAX + 8 },
};

static void test_garbage_packet_ends_it(void **state)
{
    static char bytes[PACKET_BYTES_MAX + 8];

    for (size_t i = 0; i < ARRAY_LEN(garbage_cases); i++) {
        const struct garbage_case *c = &garbage_cases[i];

        setup_hostile(state);
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, c->heads, sizeof c->heads);
        assert_int_equal(send(hostile, bytes, c->len, 0), c->len);
        turn_until(&b.closed);
        if (b.why != ERR_SYNTAX || b.frames != 0)
            fail_msg("%s", c->name);
        free_hostile(state);
    }
}

#define BOTH(f)                                            \
    { #f " (pair)", f, setup_pair, free_both, NULL },      \
    {                                                      \
#f " (sockets)", f, setup_sockets, free_both, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_frames_leave_at_the_turns_end),
        BOTH(test_ten_thousand_frames),
        BOTH(test_answers_go_to_and_fro),
        BOTH(test_full_channel_wakes_when_there_is_room),
        BOTH(test_frames_before_the_end_arrive),
        BOTH(test_unread_words_survive_a_reset),
        BOTH(test_refused_frame_ends_it),
        BOTH(test_freed_inside_its_own_frame),
        BOTH(test_descriptors_come_with_their_frame),
        BOTH(test_descriptors_of_a_freed_channel_are_closed),
        cmocka_unit_test(test_garbage_packet_ends_it),
    };

    loop_init();
    return cmocka_run_group_tests_name("io/channel", tests, NULL, NULL);
}

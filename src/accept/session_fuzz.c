// SPDX-License-Identifier: Apache-2.0
/* accept/session_fuzz.c - any bytes as a whole conversation with the real role, in one piece or
 * two.
 *
 * The first byte says where the client comes in and as whom, the second where the bytes are split.
 * What must hold: the session ends with its connection, its memory is given back, and core hears
 * the end of whatever it heard the beginning of. */
#include <assert.h>

#include "accept/world_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX 8192

static void check_afterwards(struct world *w, unsigned closes_before)
{
    assert(w->accept->sessions.count == 0);
    for (unsigned i = 0; i < w->begun; i++)
        assert(w->messages[i].ended || w->messages[i].aborted);
    assert(w->closes <= closes_before + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum door_kind doors[] = { DOOR_RELAY, DOOR_SUBMISSION, DOOR_PROXIED, DOOR_RELAY };
    static struct world w;
    static bool started;
    struct client c;
    unsigned closes;

    if (size < 2 || size > INPUT_BYTES_MAX)
        return 0;
    if (!started)
        world_start(&w, "limits: { bad_commands: 1000 }\n");
    started = true;
    w.client_flags = data[0] >> 4;
    w.answer_code = data[0] & 4 ? 452 : 0;
    closes = w.closes;
    client_connect(&c, &w, doors[data[0] & 3]);
    world_settle();
    client_say_split(&c, str_make(data + 2, size - 2), (size_t)data[1] * size / 256);
    world_settle();
    client_close(&c);
    for (int i = 0; i < 100 && w.accept->sessions.count > 0; i++)
        world_settle();
    check_afterwards(&w, closes);
    world_forget(&w);
    return 0;
}

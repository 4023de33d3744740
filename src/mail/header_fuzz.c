// SPDX-License-Identifier: Apache-2.0
/* mail/header_fuzz.c - fields cover the section without a gap; deleting one by its place leaves the
 * others; a trace line made of anything is one field. */
#include <stdlib.h>

#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void check_walk(struct str section, struct arena *a)
{
    struct header_field f;
    struct buf got;
    size_t at = 0, covered = 0;

    buf_init(&got, 1 << 20);
    while (header_next(section, &at, &f)) {
        struct header_edit cut = { EDIT_DELETE, (uint32_t)f.offset, (uint32_t)f.len, STR_NONE };
        struct str value = header_unfold(a, f.value);

        must(f.offset == covered && f.name.len > 0);
        must(str_index(value, '\n') == value.len && str_index(value, '\r') == value.len);
        covered += f.len;
        buf_clear(&got);
        must(header_render(&got, section, &cut, 1, STR("id"), NULL));
        must(got.len == section.len - f.len);
    }
    must(at == covered && header_end(section) <= section.len);
    buf_done(&got);
}

static void check_received(struct str text, struct arena *a)
{
    struct received r = { .helo = text,
                          .client_ip = text,
                          .by = text,
                          .tls = true,
                          .tls_protocol = text,
                          .tls_cipher = text,
                          .for_recipient = text,
                          .utf8 = text.len % 2 == 0 };
    struct header_edit edits[3];
    struct header_field f;
    struct buf got;
    size_t count = 0, at = 0;

    buf_init(&got, 1 << 16);
    received_edits(a, &r, edits, &count);
    must(header_render(&got, STR_NONE, edits, count, STR("ID"), NULL));
    must(header_next(buf_str(&got), &at, &f) && at == got.len);
    must(str_eq(f.name, STR("Received")));
    buf_done(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str section = str_make(data, size);
    struct header_facts facts;
    struct arena a;

    arena_init(&a, 4096);
    check_walk(section, &a);
    check_received(section, &a);
    (void)header_look(section, STR("mx.example.org"), &facts, NULL);
    arena_done(&a);
    return 0;
}

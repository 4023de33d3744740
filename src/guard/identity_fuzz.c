// SPDX-License-Identifier: Apache-2.0
/* guard/identity_fuzz.c - any header section: no crash, and what may be signed names nobody but the
 * account in From, whoever reads it (T01). */
#include <stdlib.h>

#include "guard/domain_name.h"
#include "guard/people.h"
#include "guard/preflight.h"
#include "mail/header.h"
#include "mail/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct directory directory;

static void tell_all(void)
{
    if (directory.known)
        return;
    directory_init(&directory);
    if (!people_tell(&directory, people_account(&(struct person){ .id = 1 })) ||
        !people_tell(&directory, people_account(&(struct person){ .id = 2 })) ||
        !people_tell(&directory, people_domain(1, 1, "a.b", DOMAIN_SUBDOMAINS, 0, "")) ||
        !people_tell(&directory, people_domain(2, 2, "c.d", 0, 0, "")) ||
        !people_tell(&directory, people_end()))
        abort();
}

static void check_author(const struct address *a, struct arena *arena)
{
    struct str name;

    if (a->is_literal || !domain_name(a->domain, arena, &name) ||
        !directory_grant(&directory, directory_account(&directory, 1), name))
        abort();
}

/* Every field that could be From to anybody: a line that begins so, or holds nothing else before
 * its colon. */
static void check_authors(struct str section, struct arena *arena)
{
    struct header_field f;
    size_t at = 0, fields = 0;

    while (header_next(section, &at, &f)) {
        struct mailbox_reader r;
        struct address a;
        struct err err;

        if (!str_eq_nocase(f.name, STR("From")))
            continue;
        fields++;
        mailbox_begin(&r, f.value);
        while (mailbox_next(&r, &a, &err) == MAILBOX_ONE)
            check_author(&a, arena);
    }
    if (fields != 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str section = str_make(data, size);
    struct identity got;
    struct preflight preflight;
    struct arena arena;

    tell_all();
    arena_init(&arena, 4096);
    struct identity_ask ask = {
        .directory = &directory,
        .account = directory_account(&directory, 1),
        .reverse_path = STR("a@a.b"),
        .section = section,
    };
    identity_judge(&ask, &arena, &got);
    if (got.code == CODE_NONE && !got.may_sign && !got.from_grant && !got.forwards)
        abort();
    if (got.may_sign)
        check_authors(section, &arena);
    if (got.may_sign && !got.from_grant)
        abort();
    preflight_judge(&(struct preflight_ask){ .identity = &got,
                                             .sender_domain = STR("a.b"),
                                             .section = section },
                    &arena, &preflight);
    (void)identity_duplicate(section);
    arena_done(&arena);
    return 0;
}

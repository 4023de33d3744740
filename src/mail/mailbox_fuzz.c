// SPDX-License-Identifier: Apache-2.0
/* mail/mailbox_fuzz.c - any field value: no crash, an end, and addresses that stand in it as they
 * were read. */
#include <stdlib.h>

#include "mail/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_make(data, size);
    struct mailbox_reader r;
    struct address a, again;
    struct err err;
    unsigned count = 0;

    mailbox_begin(&r, value);
    while (mailbox_next(&r, &a, &err) == MAILBOX_ONE) {
        struct str whole = str_make(a.local.ptr, a.local.len + 1 + a.domain.len);
        if (++count > MAILBOXES_MAX || a.local.ptr < value.ptr ||
            a.domain.ptr + a.domain.len > value.ptr + value.len)
            abort();
        if (!address_parse(whole, &again, &err) || !address_eq(&a, &again))
            abort();
    }
    return 0;
}

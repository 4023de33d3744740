// SPDX-License-Identifier: Apache-2.0
/* io/dns_record_fuzz.c - any bytes as the data of a record of any type we read: the first byte
 * chooses the type. */
#include <assert.h>

#include "base/mem.h"
#include "io/dns_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = { DNS_A,    DNS_CNAME, DNS_PTR, DNS_MX, DNS_TXT,
                                           DNS_AAAA, DNS_TLSA,  DNS_NS,  DNS_SOA };
    struct dns_record record;
    struct arena arena;

    if (size == 0)
        return 0;
    arena_init(&arena, 1024);
    enum dns_type type = types[data[0] % ARRAY_LEN(types)];
    if (dns_record_read(type, str_make(data + 1, size - 1), &arena, &record, NULL)) {
        assert(record.name.len <= DNS_NAME_TEXT_MAX);
        assert(record.name.len == 0 || dns_name_ok(record.name));
        assert(record.bytes.len < size);
    }
    arena_done(&arena);
    return 0;
}

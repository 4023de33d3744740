// SPDX-License-Identifier: Apache-2.0
/* accept/proxy_fuzz.c - any bytes as a PROXY header: the answer lies within them, and more bytes
 * behind a whole header change nothing. */
#include <assert.h>

#include "accept/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_make(data, size);
    struct proxy_header whole, exact;
    struct err err;

    switch (proxy_parse(all, &whole, &err)) {
    case PROXY_DONE:
        assert(whole.len > 0 && whole.len <= size && whole.len <= PROXY_BYTES_MAX);
        assert(proxy_parse(str_sub(all, 0, whole.len), &exact, &err) == PROXY_DONE);
        assert(exact.len == whole.len && ip_eq(&exact.client.ip, &whole.client.ip));
        break;
    case PROXY_MORE:
        assert(size < PROXY_BYTES_MAX && proxy_wants(all) >= 1);
        break;
    case PROXY_BAD:
        break;
    }
    return 0;
}

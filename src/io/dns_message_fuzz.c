// SPDX-License-Identifier: Apache-2.0
/* io/dns_message_fuzz.c - any bytes as the answer to a question: the first byte chooses the type
 * that was asked for. Id and name are put in, so that most inputs get past the first look. */
#include <assert.h>

#include "base/mem.h"
#include "io/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct str packet, const struct dns_question *q)
{
    struct dns_message m;
    struct arena arena;

    arena_init(&arena, 1024);
    if (dns_message_read(packet, q, &arena, &m, NULL) && !m.truncated) {
        assert(m.answer.count <= DNS_RECORDS_MAX);
        assert(m.answer.status == DNS_OK || m.answer.count == 0 || m.answer.status == DNS_TEMP);
        assert(m.alias.len == 0 || (dns_name_ok(m.alias) && m.answer.count == 0));
        for (size_t i = 0; i < m.answer.count; i++)
            assert(m.answer.records[i].name.len <= DNS_NAME_TEXT_MAX);
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = { DNS_A,   DNS_CNAME, DNS_PTR,  DNS_MX,
                                           DNS_TXT, DNS_AAAA,  DNS_TLSA, DNS_NS };
    struct dns_question q = { .id = 0x1234, .name = STR("a.example") };
    struct buf packet, question;

    if (size < 11)
        return 0;
    q.type = types[data[0] % ARRAY_LEN(types)];
    (void)dns_message_answers(str_make(data, size), &q);

    /* The header's flags and counts are the input's, the question is ours. */
    buf_init(&question, DNS_QUESTION_BYTES_MAX);
    buf_init(&packet, DNS_MESSAGE_BYTES_MAX);
    (void)dns_question_write(&question, &q);
    (void)buf_add(&packet, str_sub(buf_str(&question), 0, 2));
    (void)buf_add(&packet, str_make(data + 1, 10));
    (void)buf_add(&packet, str_sub(buf_str(&question), 12, question.len - 12 - 11));
    (void)buf_add(&packet, str_make(data + 11, size - 11));
    if (dns_message_answers(buf_str(&packet), &q))
        look(buf_str(&packet), &q);
    buf_done(&packet);
    buf_done(&question);
    return 0;
}

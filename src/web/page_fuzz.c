// SPDX-License-Identifier: Apache-2.0
/* web/page_fuzz.c - any octets from the network: there is always one whole answer, and nothing of
 * what was sent stands in it as markup (faults B12, B13). */
#include <assert.h>
#include <stdlib.h>

#include "web/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct config *config(void)
{
    static struct config *c;

    if (!c && !config_parse(STR("fuzz"),
                            STR("hostname: relay.test\n"
                                "listeners: [{kind: submission, address: '192.0.2.1:587'}]\n"),
                            &c, NULL))
        abort();
    return c;
}

/* Every '<' in an answer is one of ours. */
static void markup_check(struct str text)
{
    static const char *const ours[] = { "<?",   "</",    "<Aut", "<Resp", "<Acc", "<Act", "<Prot",
                                        "<Ty",  "<Se",   "<Po",  "<Dom",  "<Log", "<SPA", "<Enc",
                                        "<Use", "<SMTP", "<cli", "<ema",  "<dom", "<dis", "<out",
                                        "<hos", "<por",  "<soc", "<aut",  "<use" };

    for (size_t at = str_index(text, '<'); at < text.len; at = str_index(text, '<')) {
        bool known = false;
        text = str_skip(text, at);
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || str_starts(text, str_of(ours[i]));
        assert(known);
        text = str_skip(text, 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str text = str_make(bytes, len);
    size_t head = http_head_len(text);
    struct http_request request;
    struct err err = { 0 };
    struct buf answer;

    if (head == 0)
        return 0;
    buf_init(&answer, 128 * 1024);
    if (http_request_read(str_sub(text, 0, head), &request, &err))
        page_respond(config(), &request, str_skip(text, head), &answer);
    else
        page_refuse(&answer, 400, err.text);
    assert(buf_ok(&answer) && str_starts(buf_str(&answer), STR("HTTP/1.1 ")));
    struct str body = str_skip(buf_str(&answer), http_head_len(buf_str(&answer)));
    if (str_starts(buf_str(&answer), STR("HTTP/1.1 200 ")))
        markup_check(body);
    buf_done(&answer);
    return 0;
}

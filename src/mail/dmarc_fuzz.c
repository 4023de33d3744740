// SPDX-License-Identifier: Apache-2.0
/* mail/dmarc_fuzz.c - any bytes as DMARC records along a walk: the first line is the domain, each
 * other one the record of a step. */
#include <assert.h>

#include "mail/dmarc_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_make(data, size), domain, text;
    struct dmarc_walk walk;
    enum dmarc_policy policy;

    if (!str_next(&rest, '\n', &domain))
        return 0;
    dmarc_walk_begin(&walk, domain);
    assert(walk.count <= DMARC_WALK_MAX);
    for (size_t i = 0; i < walk.count && str_next(&rest, '\n', &text); i++) {
        bool goes_on = dmarc_walk_take(&walk, i, &text, 1);
        const struct dmarc_step *step = &walk.steps[i];
        assert(!step->found || dmarc_record_is(text));
        assert(!step->found ||
               (step->record.percent <= 100 && step->record.policy <= DMARC_REJECT));
        if (!goes_on)
            break;
    }
    assert(dmarc_walk_organisation(&walk).len > 0 || walk.count == 0);
    assert(!dmarc_walk_policy(&walk, &policy) || policy <= DMARC_REJECT);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* schedule/retry.c - the timetable of further attempts (RFC 5321 §4.5.4.1). */
#include "schedule/schedule.h"

int64_t retry_expires_at(const struct config_retry *r, int64_t accepted_ms)
{
    return accepted_ms + r->expire_ms;
}

bool retry_is_late(const struct config_retry *r, int64_t now_ms, int64_t accepted_ms)
{
    return r->delay_warn_ms > 0 && now_ms - accepted_ms >= r->delay_warn_ms;
}

int64_t retry_at(const struct config_retry *r, uint16_t tries, int64_t now_ms, int64_t accepted_ms,
                 uint64_t random)
{
    size_t step = tries == 0 ? 0 : (size_t)tries - 1;
    int64_t wait = r->steps_ms[step < r->step_count ? step : r->step_count - 1];
    int64_t spread = wait / 100 * (int64_t)r->jitter_percent;

    /* Both ways around the step, so that what failed together does not come back together (fault
     * N13). */
    if (spread > 0)
        wait += (int64_t)(random % (uint64_t)(2 * spread + 1)) - spread;
    int64_t at = now_ms + (wait > 0 ? wait : 1);
    int64_t expires = retry_expires_at(r, accepted_ms);
    return at < expires ? at : (expires > now_ms ? expires : now_ms);
}

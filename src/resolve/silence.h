// SPDX-License-Identifier: Apache-2.0
/* resolve/silence.h - name servers that said nothing lately. A host's fifty thousand domains share
 * their servers: when one of them is down, not each question has to wait for it as long as the
 * first one did. Takes `now`, never waits. */
#pragma once

#include "base/ip.h"

#define SILENT_MAX 128
#define SILENT_MS (5 * 60 * 1000)

struct silence {
    struct silent {
        struct ip ip;
        int64_t until_ms;
    } all[SILENT_MAX];
    size_t count;
};

/* It did not answer at all; when there are too many, the one that was noted first is forgotten. */
void silence_note(struct silence *s, const struct ip *ip, int64_t now_ms);
/* It did answer. */
void silence_forget(struct silence *s, const struct ip *ip);
bool silence_has(const struct silence *s, const struct ip *ip, int64_t now_ms);

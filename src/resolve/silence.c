// SPDX-License-Identifier: Apache-2.0
/* resolve/silence.c - a short list, in the order in which servers were noted. */
#include "resolve/silence.h"

static size_t place_of(const struct silence *s, const struct ip *ip)
{
    size_t at = 0;

    while (at < s->count && !ip_eq(&s->all[at].ip, ip))
        at++;
    return at;
}

static void drop(struct silence *s, size_t at)
{
    memmove(&s->all[at], &s->all[at + 1], (s->count - at - 1) * sizeof s->all[0]);
    s->count--;
}

void silence_forget(struct silence *s, const struct ip *ip)
{
    size_t at = place_of(s, ip);

    if (at < s->count)
        drop(s, at);
}

void silence_note(struct silence *s, const struct ip *ip, int64_t now_ms)
{
    silence_forget(s, ip);
    if (s->count == SILENT_MAX)
        drop(s, 0);
    s->all[s->count++] = (struct silent){ *ip, now_ms + SILENT_MS };
}

bool silence_has(const struct silence *s, const struct ip *ip, int64_t now_ms)
{
    size_t at = place_of(s, ip);

    return at < s->count && s->all[at].until_ms > now_ms;
}

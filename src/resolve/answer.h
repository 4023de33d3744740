// SPDX-License-Identifier: Apache-2.0
/* resolve/answer.h - what was found, as frames. */
#pragma once

#include "mail/spf.h"
#include "resolve/authority.h"
#include "resolve/hosts.h"
#include "resolve/live.h"
#include "wire/wire.h"

void answer_site(struct channel *c, uint64_t id, const struct site *site, struct arena *a);
void answer_hosts(struct channel *c, uint64_t id, const struct hosts *hosts, struct arena *a);
/* A row each, and the end. */
void answer_live(struct channel *c, uint64_t id, const struct live_report *report);
void answer_end(struct channel *c, uint64_t request, uint16_t status, struct str text);

/* Records too long for a frame are none that anybody looks for, and left out; a server with more
 * than DNS_VALUES_MAX of them says nothing that could be judged, and FAILED. */
#define DNS_VALUES_MAX 64
void answer_dns(struct channel *c, uint64_t id, enum dns_type type,
                const struct authority_answer *answer, struct arena *a);
void answer_dns_end(struct channel *c, const struct wire_dns_end *end, struct str text);

void answer_spf(struct channel *c, uint64_t id, enum spf_result result, struct str why);

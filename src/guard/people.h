// SPDX-License-Identifier: Apache-2.0
/* guard/people.h - for tests: a directory told by frames, as vault tells it. */
#pragma once

#include "guard/directory.h"

struct frame *people_begin(void);
struct frame *people_end(void);
struct frame *people_gone(enum directory_noun noun, uint64_t id);
struct person {
    uint64_t id, parent;
    enum account_state state; /* 0: active */
    enum policy_mode mode;    /* 0: enforce */
    uint32_t flags;
    const char *name, *rewrite_from, *forward_domain;
    uint64_t default_stream;
};
struct frame *people_account(const struct person *p);
struct frame *people_stream(uint64_t id, uint64_t account, enum stream_kind kind, const char *name,
                            const char *domain, const char *return_domain);
struct frame *people_domain(uint64_t id, uint64_t account, const char *name, uint32_t flags,
                            uint32_t facts, const char *local);
struct frame *people_key(uint64_t id, uint64_t grant, uint64_t stream, uint32_t algorithm,
                         uint32_t flags, const char *domain, const char *selector);
struct frame *people_tenant(uint64_t id, uint64_t account, const char *upstream, const char *value);
/* Frees it. False when it was refused. */
bool people_tell(struct directory *d, struct frame *f);

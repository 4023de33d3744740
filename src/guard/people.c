// SPDX-License-Identifier: Apache-2.0
/* guard/people.c - frames of the directory, without a channel. */
#include "guard/people.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXTS_MAX 1024

static void *frame_new(enum wire_type type, size_t size)
{
    struct frame *f = mem_new(size + TEXTS_MAX);

    f->type = (uint8_t)type;
    f->len = (uint16_t)(size + TEXTS_MAX);
    f->spare = (uint32_t)size;
    return f;
}

static void put(void *frame, struct wire_str *field, const char *text)
{
    wire_put(frame, field, str_of(text ? text : ""));
}

struct frame *people_begin(void)
{
    struct wire_directory_begin *m = frame_new(WIRE_DIRECTORY_BEGIN, sizeof *m);

    put(m, &m->secret, "0123456789abcdef0123456789abcdef");
    return &m->head;
}

struct frame *people_end(void)
{
    return frame_new(WIRE_DIRECTORY_END, sizeof(struct wire_directory_end));
}

struct frame *people_gone(enum directory_noun noun, uint64_t id)
{
    struct wire_directory_gone *m = frame_new(WIRE_DIRECTORY_GONE, sizeof *m);

    m->noun = noun;
    m->id = id;
    return &m->head;
}

struct frame *people_account(const struct person *p)
{
    struct wire_directory_account *m = frame_new(WIRE_DIRECTORY_ACCOUNT, sizeof *m);
    char name[32];

    (void)snprintf(name, sizeof name, "account-%llu", (unsigned long long)p->id);
    m->id = p->id;
    m->parent = p->parent;
    m->default_stream = p->default_stream;
    m->state = p->state ? p->state : ACCOUNT_ACTIVE;
    m->mode = p->mode ? p->mode : POLICY_ENFORCE;
    m->flags = p->flags;
    put(m, &m->name, p->name ? p->name : name);
    put(m, &m->rewrite_from, p->rewrite_from);
    put(m, &m->forward_domain, p->forward_domain);
    return &m->head;
}

struct frame *people_stream(uint64_t id, uint64_t account, enum stream_kind kind, const char *name,
                            const char *domain, const char *return_domain)
{
    struct wire_directory_stream *m = frame_new(WIRE_DIRECTORY_STREAM, sizeof *m);

    m->id = id;
    m->account = account;
    m->kind = kind;
    m->preflight = POLICY_OBSERVE;
    put(m, &m->name, name);
    put(m, &m->domain, domain);
    put(m, &m->return_domain, return_domain);
    return &m->head;
}

struct frame *people_domain(uint64_t id, uint64_t account, const char *name, uint32_t flags,
                            uint32_t facts, const char *local)
{
    struct wire_directory_domain *m = frame_new(WIRE_DIRECTORY_DOMAIN, sizeof *m);

    m->id = id;
    m->account = account;
    m->flags = flags;
    m->facts = facts;
    put(m, &m->name, name);
    put(m, &m->local, local);
    return &m->head;
}

struct frame *people_key(uint64_t id, uint64_t grant, uint64_t stream, uint32_t algorithm,
                         uint32_t flags, const char *domain, const char *selector)
{
    struct wire_directory_key *m = frame_new(WIRE_DIRECTORY_KEY, sizeof *m);

    m->id = id;
    m->grant = grant;
    m->stream = stream;
    m->algorithm = algorithm;
    m->flags = flags;
    put(m, &m->domain, domain);
    put(m, &m->selector, selector);
    return &m->head;
}

struct frame *people_tenant(uint64_t id, uint64_t account, const char *upstream, const char *value)
{
    struct wire_directory_tenant *m = frame_new(WIRE_DIRECTORY_TENANT, sizeof *m);

    m->id = id;
    m->account = account;
    put(m, &m->upstream, upstream);
    put(m, &m->value, value);
    return &m->head;
}

bool people_tell(struct directory *d, struct frame *f)
{
    struct err err;
    bool ok = directory_on_frame(d, f, &err);

    free(f);
    return ok;
}

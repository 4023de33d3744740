// SPDX-License-Identifier: Apache-2.0
/* resolve/question.h - the questions that other roles ask, each as a story of look-ups that ends in
 * its answer on the channel. Which of them run, and when, is role.c's business. */
#pragma once

#include "base/list.h"
#include "resolve/hosts.h"
#include "resolve/silence.h"
#include "wire/wire.h"

/* What the configuration says, as it was when the question began to run: it may be replaced while
 * the question waits. */
struct setting {
    struct lookups *lookups;
    const struct target_policy *policy;
    struct str hostname;
    struct ip sources[2]; /* family 0: unset */
    uint16_t authority_port;
    struct silence *silence;
};

/* Which fields count depends on the kind. */
struct asked {
    uint64_t id;
    struct str name;
    enum dns_type type;
    enum dns_how how;
    struct ip ip;
};

struct question {
    struct list link;
    struct asker *asker;
    const struct question_kind *kind;
    struct fiber *fiber; /* NULL while it waits for its turn */
    struct arena arena;
    struct asked asked;
    char name[]; /* asked.name's bytes */
};

struct question_kind {
    /* Looks up and answers. False: ERR_CANCELLED, nobody will hear. Waits. */
    bool (*ask)(struct question *q, const struct setting *s, struct err *err);
    void (*busy)(struct channel *c, uint64_t id); /* says that there are too many already */
    bool many; /* asked by the thousand, without hurry: they stand in a queue */
};
extern const struct question_kind question_site, question_hosts, question_plain, question_live,
    question_dns, question_spf;

/* NULL when whoever asked has gone. To be asked anew after every wait. */
struct channel *question_channel(const struct question *q);

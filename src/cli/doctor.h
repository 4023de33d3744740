// SPDX-License-Identifier: Apache-2.0
/* cli/doctor.h - the checks of `baton doctor`: each adds what it found, whether that is well, and
 * what to do about it. */
#pragma once

#include <json-c/json.h>

#include "base/ip.h"
#include "cli/command.h"
#include "config/config.h"

/* From well to not; the words of "level". */
enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_LEVELS };
extern const char *const doctor_levels[DOCTOR_LEVELS];

struct doctor {
    const struct cli_args *args;
    const char *file;      /* of the configuration */
    struct config *config; /* NULL: it cannot be read, which its own check says */
    struct arena arena;
    /* {"check", "about", "level", "found", "advice"}, in order; check and about together name what
     * is compared from night to night. */
    struct json_object *findings;
};

struct doctor_check {
    const char *name;
    void (*run)(struct doctor *d);
    bool needs_config;
};

/* What a finding is about; `advice` NULL where there is nothing to do. */
struct doctor_subject {
    const char *check, *about;
    const char *advice;
};
__attribute__((format(printf, 4, 5))) void doctor_add(struct doctor *d,
                                                      const struct doctor_subject *s,
                                                      enum doctor_level level, const char *fmt,
                                                      ...);
enum doctor_level doctor_worst(const struct doctor *d);

/* doctor_checks.c, doctor_relay.c, doctor_tls.c */
void doctor_config(struct doctor *d);
void doctor_roles(struct doctor *d);
void doctor_relay(struct doctor *d);
void doctor_tls(struct doctor *d);
void doctor_dns(struct doctor *d);
void doctor_port25(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_domains(struct doctor *d);

/* Where a listener is reached from this machine as from outside: an address of ours that is not
 * loopback, when it listens at any. */
struct endpoint doctor_reach(const struct config_listener *l);

/* Connects to a listener and makes TLS with it, by STARTTLS where that is its way. Waits. */
struct tls_client;
struct tls_facts;
MUST_USE bool doctor_handshake(struct doctor *d, const struct config_listener *l,
                               struct tls_client *tls, struct tls_facts *ret, struct err *err);

/* A page of HTML that needs nothing else (doctor_page.c). */
bool doctor_page(const struct doctor *d, struct buf *to);
/* Compares with the night before, logs what got worse, and keeps this night's findings
 * (doctor_nightly.c). ERR_IO. */
MUST_USE bool doctor_compare(struct doctor *d, struct err *err);

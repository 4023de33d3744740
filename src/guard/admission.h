// SPDX-License-Identifier: Apache-2.0
/* guard/admission.h - may this session hand over mail for this recipient? One pure answer, asked by
 * accept at RCPT and again by core at commit, which trusts no field from accept. */
#pragma once

#include "config/config.h"
#include "mail/address.h"
#include "mail/reply.h"

struct admission_facts {
    enum listener_kind listener;
    bool authorised;  /* authenticated, or from a trusted network: has an account */
    bool null_sender; /* MAIL FROM:<> */
    bool is_forward;  /* the recipient's domain is one of those in WIRE_FORWARDS */
    bool gate_open;   /* `baton live` has found the machine fit, or configuration opened it */
};

/* True: yes. False: *ret is the refusal, code, enhanced code and words with the rule's tag; its
 * text is in the arena. A recipient without domain is postmaster. An address that looks like one
 * that was rewritten (mail/srs.h), at a domain where that is done, may take a notification from
 * anybody; core then asks whether it is ours. */
MUST_USE bool admission_rcpt(const struct config *c, const struct admission_facts *facts,
                             const struct address *rcpt, struct arena *a, struct reply *ret);

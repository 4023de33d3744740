// SPDX-License-Identifier: Apache-2.0
/* deliver/connection.h - one connection of a site: its fiber takes job after job, opens a dialogue
 * when it needs one, and keeps it for a while. */
#pragma once

#include "deliver/dialogue.h"
#include "deliver/site.h"

struct host;

struct connection {
    struct list link; /* in its site's connections */
    struct list idle; /* in its site's idle ones, else of its own */
    struct list idle_of_role;
    struct site *site;
    struct fiber *fiber;
    struct gate woken;
    bool quit;      /* told to end */
    bool begun;     /* has looked for a job */
    bool open;      /* the dialogue below is */
    bool has_idled; /* the peer may have closed it meanwhile */
    struct dialogue dialogue;
    unsigned transactions; /* offered on this dialogue */
    struct str host_name;  /* the peer's, in names */
    struct ip ip, source;
    uint16_t port;
    bool tls;
    struct arena names;     /* of the dialogue's life */
    struct arena attempt;   /* of one job's: replies */
    struct outcome failure; /* why the last opening failed: texts in `attempt` */
};

/* Starts one for a site; it counts as open from now on. */
void connection_start(struct site *s);
/* Its fiber looks for a job, or for `quit`, at once. */
void connection_wake(struct connection *c);

/* Opens a dialogue with the first host that lets us to MAIL, in the order of preference. `domain`
 * names the hosts when the route does not. False: none did, and c->failure says why. Waits. */
MUST_USE bool connection_open(struct connection *c, struct str domain);
enum farewell {
    FAREWELL_NONE,  /* without a word: the peer is gone, or out of step */
    FAREWELL_SAID,  /* QUIT, its reply not awaited: mail waits */
    FAREWELL_HEARD, /* QUIT and its reply. Waits. */
};
void connection_close(struct connection *c, enum farewell farewell);
/* No further transaction may be offered on it: the peer is leaving, or a limit is reached. */
bool connection_is_used_up(const struct connection *c);

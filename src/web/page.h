// SPDX-License-Identifier: Apache-2.0
/* web/page.h - what strangers may ask over the network, and what they get: the settings of their
 * mail program, nothing else. Pure: a request in, an answer out. */
#pragma once

#include "config/config.h"
#include "web/http.h"

#define PAGE_BODY_MAX (16 * 1024)

/* Appends the whole answer; the request and its body are whole. */
void page_respond(const struct config *c, const struct http_request *r, struct str body,
                  struct buf *to);
/* The answer to what could not be read. */
void page_refuse(struct buf *to, int status, const char *why);

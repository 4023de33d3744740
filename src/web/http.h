// SPDX-License-Identifier: Apache-2.0
/* web/http.h - the head of an HTTP/1.1 request from anybody, read strictly (RFC 9112), and what
 * stands before an answer. Pure. One request a connection, so nothing behind it matters. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "web/strict.h"

#define HTTP_HEAD_MAX (8 * 1024)
#define HTTP_HEADERS_MAX 60

struct http_request {
    struct str method, path, query; /* query empty: none */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    uint64_t body_bytes; /* Content-Length */
};

/* How long the head is, its empty line included; 0: it is not all there. */
size_t http_head_len(struct str bytes);
/* `head` is whole. ERR_SYNTAX. The request borrows from it. */
MUST_USE bool http_request_read(struct str head, struct http_request *ret, struct err *err);
/* The value of a field, its first; empty without. */
struct str http_header_find(const struct http_request *r, const char *name);
/* A whole answer, after which the connection is closed. */
bool http_answer(struct buf *to, int status, const char *media_type, struct str body);

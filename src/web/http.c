// SPDX-License-Identifier: Apache-2.0
/* web/http.c - request heads of http.h. */
#include "web/http.h"

#include "web/api.h"

size_t http_head_len(struct str bytes)
{
    size_t at = str_find(bytes, STR("\r\n\r\n"));

    return at < bytes.len ? at + 4 : 0;
}

/* Takes a line that ends with CRLF. */
static bool line_take(struct str *rest, struct str *ret)
{
    size_t at = str_find(*rest, STR("\r\n"));

    if (at == rest->len)
        return false;
    *ret = str_sub(*rest, 0, at);
    *rest = str_skip(*rest, at + 2);
    return true;
}

/* RFC 3986 leaves visible ASCII; a fragment is never sent. */
static bool target_ok(struct str target)
{
    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] <= ' ' || target.ptr[i] >= 0x7f || target.ptr[i] == '#')
            return false;
    return target.len > 0 && target.ptr[0] == '/';
}

/* RFC 9112 §3, with exactly one space between its parts. */
static bool request_line(struct str line, struct http_request *r, struct err *err)
{
    struct str target, version;

    if (!str_cut(line, ' ', &r->method, &line) || !str_cut(line, ' ', &target, &version) ||
        (!str_eq(version, STR("HTTP/1.1")) && !str_eq(version, STR("HTTP/1.0"))) ||
        !target_ok(target))
        return err_set(err, ERR_SYNTAX, "expected METHOD /path HTTP/1.1");
    if (!str_cut(target, '?', &r->path, &r->query)) {
        r->path = target;
        r->query = STR("");
    }
    return true;
}

/* A line that begins with a blank would go on with the one before (RFC 9112 §5.2): strict.c takes
 * no such name. */
static bool header_line(struct str line, struct http_request *r, struct err *err)
{
    struct http_header h;

    if (r->header_count == HTTP_HEADERS_MAX)
        return err_set(err, ERR_SYNTAX, "too many fields");
    if (!str_cut(line, ':', &h.name, &h.value))
        return err_set(err, ERR_SYNTAX, "a field without a colon");
    h.value = str_trim(h.value);
    r->headers[r->header_count++] = h;
    return true;
}

struct str http_header_find(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, str_of(name)))
            return r->headers[i].value;
    return STR("");
}

bool http_request_read(struct str head, struct http_request *ret, struct err *err)
{
    struct str line;
    const char *refusal;

    ret->header_count = 0;
    ret->body_bytes = 0;
    if (!line_take(&head, &line) || !request_line(line, ret, err))
        return err_set(err, ERR_SYNTAX, "expected METHOD /path HTTP/1.1");
    while (line_take(&head, &line) && line.len > 0)
        if (!header_line(line, ret, err))
            return false;
    refusal = strict_refusal(ret->headers, ret->header_count);
    if (refusal)
        return err_set(err, ERR_SYNTAX, "%s", refusal);
    struct str length = http_header_find(ret, "Content-Length");
    if (length.len > 0 && !str_to_u64(length, UINT64_MAX, &ret->body_bytes))
        return err_set(err, ERR_SYNTAX, "Content-Length is not a number");
    return true;
}

bool http_answer(struct buf *to, int status, const char *media_type, struct str body)
{
    (void)buf_addf(to,
                   "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                   "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                   "Connection: close\r\n\r\n",
                   status, api_status_phrase(status), media_type, body.len);
    return buf_add(to, body);
}

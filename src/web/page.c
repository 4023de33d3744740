// SPDX-License-Identifier: Apache-2.0
/* web/page.c - the paths that mail programs look at. */
#include "web/page.h"

#include "base/code.h"
#include "mail/address.h"
#include "web/api.h"
#include "web/clients.h"

#define PAGE_MAX (64 * 1024)
#define XML_TYPE "text/xml; charset=utf-8"
#define TEXT_TYPE "text/plain; charset=utf-8"

void page_refuse(struct buf *to, int status, const char *why)
{
    struct buf text;

    buf_init(&text, 1024);
    (void)buf_addf(&text, "%s: %s\n", api_status_phrase(status), why);
    (void)http_answer(to, status, TEXT_TYPE, buf_str(&text));
    buf_done(&text);
}

/* Who is it for? ------------------------------------------------------------------------------- */

/* The host that was asked, without port and without the name under which it is asked. */
static struct str domain_of_host(const struct http_request *r)
{
    static const char *const before[] = { "autoconfig.", "autodiscover." };
    struct str host = http_header_find(r, "Host");

    host = str_sub(host, 0, str_index(host, ':'));
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (str_starts_nocase(host, str_of(before[i])))
            host = str_skip(host, strlen(before[i]));
    return domain_ok(host, /* utf8= */ false) ? host : STR("");
}

static bool who_of_address(struct str text, struct clients_for *ret, struct err *err)
{
    struct address address;

    if (!address_parse(text, &address, err))
        return false;
    *ret = (struct clients_for){ .address = text, .domain = address.domain };
    return true;
}

/* The value of a parameter, decoded; empty without. */
static bool parameter(struct str query, const char *name, struct arena *a, struct str *ret,
                      struct err *err)
{
    struct str pair, key, value;

    *ret = STR("");
    while (str_next(&query, '&', &pair))
        if (str_cut(pair, '=', &key, &value) && str_eq_nocase(key, str_of(name)))
            return api_percent_decode(value, a, ret, err);
    return true;
}

static bool who_of_query(const struct http_request *r, struct arena *a, struct clients_for *ret,
                         struct err *err)
{
    struct str text;

    if (!parameter(r->query, "emailaddress", a, &text, err))
        return false;
    if (text.len > 0)
        return who_of_address(text, ret, err);
    *ret = (struct clients_for){ .domain = domain_of_host(r) };
    return ret->domain.len > 0 || err_set(err, ERR_SYNTAX, "expected ?emailaddress=");
}

/* <EMailAddress>…</EMailAddress>, and nothing else of that document, is looked at: an address needs
 * no entity, so there is none to be resolved. */
static bool who_of_body(struct str body, struct clients_for *ret, struct err *err)
{
    static const char open[] = "<EMailAddress>";
    size_t at = str_find(body, str_of(open));

    if (at == body.len)
        return err_set(err, ERR_SYNTAX, "expected EMailAddress");
    struct str text = str_skip(body, at + sizeof open - 1);
    return who_of_address(str_trim(str_sub(text, 0, str_index(text, '<'))), ret, err);
}

/* What is there ------------------------------------------------------------------------------- */

typedef bool page_fn(const struct config *c, const struct clients_for *who, struct buf *to);

static const struct page {
    const char *path;
    page_fn *make;
    bool takes_post;
} pages[] = {
    { "/mail/config-v1.1.xml", clients_autoconfig, false },
    { "/.well-known/autoconfig/mail/config-v1.1.xml", clients_autoconfig, false },
    { "/autodiscover/autodiscover.xml", clients_autodiscover, true },
};

/* Outlook writes the path in several ways. */
static const struct page *page_find(struct str path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (str_eq_nocase(path, str_of(pages[i].path)))
            return &pages[i];
    return NULL;
}

static void page_write(const struct config *c, const struct page *page,
                       const struct clients_for *who, struct buf *to)
{
    struct buf text;

    buf_init(&text, PAGE_MAX);
    if (page->make(c, who, &text))
        (void)http_answer(to, 200, XML_TYPE, buf_str(&text));
    else
        page_refuse(to, 500, "too much to say");
    buf_done(&text);
}

void page_respond(const struct config *c, const struct http_request *r, struct str body,
                  struct buf *to)
{
    const struct page *page = page_find(r->path);
    bool is_post = str_eq(r->method, STR("POST"));
    struct clients_for who;
    struct err err = { 0 };
    struct arena a;

    if (!page) {
        page_refuse(to, 404, "nothing is here");
        return;
    }
    if (!str_eq(r->method, STR("GET")) && !(is_post && page->takes_post)) {
        page_refuse(to, 405, "not by this method");
        return;
    }
    arena_init(&a, 1024);
    if (is_post ? who_of_body(body, &who, &err) : who_of_query(r, &a, &who, &err))
        page_write(c, page, &who, to);
    else
        page_refuse(to, 400, err.text);
    arena_done(&a);
}

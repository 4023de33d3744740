// SPDX-License-Identifier: Apache-2.0
/* web/clients.c - the texts of clients.h, from the submission listeners of the configuration. */
#include "web/clients.h"

#include "base/code.h"
#include "base/json.h"

#define TEXT_MAX (64 * 1024)

void xml_text(struct buf *to, struct str text)
{
    while (text.len > 0) {
        size_t len = utf8_len(text);
        unsigned char c = (unsigned char)text.ptr[0];
        if (len == 0 || (c < 0x20 && c != '\t') || c == 0x7f)
            (void)buf_add(to, STR("\xef\xbf\xbd"));
        else if (c == '&')
            (void)buf_add(to, STR("&amp;"));
        else if (c == '<')
            (void)buf_add(to, STR("&lt;"));
        else if (c == '>')
            (void)buf_add(to, STR("&gt;"));
        else if (c == '"')
            (void)buf_add(to, STR("&quot;"));
        else if (c == '\'')
            (void)buf_add(to, STR("&#39;"));
        else
            (void)buf_add(to, str_sub(text, 0, len));
        text = str_skip(text, len > 0 ? len : 1);
    }
}

static void element(struct buf *to, const char *name, struct str text)
{
    (void)buf_addf(to, "<%s>", name);
    xml_text(to, text);
    (void)buf_addf(to, "</%s>\n", name);
}

static bool takes_submission(const struct config_listener *l)
{
    return l->kind == LISTENER_SUBMISSION || l->kind == LISTENER_SUBMISSIONS;
}

/* Where TLS is from the first octet comes first (RFC 8314 §3.3). */
static void each_listener(const struct config *c,
                          void (*fn)(const struct config *c, const struct config_listener *l,
                                     const struct clients_for *who, struct buf *to),
                          const struct clients_for *who, struct buf *to)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < c->listener_count; i++) {
            const struct config_listener *l = &c->listeners[i];
            if (takes_submission(l) && (l->kind == LISTENER_SUBMISSION) == (pass == 1))
                fn(c, l, who, to);
        }
}

/* Autoconfig ----------------------------------------------------------------------------------- */

static void autoconfig_server(const struct config *c, const struct config_listener *l,
                              const struct clients_for *who, struct buf *to)
{
    (void)who;
    (void)buf_add(to, STR("<outgoingServer type=\"smtp\">\n"));
    element(to, "hostname", c->hostname);
    (void)buf_addf(to, "<port>%u</port>\n", l->at.port);
    element(to, "socketType", l->kind == LISTENER_SUBMISSIONS ? STR("SSL") : STR("STARTTLS"));
    (void)buf_add(to, STR("<authentication>password-cleartext</authentication>\n"
                          "<username>%EMAILADDRESS%</username>\n</outgoingServer>\n"));
}

bool clients_autoconfig(const struct config *c, const struct clients_for *who, struct buf *to)
{
    (void)buf_add(to, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<clientConfig version=\"1.1\">\n<emailProvider id=\""));
    xml_text(to, who->domain);
    (void)buf_add(to, STR("\">\n"));
    element(to, "domain", who->domain);
    element(to, "displayName", who->domain);
    element(to, "displayShortName", who->domain);
    each_listener(c, autoconfig_server, who, to);
    return buf_add(to, STR("</emailProvider>\n</clientConfig>\n"));
}

/* Autodiscover --------------------------------------------------------------------------------- */

static void autodiscover_server(const struct config *c, const struct config_listener *l,
                                const struct clients_for *who, struct buf *to)
{
    (void)buf_add(to, STR("<Protocol>\n<Type>SMTP</Type>\n"));
    element(to, "Server", c->hostname);
    (void)buf_addf(to, "<Port>%u</Port>\n<DomainRequired>off</DomainRequired>\n", l->at.port);
    if (who->address.len > 0)
        element(to, "LoginName", who->address);
    (void)buf_add(to, STR("<SPA>off</SPA>\n"));
    element(to, "Encryption", l->kind == LISTENER_SUBMISSIONS ? STR("SSL") : STR("TLS"));
    (void)buf_add(to, STR("<AuthRequired>on</AuthRequired>\n<UsePOPAuth>off</UsePOPAuth>\n"
                          "<SMTPLast>off</SMTPLast>\n</Protocol>\n"));
}

bool clients_autodiscover(const struct config *c, const struct clients_for *who, struct buf *to)
{
    (void)buf_add(to, STR("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns="
                          "\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/"
                          "2006\">\n<Response xmlns=\"http://schemas.microsoft.com/exchange/"
                          "autodiscover/outlook/responseschema/2006a\">\n<Account>\n"
                          "<AccountType>email</AccountType>\n<Action>settings</Action>\n"));
    each_listener(c, autodiscover_server, who, to);
    return buf_add(to, STR("</Account>\n</Response>\n</Autodiscover>\n"));
}

/* Records -------------------------------------------------------------------------------------- */

static const struct config_listener *listener_of(const struct config *c, enum listener_kind kind)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].kind == kind)
            return &c->listeners[i];
    return NULL;
}

/* A service that there is not is said to be none (RFC 6186 §3.4, RFC 2782). */
static void service_record(const struct config *c, struct str domain, const char *service,
                           enum listener_kind kind, struct buf *to)
{
    const struct config_listener *l = listener_of(c, kind);

    (void)buf_addf(to, "%s._tcp.%.*s. IN SRV ", service, STR_FMT(domain));
    if (l)
        (void)buf_addf(to, "0 1 %u %.*s.\n", l->at.port, STR_FMT(c->hostname));
    else
        (void)buf_add(to, STR("0 0 0 .\n"));
}

bool clients_records(const struct config *c, struct str domain, struct buf *to)
{
    service_record(c, domain, "_submissions", LISTENER_SUBMISSIONS, to);
    service_record(c, domain, "_submission", LISTENER_SUBMISSION, to);
    if (c->web_listener_count == 0)
        return buf_ok(to);
    (void)buf_addf(to, "autoconfig.%.*s. IN CNAME %.*s.\n", STR_FMT(domain), STR_FMT(c->hostname));
    return buf_addf(to, "_autodiscover._tcp.%.*s. IN SRV 0 1 %u %.*s.\n", STR_FMT(domain),
                    c->web_listeners[0].port, STR_FMT(c->hostname));
}

/* Rows ----------------------------------------------------------------------------------------- */

static void row(struct json *j, const char *name, const struct buf *text)
{
    json_object(j);
    json_key(j, "name");
    json_str(j, str_of(name));
    json_key(j, "text");
    json_str(j, buf_str(text));
    json_object_end(j);
}

bool clients_rows(const struct config *c, struct str domain, struct buf *to)
{
    const struct clients_for who = { .domain = domain };
    struct buf text;
    struct json j;

    buf_init(&text, TEXT_MAX);
    json_begin(&j, to);
    (void)clients_records(c, domain, &text);
    row(&j, "records", &text);
    buf_clear(&text);
    (void)clients_autoconfig(c, &who, &text);
    row(&j, "autoconfig", &text);
    buf_clear(&text);
    (void)clients_autodiscover(c, &who, &text);
    row(&j, "autodiscover", &text);
    buf_done(&text);
    return buf_ok(to);
}

// SPDX-License-Identifier: Apache-2.0
/* cli/command_send.c - baton send: one message by SMTP, as any client would, over libcurl. Trusts
 * no certificate that it cannot verify. */
#include <curl/curl.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/show.h"
#include "io/disk.h"

#define MESSAGE_BYTES_MAX (512 * 1024 * 1024)
#define PASSWORD_BYTES_MAX 4096
#define SEND_TIMEOUT_S 900L

enum send_tls { SEND_PLAIN, SEND_STARTTLS, SEND_IMPLICIT };

struct sending {
    const struct cli_args *args;
    struct arena arena;
    struct buf message; /* lines ended by CRLF */
    size_t sent;
    enum send_tls tls;
    struct str user, password;
    struct buf last;     /* the server's last line, */
    struct buf refusal;  /* and the last of its lines that refused something */
    bool rcpt_is_next;   /* the next reply is to a RCPT */
    bool secret_is_next; /* what we say next is part of AUTH */
    size_t rcpts_refused;
};

/* The message ---------------------------------------------------------------------------------- */

static bool read_stdin(struct buf *to, struct err *err)
{
    struct buf text;

    buf_init(&text, MESSAGE_BYTES_MAX);
    bool ok = cli_read_stdin(&text, err);
    if (ok)
        cli_add_lines(to, buf_str(&text)); /* bare CR is for the server to refuse */
    buf_done(&text);
    return ok;
}

/* NULL: nobody says. */
static const char *sender(const struct cli_args *a)
{
    if (args_has(a, FLAG_FROM))
        return a->flags[FLAG_FROM];
    if (args_has(a, FLAG_USER) && strchr(a->flags[FLAG_USER], '@'))
        return a->flags[FLAG_USER];
    return NULL;
}

/* A header value as it was given, without what could end its line. */
static void add_header(struct buf *to, const char *name, const char *value)
{
    (void)buf_addf(to, "%s: ", name);
    show_clean(to, str_of(value), false);
    (void)buf_add(to, STR("\r\n"));
}

static void make_message(struct sending *s)
{
    const struct cli_args *a = s->args;

    add_header(&s->message, "From", sender(a));
    for (size_t i = 0; i < a->to_count; i++)
        add_header(&s->message, i == 0 ? "To" : "Cc", a->to[i]);
    add_header(&s->message, "Subject",
               args_has(a, FLAG_SUBJECT) ? a->flags[FLAG_SUBJECT] : "a test");
    (void)buf_addf(&s->message,
                   "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                   "This message was made by baton send.\r\n");
}

static bool read_message(struct sending *s, struct err *err)
{
    const struct cli_args *a = s->args;
    struct str text;

    buf_init(&s->message, MESSAGE_BYTES_MAX + MESSAGE_BYTES_MAX / 2);
    if (a->arg_count == 0) {
        make_message(s);
        return true;
    }
    if (strcmp(a->args[0], "-") == 0)
        return read_stdin(&s->message, err);
    if (!disk_read_file(a->args[0], MESSAGE_BYTES_MAX, &s->arena, &text, err))
        return false;
    cli_add_lines(&s->message, text);
    return buf_ok(&s->message) || err_set(err, ERR_LIMIT, "%s: too large", a->args[0]);
}

static bool read_password(struct sending *s, struct err *err)
{
    const struct cli_args *a = s->args;

    if (args_has(a, FLAG_USER) != args_has(a, FLAG_PASSWORD_FILE))
        return err_set(err, ERR_SYNTAX, "expected both --user and --password-file, or neither");
    if (!args_has(a, FLAG_USER))
        return true;
    if (!disk_read_file(a->flags[FLAG_PASSWORD_FILE], PASSWORD_BYTES_MAX, &s->arena, &s->password,
                        err))
        return false;
    s->user = str_of(a->flags[FLAG_USER]);
    s->password =
        arena_str(&s->arena, str_trim(str_sub(s->password, 0, str_index(s->password, '\n'))));
    return true;
}

/* What libcurl calls --------------------------------------------------------------------------- */

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
    struct sending *s = arg;
    struct str rest = str_sub(buf_str(&s->message), s->sent, size * count);

    if (rest.len > 0)
        memcpy(to, rest.ptr, rest.len);
    s->sent += rest.len;
    return rest.len;
}

static void trace(const struct sending *s, const char *arrow, struct str line)
{
    struct buf text;

    if (!args_has(s->args, FLAG_TRACE))
        return;
    buf_init(&text, 64 * 1024);
    (void)buf_addf(&text, "%s ", arrow);
    show_clean(&text, line, false);
    (void)buf_add_char(&text, '\n');
    (void)cli_print(&text);
    buf_done(&text);
}

/* What follows AUTH, and its initial response, is a password or holds one. */
static void heard_from_us(struct sending *s, struct str line)
{
    s->rcpt_is_next = str_starts_nocase(line, STR("RCPT "));
    if (s->secret_is_next) {
        trace(s, "->", STR("(secret)"));
    } else if (str_starts_nocase(line, STR("AUTH "))) {
        size_t mechanism = 5 + str_index(str_skip(line, 5), ' ');
        trace(s, "->", str_sub(line, 0, mechanism));
        s->secret_is_next = true;
    } else {
        trace(s, "->", line);
    }
}

static void heard_from_server(struct sending *s, struct str line)
{
    buf_clear(&s->last);
    (void)buf_add(&s->last, line);
    if (line.len > 0 && (line.ptr[0] == '4' || line.ptr[0] == '5')) {
        buf_clear(&s->refusal);
        (void)buf_add(&s->refusal, line);
    }
    if (s->rcpt_is_next && line.len > 0 && line.ptr[0] != '2')
        s->rcpts_refused++;
    s->rcpt_is_next = false;
    s->secret_is_next = str_starts(line, STR("334"));
    trace(s, "<-", line);
}

static int on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *arg)
{
    struct str text = str_make(data, size), line;

    (void)curl;
    while ((type == CURLINFO_HEADER_IN || type == CURLINFO_HEADER_OUT) &&
           str_next(&text, '\n', &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (type == CURLINFO_HEADER_IN)
            heard_from_server(arg, line);
        else
            heard_from_us(arg, line);
    }
    return 0;
}

/* The transfer --------------------------------------------------------------------------------- */

static enum send_tls tls_wanted(const struct cli_args *a)
{
    const char *mode = a->flags[FLAG_TLS];

    if (!mode)
        return args_has(a, FLAG_USER) || args_has(a, FLAG_CA) ? SEND_STARTTLS : SEND_PLAIN;
    return strcmp(mode, "implicit") == 0   ? SEND_IMPLICIT
           : strcmp(mode, "starttls") == 0 ? SEND_STARTTLS
                                           : SEND_PLAIN;
}

static const char *url_of(struct sending *s)
{
    const struct cli_args *a = s->args;
    struct str server = str_of(args_has(a, FLAG_SERVER) ? a->flags[FLAG_SERVER] : "127.0.0.1");
    size_t colon = str_index_last(server, ':');
    bool has_port =
        colon < server.len && str_index(str_skip(server, colon), ']') == server.len - colon;
    unsigned port = s->tls == SEND_IMPLICIT ? 2465 : s->user.len > 0 ? 2587 : 2525;
    const char *scheme = s->tls == SEND_IMPLICIT ? "smtps" : "smtp";

    if (has_port)
        return arena_strf(&s->arena, "%s://%.*s", scheme, STR_FMT(server)).ptr;
    return arena_strf(&s->arena, "%s://%.*s:%u", scheme, STR_FMT(server), port).ptr;
}

static struct curl_slist *set_envelope(CURL *curl, struct sending *s)
{
    const struct cli_args *a = s->args;
    struct curl_slist *rcpts = NULL;

    for (size_t i = 0; i < a->to_count; i++)
        rcpts = curl_slist_append(rcpts, a->to[i]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender(a));
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, rcpts);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    return rcpts;
}

static void set_security(CURL *curl, struct sending *s)
{
    const struct cli_args *a = s->args;

    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     s->tls == SEND_PLAIN ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (args_has(a, FLAG_CA)) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, a->flags[FLAG_CA]);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (s->user.len > 0) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, s->user.ptr);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, s->password.ptr);
    }
}

static void set_content(CURL *curl, struct sending *s)
{
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, s);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->message.len);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, s);
}

/* What the server said says more than what libcurl makes of it. */
static enum cli_exit failed(const struct sending *s, CURLcode code, const char *why)
{
    struct buf text;

    if (code == CURLE_OPERATION_TIMEDOUT)
        return cli_fail(CLI_TIMEOUT, "no answer in time");
    buf_init(&text, 64 * 1024);
    show_clean(&text, buf_str(&s->refusal), false);
    enum cli_exit result = cli_fail(code == CURLE_LOGIN_DENIED ? CLI_DENIED : CLI_FAILED, "%s",
                                    text.len > 0 ? buf_cstr(&text) : why);
    buf_done(&text);
    return result;
}

static enum cli_exit taken(const struct sending *s)
{
    enum cli_exit result = CLI_OK;
    struct buf text;

    buf_init(&text, 64 * 1024);
    show_clean(&text, buf_str(&s->last), false);
    (void)buf_add_char(&text, '\n');
    if (!args_has(s->args, FLAG_TRACE))
        result = cli_print(&text);
    buf_done(&text);
    if (result == CLI_OK && s->rcpts_refused > 0)
        result = cli_fail(CLI_PARTIAL, "%zu of %zu recipients were refused", s->rcpts_refused,
                          s->args->to_count);
    return result;
}

static enum cli_exit transfer(struct sending *s)
{
    CURL *curl = curl_easy_init();
    char why[CURL_ERROR_SIZE] = "";

    if (!curl)
        return cli_fail(CLI_FAILED, "libcurl does not start");
    curl_easy_setopt(curl, CURLOPT_URL, url_of(s));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, SEND_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    struct curl_slist *rcpts = set_envelope(curl, s);
    set_security(curl, s);
    set_content(curl, s);
    CURLcode code = curl_easy_perform(curl);
    enum cli_exit result =
        code == CURLE_OK ? taken(s) : failed(s, code, why[0] ? why : curl_easy_strerror(code));
    curl_easy_cleanup(curl); /* says QUIT */
    curl_slist_free_all(rcpts);
    return result;
}

/* The server judges addresses; here only what would be a second command is kept out, since libcurl
 * passes line ends on. */
static bool is_one_line(const char *address)
{
    return strpbrk(address, "\r\n") == NULL;
}

static bool addresses_ok(const struct cli_args *a)
{
    for (size_t i = 0; i < a->to_count; i++)
        if (!is_one_line(a->to[i]))
            return false;
    return is_one_line(sender(a));
}

static enum cli_exit prepare(struct sending *s)
{
    struct err err;

    if (s->args->to_count == 0 || !sender(s->args))
        return cli_fail(CLI_USAGE, "expected --%s ADDRESS", s->args->to_count == 0 ? "to" : "from");
    if (!addresses_ok(s->args))
        return cli_fail(CLI_USAGE, "an address with a line end in it");
    if (!read_password(s, &err) || !read_message(s, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    s->tls = tls_wanted(s->args);
    if (s->tls == SEND_PLAIN && s->user.len > 0)
        return cli_fail(
            CLI_USAGE,
            "a password does not travel in the clear: expected --tls starttls or implicit");
    return CLI_OK;
}

enum cli_exit send_run(const struct cli_args *a)
{
    struct sending s = { .args = a };

    arena_init(&s.arena, 4096);
    buf_init(&s.last, 64 * 1024);
    buf_init(&s.refusal, 64 * 1024);
    enum cli_exit result = prepare(&s);
    if (result == CLI_OK)
        result = transfer(&s);
    buf_done(&s.last);
    buf_done(&s.refusal);
    buf_done(&s.message);
    arena_done(&s.arena);
    return result;
}

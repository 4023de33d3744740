// SPDX-License-Identifier: Apache-2.0
/* mail/content.c - where DATA ends, and what its octets are.
 *
 * All three stories here are on the hot path and are written the same way: `marks` finds the next
 * octets that matter by memchr, everything before them is handled as one run, and only around line
 * ends is there a state machine. Each mark is looked for once, so that the cost is linear in the
 * bytes whatever they are. */
#include "mail/content.h"

enum { LINE_MAX_OCTETS = 998 }; /* without CRLF: RFC 5322 §2.1.1 */

/* The next CR, LF and NUL of a piece of content; its end where there is none. */
struct marks {
    struct str in;
    size_t cr, lf, nul;
};

static size_t find_from(struct str in, size_t from, char c)
{
    return from + str_index(str_skip(in, from), c);
}

static void marks_init(struct marks *m, struct str in)
{
    *m = (struct marks){
        .in = in,
        .cr = find_from(in, 0, '\r'),
        .lf = find_from(in, 0, '\n'),
        .nul = find_from(in, 0, '\0'),
    };
}

/* Moves the marks that lie before `from`. */
static inline void marks_move(struct marks *m, size_t from)
{
    if (m->cr < from)
        m->cr = find_from(m->in, from, '\r');
    if (m->lf < from)
        m->lf = find_from(m->in, from, '\n');
    if (m->nul < from)
        m->nul = find_from(m->in, from, '\0');
}

static inline size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t marks_next(const struct marks *m)
{
    return lesser(m->cr, lesser(m->lf, m->nul));
}

static bool has_eight_bit(struct str bytes)
{
    const uint64_t high = 0x8080808080808080u;
    uint64_t word, seen = 0;
    size_t at = 0;

    for (; at + sizeof(word) <= bytes.len; at += sizeof(word)) {
        memcpy(&word, bytes.ptr + at, sizeof(word));
        seen |= word;
    }
    for (; at < bytes.len; at++)
        seen |= (unsigned char)bytes.ptr[at];
    return (seen & high) != 0;
}

/* A line has grown; how long it is beyond the limit doesn't matter. */
static inline void line_grow(uint32_t *line_len, struct content_facts *facts, size_t octets)
{
    if (octets > LINE_MAX_OCTETS || *line_len + octets > LINE_MAX_OCTETS) {
        facts->binary = true;
        *line_len = LINE_MAX_OCTETS + 1;
    } else {
        *line_len += (uint32_t)octets;
    }
}

/* Reading DATA --------------------------------------------------------------------------------- */

enum {
    AT_LINE_START, /* behind CRLF; at first, behind that of the DATA command */
    AT_TEXT,
    AT_CR,     /* behind a CR that may be half a line end */
    AT_DOT,    /* behind a dot at a line's start, which is not content */
    AT_DOT_CR, /* behind such a dot and a CR: LF ends it all */
};

/* A CR or LF may become two octets: less room than that is none. */
enum { ROOM_MIN = 2 };

void data_reader_init(struct data_reader *r, enum data_strictness strictness)
{
    *r = (struct data_reader){ .strictness = strictness, .state = AT_LINE_START };
}

static void append(struct data_reader *r, struct str bytes, struct buf *to)
{
    if (r->fault != DATA_OK || bytes.len == 0)
        return;
    if (!r->facts.eight_bit)
        r->facts.eight_bit = has_eight_bit(bytes);
    (void)buf_add(to, bytes); /* data_read() has looked for room */
}

static void end_line(struct data_reader *r, struct buf *to)
{
    append(r, STR("\r\n"), to);
    r->line_len = 0;
}

/* A bare CR or LF, or a NUL: told, or mended; never a line's end for a dot behind it (B01). */
static void bare(struct data_reader *r, enum data_fault fault, struct buf *to)
{
    r->state = AT_TEXT;
    if (r->strictness == DATA_NORMALIZE) {
        if (fault != DATA_NUL)
            end_line(r, to);
    } else if (r->fault == DATA_OK) {
        r->fault = fault;
        r->facts.binary = true;
    }
}

/* Takes whole lines, and the part of one, from `from` to the next octet that needs thought. */
static size_t read_lines(struct data_reader *r, struct marks *m, size_t from, size_t end,
                         struct buf *to)
{
    size_t at = from;

    while (at < end) {
        size_t stop;

        if (r->state == AT_LINE_START && m->in.ptr[at] == '.')
            break;
        marks_move(m, at);
        stop = lesser(marks_next(m), end);
        if (stop > at) {
            r->state = AT_TEXT;
            line_grow(&r->line_len, &r->facts, stop - at);
            at = stop;
        }
        if (at != m->cr || m->lf != at + 1 || m->lf >= end)
            break;
        r->state = AT_LINE_START;
        r->line_len = 0;
        at += 2;
    }
    append(r, str_sub(m->in, from, at - from), to);
    return at - from;
}

/* One octet where lines meet. Returns whether it was eaten: what turns out to follow a bare CR or a
 * dot is looked at again, in the state that this has led to. */
static bool read_edge(struct data_reader *r, char c, struct buf *to)
{
    switch (r->state) {
    case AT_DOT:
        r->state = c == '\r' ? AT_DOT_CR : AT_TEXT;
        return c == '\r';
    case AT_DOT_CR:
        if (c == '\n') {
            r->ended = true;
            r->facts.ends_crlf = true;
            return true;
        }
        bare(r, DATA_BARE_CR, to);
        return false;
    case AT_CR:
        if (c != '\n') {
            bare(r, DATA_BARE_CR, to);
            return false;
        }
        end_line(r, to);
        r->state = AT_LINE_START;
        return true;
    default:
        break;
    }
    if (c == '\r')
        r->state = AT_CR;
    else if (c == '.')
        r->state = AT_DOT;
    else
        bare(r, c == '\n' ? DATA_BARE_LF : DATA_NUL, to);
    return true;
}

size_t data_read(struct data_reader *r, struct str in, struct buf *to)
{
    struct marks m;
    size_t at = 0;

    marks_init(&m, in);
    while (at < in.len && !r->ended) {
        size_t room = r->fault == DATA_OK ? to->max - to->len : SIZE_MAX;
        size_t took = 0;

        if (room < ROOM_MIN)
            break;
        if (r->state == AT_LINE_START || r->state == AT_TEXT)
            took = read_lines(r, &m, at, room < in.len - at ? at + room : in.len, to);
        if (took == 0)
            took = read_edge(r, in.ptr[at], to);
        at += took;
    }
    return at;
}

/* Looking at what came by BDAT ----------------------------------------------------------------- */

void content_scan_init(struct content_scan *s)
{
    *s = (struct content_scan){ .facts = { .ends_crlf = true } };
}

static void scan_fault(struct content_scan *s, enum data_fault fault)
{
    s->facts.binary = true;
    if (s->fault == DATA_OK)
        s->fault = fault;
}

/* The octet at `at` is a CR, LF or NUL. Returns where to go on. */
static size_t scan_mark(struct content_scan *s, const struct marks *m, size_t at)
{
    if (at == m->nul) {
        scan_fault(s, DATA_NUL);
        return at + 1;
    }
    if (at == m->cr && at + 1 == m->in.len)
        return at + 1; /* the next piece, or the end, tells */
    if (at == m->cr && at + 1 != m->lf) {
        scan_fault(s, DATA_BARE_CR);
        return at + 1;
    }
    if (at == m->lf)
        scan_fault(s, DATA_BARE_LF);
    s->line_len = 0;
    return m->lf + 1;
}

void content_scan(struct content_scan *s, struct str bytes)
{
    struct marks m;
    size_t at = 0;

    if (bytes.len == 0)
        return;
    if (s->last == '\r' && bytes.ptr[0] == '\n') {
        s->line_len = 0;
        at = 1;
    } else if (s->last == '\r') {
        scan_fault(s, DATA_BARE_CR);
    }

    marks_init(&m, bytes);
    while (at < bytes.len) {
        size_t stop;

        marks_move(&m, at);
        stop = lesser(marks_next(&m), bytes.len);
        line_grow(&s->line_len, &s->facts, stop - at);
        at = stop < bytes.len ? scan_mark(s, &m, stop) : stop;
    }

    if (!s->facts.eight_bit)
        s->facts.eight_bit = has_eight_bit(bytes);
    s->facts.ends_crlf = bytes.ptr[bytes.len - 1] == '\n' &&
                         (bytes.len > 1 ? bytes.ptr[bytes.len - 2] : (char)s->last) == '\r';
    s->last = (uint8_t)bytes.ptr[bytes.len - 1];
}

void content_scan_end(struct content_scan *s)
{
    if (s->last == '\r')
        scan_fault(s, DATA_BARE_CR);
}

/* Writing DATA --------------------------------------------------------------------------------- */

void data_writer_init(struct data_writer *w)
{
    *w = (struct data_writer){ .at_line_start = true, .last = '\n' };
}

bool data_write(struct data_writer *w, struct str content, struct buf *to)
{
    size_t from = 0, dot = 0;

    if (content.len == 0)
        return buf_ok(to);
    while ((dot = find_from(content, dot, '.')) < content.len) {
        /* Behind a bare LF too, which has no place here: a peer that takes it for a line's end must
         * not find the message's end behind it. */
        if ((dot > 0 ? content.ptr[dot - 1] : (char)w->last) == '\n') {
            buf_add(to, str_sub(content, from, dot + 1 - from));
            from = dot;
        }
        dot++;
    }
    buf_add(to, str_skip(content, from));

    w->at_line_start = content.ptr[content.len - 1] == '\n' &&
                       (content.len > 1 ? content.ptr[content.len - 2] : (char)w->last) == '\r';
    w->last = (uint8_t)content.ptr[content.len - 1];
    return buf_ok(to);
}

bool data_write_end(struct data_writer *w, struct buf *to)
{
    return buf_add(to, w->at_line_start ? STR(".\r\n") : STR("\r\n.\r\n"));
}

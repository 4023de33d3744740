// SPDX-License-Identifier: Apache-2.0
/* accept/proxy.c - the PROXY header, versions 1 and 2 (R34, fault B14). */
#include "accept/proxy.h"

#define V1_BYTES_MAX 107 /* the longest line of version 1, CRLF included */
#define V2_HEAD_BYTES 16

static const struct str v1_magic = { "PROXY ", 6 };
static const struct str v2_magic = { "\r\n\r\n\0\r\nQUIT\n", 12 };

enum v2_command { V2_LOCAL = 0, V2_PROXY = 1 };
enum v2_family { V2_TCP4 = 0x11, V2_TCP6 = 0x21 };
enum { V2_TCP4_BYTES = 12, V2_TCP6_BYTES = 36 };

static enum proxy_read bad(struct err *err, const char *why)
{
    err_set(err, ERR_SYNTAX, "PROXY header: %s", why);
    return PROXY_BAD;
}

/* Whether `bytes` could still become something that begins with `magic`. */
static bool agrees(struct str bytes, struct str magic)
{
    size_t len = bytes.len < magic.len ? bytes.len : magic.len;

    return str_eq(str_sub(bytes, 0, len), str_sub(magic, 0, len));
}

static size_t v2_len(struct str bytes)
{
    return V2_HEAD_BYTES +
           (((size_t)(unsigned char)bytes.ptr[14] << 8) | (unsigned char)bytes.ptr[15]);
}

static uint16_t port_of(const char *at)
{
    return (uint16_t)(((unsigned char)at[0] << 8) | (unsigned char)at[1]);
}

static enum proxy_read v2_address(struct str bytes, struct proxy_header *ret, struct err *err)
{
    const char *at = bytes.ptr + V2_HEAD_BYTES;
    size_t room = ret->len - V2_HEAD_BYTES;

    switch ((unsigned char)bytes.ptr[13]) {
    case V2_TCP4:
        if (room < V2_TCP4_BYTES)
            return bad(err, "too short for an IPv4 connection");
        ret->client.ip = ip_make4((const uint8_t *)at);
        ret->client.port = port_of(at + 8);
        return PROXY_DONE;
    case V2_TCP6:
        if (room < V2_TCP6_BYTES)
            return bad(err, "too short for an IPv6 connection");
        ret->client.ip = ip_make6((const uint8_t *)at);
        ret->client.port = port_of(at + 32);
        return PROXY_DONE;
    default:
        return bad(err, "not a TCP connection");
    }
}

static enum proxy_read v2_parse(struct str bytes, struct proxy_header *ret, struct err *err)
{
    struct proxy_header h = { 0 };
    unsigned char version_command;

    if (bytes.len < V2_HEAD_BYTES)
        return PROXY_MORE;
    version_command = (unsigned char)bytes.ptr[12];
    h.len = v2_len(bytes);
    if (version_command >> 4 != 2)
        return bad(err, "version is neither 1 nor 2");
    if (h.len > PROXY_BYTES_MAX) {
        err_set(err, ERR_LIMIT, "PROXY header: over %d octets", PROXY_BYTES_MAX);
        return PROXY_BAD;
    }
    if (bytes.len < h.len)
        return PROXY_MORE;
    switch (version_command & 15) {
    case V2_LOCAL:
        break;
    case V2_PROXY:
        if (v2_address(bytes, &h, err) == PROXY_BAD)
            return PROXY_BAD;
        break;
    default:
        return bad(err, "command is neither LOCAL nor PROXY");
    }
    *ret = h;
    return PROXY_DONE;
}

static bool v1_port(struct str word, uint16_t *ret)
{
    uint64_t port;

    if ((word.len > 1 && word.ptr[0] == '0') || !str_to_u64(word, UINT16_MAX, &port))
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* "TCP4 192.0.2.1 192.0.2.9 56324 25" */
static bool v1_words(struct str line, struct proxy_header *ret)
{
    struct str protocol, source, target, source_port, target_port;
    struct ip target_ip;
    uint16_t port;
    uint8_t family;

    if (!str_cut(line, ' ', &protocol, &line) || !str_cut(line, ' ', &source, &line) ||
        !str_cut(line, ' ', &target, &line) || !str_cut(line, ' ', &source_port, &target_port))
        return false;
    family = str_eq(protocol, STR("TCP4")) ? 4 : str_eq(protocol, STR("TCP6")) ? 6 : 0;
    /* The spelling decides the family: "::ffff:192.0.2.1" is IPv6 here, though one host to us. */
    if (family == 0 || (str_index(source, ':') < source.len) != (family == 6))
        return false;
    return ip_parse(source, &ret->client.ip, NULL) && ip_parse(target, &target_ip, NULL) &&
           v1_port(source_port, &ret->client.port) && v1_port(target_port, &port);
}

static enum proxy_read v1_parse(struct str bytes, struct proxy_header *ret, struct err *err)
{
    size_t end = str_index(str_sub(bytes, 0, V1_BYTES_MAX), '\n');
    struct str line = str_sub(bytes, v1_magic.len, end - v1_magic.len);
    struct proxy_header h = { .len = end + 1 };

    if (end >= V1_BYTES_MAX) {
        err_set(err, ERR_LIMIT, "PROXY header: over %d octets", V1_BYTES_MAX);
        return PROXY_BAD;
    }
    if (end == bytes.len)
        return PROXY_MORE;
    if (line.len == 0 || line.ptr[line.len - 1] != '\r')
        return bad(err, "the line does not end with CRLF");
    line.len--;
    if (!str_eq(line, STR("UNKNOWN")) && !str_starts(line, STR("UNKNOWN ")) && !v1_words(line, &h))
        return bad(err, "not \"PROXY TCP4|TCP6 source target port port\"");
    *ret = h;
    return PROXY_DONE;
}

enum proxy_read proxy_parse(struct str bytes, struct proxy_header *ret, struct err *err)
{
    if (agrees(bytes, v2_magic))
        return bytes.len < v2_magic.len ? PROXY_MORE : v2_parse(bytes, ret, err);
    if (agrees(bytes, v1_magic))
        return bytes.len < v1_magic.len ? PROXY_MORE : v1_parse(bytes, ret, err);
    return bad(err, "the connection does not begin with one");
}

size_t proxy_wants(struct str bytes)
{
    if (bytes.len == 0)
        return v1_magic.len;
    if (bytes.ptr[0] == 'P' || bytes.len < v2_magic.len)
        return bytes.ptr[0] == 'P' ? 1 : v2_magic.len - bytes.len;
    if (bytes.len < V2_HEAD_BYTES)
        return V2_HEAD_BYTES - bytes.len;
    return v2_len(bytes) > bytes.len ? v2_len(bytes) - bytes.len : 1;
}

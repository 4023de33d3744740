// SPDX-License-Identifier: Apache-2.0
/* base/hash.c - SipHash-2-4 (Aumasson and Bernstein) of text, under the key of this process
 * or one of the caller's. */
#include "base/map.h"

static uint64_t hash_key[2];

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t load_le(const char *ptr, size_t len)
{
    uint64_t word = 0;

    if (len > 0)
        memcpy(&word, ptr, len);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* ASCII upper case to lower in all 8 bytes at once. */
static uint64_t fold_word(uint64_t word)
{
    const uint64_t each = 0x0101010101010101U;
    uint64_t low = word & (0x7f * each);
    uint64_t from_a = low + (0x80 - 'A') * each; /* bit 7 set where the byte is >= 'A' */
    uint64_t past_z = low + (0x7f - 'Z') * each; /* bit 7 set where it is > 'Z' */
    uint64_t upper = from_a & ~past_z & ~word & (0x80 * each);

    return word | upper >> 2;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static uint64_t sip_hash(const uint64_t key[2], struct str text, bool nocase)
{
    struct sip s = {
        .v0 = key[0] ^ 0x736f6d6570736575U,
        .v1 = key[1] ^ 0x646f72616e646f6dU,
        .v2 = key[0] ^ 0x6c7967656e657261U,
        .v3 = key[1] ^ 0x7465646279746573U,
    };
    size_t at = 0;
    uint64_t word;

    for (; text.len - at >= 8; at += 8) {
        word = load_le(text.ptr + at, 8);
        sip_word(&s, nocase ? fold_word(word) : word);
    }
    word = text.len > at ? load_le(text.ptr + at, text.len - at) : 0;
    sip_word(&s, (nocase ? fold_word(word) : word) | (uint64_t)text.len << 56);

    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static void key_load(const uint8_t key[16], uint64_t words[2])
{
    words[0] = load_le((const char *)key, 8);
    words[1] = load_le((const char *)key + 8, 8);
}

void hash_set_key(const uint8_t key[16])
{
    key_load(key, hash_key);
}

uint64_t hash_str(struct str text)
{
    return sip_hash(hash_key, text, false);
}

uint64_t hash_str_nocase(struct str text)
{
    return sip_hash(hash_key, text, true);
}

uint64_t hash_str_nocase_by(const uint8_t key[16], struct str text)
{
    uint64_t words[2];

    key_load(key, words);
    return sip_hash(words, text, true);
}

// SPDX-License-Identifier: Apache-2.0
/* io/ring.h - shared memory in which bodies travel from one role to another: one writer, one
 * reader, mapped twice in a row so that no extent wraps (design.md §3 "Bodies").
 *
 * Positions count all bytes ever written. The writer puts an extent and tells (position, length) by
 * a frame; the reader copies the next extent out, in order, and returns the position it has reached
 * as credit. The reader believes no position: ring_read() refuses what is not the exact next
 * extent. */
#pragma once

#include "base/err.h"

#define RING_BYTES (16u * 1024 * 1024)

struct ring;

/* The writer's side; *ret_fd (sealed against resizing) is for the reader. ret_fd NULL: both are in
 * one process, see ring_share(). The size is a multiple of a page. */
MUST_USE bool ring_new(size_t size_bytes, struct ring **ret, int *ret_fd, struct err *err);
/* The same in two steps, for super, which makes the memory, and the writer's process, which maps it
 * and then seals it against any other writer. The reader's ring_map() must come after that. The
 * descriptor stays the caller's. */
MUST_USE bool ring_make(size_t size_bytes, int *ret_fd, struct err *err);
MUST_USE bool ring_map_writer(int fd, size_t size_bytes, struct ring **ret, struct err *err);
/* The reader's side of the memfd; read-only; owns and closes the descriptor. */
MUST_USE bool ring_map(int fd, size_t size_bytes, struct ring **ret, struct err *err);
/* The reader's side of a ring made in this process. */
struct ring *ring_share(struct ring *writer);
void ring_free(struct ring *r);

/* Writer: copies bytes in; false when there is no room until more credit comes. */
MUST_USE bool ring_put(struct ring *r, struct str bytes, uint64_t *ret_position);
/* Writer: the reader has taken everything before `position`. ERR_SYNTAX when that is nonsense. */
MUST_USE bool ring_credit(struct ring *r, uint64_t position, struct err *err);
size_t ring_room(const struct ring *r);

/* Reader: copies the extent out to `to`. ERR_SYNTAX unless it is the exact next one. */
MUST_USE bool ring_read(struct ring *r, uint64_t position, size_t len, void *to, struct err *err);
/* Reader: everything before this was taken; what to send as credit. */
uint64_t ring_taken(const struct ring *r);

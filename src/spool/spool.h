// SPDX-License-Identifier: Apache-2.0
/* spool/spool.h - the heart: an append-only log of reused segments that keeps every promise of delivery.
 *
 * Invariants
 *  1. We reply 250 only after spool_commit() returned true: every record of the message lies in groups that were synced.
 *  2. A recipient's new state is durable before anything acts on it: spool_settle() returned true. With the state goes,
 *     in the same record, its event and, where one is due, the notification (DSN): never two of them apart.
 *  3. Recovery reads only the spool folder, and running it again, after dying anywhere inside it, gives the same.
 *  4. A sync that failed is never retried and believed: its group is refused, its segment poisoned, and the segment
 *     after it says so, so that recovery skips the group even if its bytes reached the disk.
 *  5. A segment is reused only when no live content, no record newer than the durable snapshot, and no event behind the
 *     acknowledged cursor lies in it.
 *  6. A file that is not ours is moved to quarantine/, never deleted.
 *  7. What is not the exact next generation, length and checksum is not a record, wherever it lies.
 *
 * On disk
 *  seg-NNNNNNNN     segments, preallocated and written once in full before first use. A segment header names its
 *                   generation (rising by one with each (re)use, never repeated) and the group that was refused before it.
 *  group            what one sync made durable: a head (generation, number, length, checksum) and whole records.
 *  record           head (kind, length, checksums of envelope part and of content apart) and
 *    message        envelope, extents of the content, the content itself when it is at most 64 KiB. The commit.
 *    chunk          content of a message that has not been committed yet (larger ones stream)
 *    settle         new states of recipients, their events, and the DSN: a message record inside
 *    move           a live message copied forward by compaction: same id, new place, states as they are now
 *  snapshot-N       the index (live messages, recipients' states, cursor, next id), and the position from which the
 *                   log is replayed over it. Written beside, synced, renamed, folder synced. Replay is idempotent, so
 *                   a snapshot may be taken while work goes on (fuzzy). The caller's tally lies in it as it was at
 *                   that very position, since counting is not: each message record counts once.
 *
 * States of a recipient, what is on disk, who leaves the state, what recovery does
 *  (none)     chunks at most                      spool_commit, spool_abort   chunks without message: forgotten
 *  QUEUED     message record                      spool_settle                QUEUED, due as last settled
 *  HELD       message + settle record             spool_settle                HELD
 *  DONE       settle record, until no longer      (end)                       gone; the event is there until
 *             newer than the snapshot                                         acknowledged
 *
 * Who waits: commit and settle sync on the commit thread; reads on the read threads. core is one fiber loop and never
 * waits on the disk otherwise. Memory is bounded: content kept for the first attempt (content_memory_max; that of a
 * large message leaves memory as soon as it is durable, and is read back), and an index of index_rcpts_max recipients;
 * when it is full, later messages are parked: durable, answered 250, and known only as "everything in the log from
 * here on"; spool_refill() brings them in, in order, as room comes. */
#pragma once

#include "io/fiber.h"
#include "spool/envelope.h"
#include "spool/event.h"

struct spool;
struct spool_tx;      /* a message being received */
struct spool_message; /* a live one; the pointer holds while a recipient is live or it is pinned */

/* What the caller keeps count of, exactly, whatever the moment of a crash: each message that was committed with a mark
 * is told once, in the order of the log, when it is durable and, while opening, again unless the tally that was read
 * holds it already. Messages without a mark, notifications and what compaction copies are not told. Nothing here may
 * wait. All unset: nothing is counted. */
struct spool_tally {
    void (*count)(void *arg, const struct envelope *e, struct str mark); /* borrowed */
    bool (*write)(void *arg, struct buf *to);
    bool (*read)(void *arg, struct str bytes, struct err *err); /* false: an alarm, and it counts from nothing */
    void *arg;
};

struct spool_options {
    const char *folder;
    uint32_t segment_bytes;       /* 64 MiB */
    uint64_t disk_max_bytes;      /* all segments together; 0: what the file system gives */
    uint64_t reserve_bytes;       /* kept back for settles when the disk is full, at least two segments */
    uint64_t events_disk_max_bytes;
    uint64_t content_memory_max_bytes;
    size_t index_rcpts_max;
    size_t group_bytes_max;       /* 4 MiB */
    struct spool_tally tally;
};
void spool_options_default(struct spool_options *o);

struct spool_recovery {           /* what opening found: for the log and for `baton status` */
    uint64_t messages, rcpts, parked;
    uint64_t segments, groups_replayed, groups_torn, groups_refused;
    uint64_t records_damaged, messages_damaged, files_quarantined;
    int64_t took_ms;
};

/* Opens, recovers, starts the threads. ERR_EXISTS: another instance has it; ERR_DAMAGED only when nothing could be
 * trusted at all (single damages are told by `damaged` below and counted). Waits. */
MUST_USE bool spool_open(const struct spool_options *o, struct spool **ret, struct spool_recovery *ret_found,
                         struct err *err);
/* Finishes what is in flight, takes a snapshot, closes. Waits. */
void spool_close(struct spool *s);

/* Alarms that people must see; called on the loop. kind: "sync-failed", "record-damaged", "disk-full",
 * "disk-room-again", "quarantined", "events-dropped", … message 0: none. */
void spool_on_alarm(struct spool *s, void (*fn)(void *arg, const char *kind, uint64_t message, const char *text),
                    void *arg);

/* --- receiving --- */

/* Never waits, never fails; content is copied. What does not fit is told by commit. */
struct spool_tx *spool_begin(struct spool *s);
void spool_add(struct spool_tx *tx, struct str content);
/* A few bytes for struct spool_tally, kept with the message's record. Borrowed until the commit. */
void spool_mark(struct spool_tx *tx, struct str mark);
/* Durable when true: the point of 250. e->size_bytes must be what was added. The transaction is gone either way.
 * *ret_id names it; *ret is the message, NULL when it was parked. ERR_FULL: no room on disk (452 4.3.1), or in memory
 * for what all transactions gather together: never for the size of one; ERR_IO: the disk failed (451 4.3.0). Waits. */
MUST_USE bool spool_commit(struct spool_tx *tx, const struct envelope *e, uint64_t *ret_id, struct spool_message **ret,
                           struct err *err);
void spool_abort(struct spool_tx *tx);
/* True while memory for content that is not yet durable is over its bound: give no ring credit. */
bool spool_is_behind(const struct spool *s);
struct gate *spool_room(struct spool *s);
/* False: new messages would be refused with ERR_FULL; settles still work from the reserve. */
bool spool_accepts(const struct spool *s);

/* --- live messages --- */

enum rcpt_state { RCPT_QUEUED = 1, RCPT_HELD = 2, RCPT_DONE = 3 };
enum rcpt_flag { RCPT_DELAY_WARNED = 1 };

struct spool_rcpt {
    int64_t due_wall_ms;
    uint16_t tries;
    uint8_t state;
    uint8_t flags;
};

uint64_t spool_message_id(const struct spool_message *m);
uint64_t spool_message_account(const struct spool_message *m);
int64_t spool_message_accepted(const struct spool_message *m);
uint64_t spool_message_size(const struct spool_message *m);
uint32_t spool_message_rcpts(const struct spool_message *m);
const struct spool_rcpt *spool_message_rcpt(const struct spool_message *m, uint32_t rcpt);
/* A word of the caller's per message (the schedule's entry). */
void **spool_message_slot(struct spool_message *m);
/* Keeps the pointer while something else is in hand; content and envelope stay readable. */
void spool_pin(struct spool_message *m);
void spool_unpin(struct spool *s, struct spool_message *m);
/* NULL when it is not live, or parked. */
struct spool_message *spool_find(struct spool *s, uint64_t id);
/* Walks all live ones in no order: *at = 0 at first. Adding and ending messages meanwhile is fine. */
struct spool_message *spool_each(struct spool *s, size_t *at);

/* The envelope, in the arena. From memory while fresh, else from the log: then it waits. ERR_DAMAGED. Waits. */
MUST_USE bool spool_envelope(struct spool *s, struct spool_message *m, struct arena *a, struct envelope *ret,
                             struct err *err);
/* Content as received, `len` bytes from `offset`. ERR_DAMAGED: its checksum does not hold. Waits unless in memory. */
MUST_USE bool spool_content(struct spool *s, struct spool_message *m, uint64_t offset, size_t len, void *to,
                            struct err *err);
/* True while the content is in memory: spool_content will not wait. */
bool spool_content_at_hand(const struct spool_message *m);
/* After the first attempt: content may leave memory. */
void spool_content_drop(struct spool *s, struct spool_message *m);

/* --- settling --- */

struct settle_rcpt {
    uint32_t rcpt;
    struct spool_rcpt now;  /* its new state */
    struct event event;     /* position is filled in */
};
/* The notification that goes with a settle: its content is head + [original: header or all] + tail. */
struct settle_dsn {
    struct envelope envelope; /* size_bytes and header_bytes are computed here */
    struct str head, tail;
    bool original_full;
};
/* Durable when true, all of it or nothing. *ret_dsn: the notification as a live message (NULL: none asked, or parked).
 * When no recipient of m is live any more, m is gone on return unless pinned. Uses the reserve on a full disk.
 * ERR_IO: nothing has changed; try again later. Waits. */
MUST_USE bool spool_settle(struct spool *s, struct spool_message *m, const struct settle_rcpt *rcpts, size_t count,
                           const struct settle_dsn *dsn, uint64_t *ret_dsn_id, struct spool_message **ret_dsn,
                           struct err *err);

/* --- events --- */

/* Copies durable events behind *cursor, in log order, at most `max`, as event_write() bytes, and moves *cursor. None
 * new: true with nothing added. From memory for recent ones, else from the log: then it waits. Waits. */
MUST_USE bool spool_events(struct spool *s, uint64_t *cursor, size_t max, struct buf *to, struct err *err);
/* Woken when events became durable. */
struct gate *spool_events_gate(struct spool *s);
/* The reader has them all up to `position` in safety. */
void spool_events_ack(struct spool *s, uint64_t position);
uint64_t spool_events_acked(const struct spool *s);

/* --- keeping house --- */

/* Brings parked messages into the index while there is room; each is handed to fn. Waits. */
MUST_USE bool spool_refill(struct spool *s, void (*fn)(void *arg, struct spool_message *m), void *arg, struct err *err);
/* A fiber of its own calls this again and again: snapshot, compaction and preparing segments when worth it.
 * True in *ret_did when it did something. Waits. */
MUST_USE bool spool_tend(struct spool *s, bool *ret_did, struct err *err);

struct spool_figures {
    uint64_t messages, rcpts, parked_messages;
    uint64_t segments_used, segments_free, disk_bytes;
    uint64_t commits, settles, syncs, group_messages_max;
    uint64_t content_memory_bytes, index_memory_bytes;
    uint64_t events_behind_bytes, events_dropped;
    bool read_only; /* the disk failed: everything is refused with 4xx */
};
void spool_figures(const struct spool *s, struct spool_figures *ret);

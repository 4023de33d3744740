// SPDX-License-Identifier: Apache-2.0
/* spool/internal.h - the spool's parts and who owns what. Private to spool.
 *
 *   receive, settle, compact   make records, give them to
 *   commit                     which gathers groups and has them written into
 *   segment                    the table of segments and what keeps each from being reused
 *   apply                      moves the index when a record is durable, or replayed
 *   index, body                live messages; their bytes while in memory
 *   events                     the recent ones in memory, all others from the log
 *   scan                       reads the log: recover, park, events
 *   snapshot, recover          the index on disk; opening
 *
 * All of it runs on the loop, except functions that say "on a worker": those touch only their own
 * argument. */
#pragma once

#include "base/map.h"
#include "io/disk.h"
#include "io/loop.h"
#include "io/worker.h"
#include "spool/block.h"
#include "spool/format.h"

/* --- segments (segment.c) --- */

enum segment_state { SEGMENT_FREE, SEGMENT_CURRENT, SEGMENT_USED };

struct segment {
    uint32_t slot, generation; /* generation 0: never used */
    enum segment_state state;
    bool header_done;
    uint64_t size;       /* of the file */
    uint64_t used;       /* end of what is durable */
    uint64_t live_bytes; /* referred to by messages and by transactions */
    uint64_t last_event; /* position of the last event in it */
    uint64_t events;
    uint64_t last_number; /* later groups in it do not count */
    uint64_t follows;     /* by its header, while opening; UINT64_MAX: not known */
    unsigned readers;
    struct disk_file *file;
    struct list link; /* free ones */
};

struct segments {
    struct segment **all;
    size_t count, cap;
    struct idmap by_generation;
    struct list free;
    size_t free_count;
    uint32_t slot_next, generation; /* generation: the highest ever seen */
    uint64_t bytes;                 /* all files together */
    uint64_t room_bytes;            /* what the file system gave at the last look */
    bool preparing, prepare_failed;
};

struct segment *segment_add(struct spool *s, const struct segment *of);
struct segment *segment_at(const struct spool *s, uint64_t position);
/* The next one to write, its generation given; NULL when there is none yet. */
struct segment *segment_take(struct spool *s);
void segment_live(struct spool *s, uint64_t position, int64_t bytes);
/* How many segments there are or may still be made. */
size_t segments_available(const struct spool *s);
/* Makes those free that nothing keeps; *ret_waiting: how many only wait for a snapshot. */
size_t segments_reclaim(struct spool *s, size_t *ret_waiting, uint64_t *ret_waiting_bytes);
/* Starts making one more on a helper when fewer than two are free and disk_max allows. */
void segments_prepare(struct spool *s);
/* The same at once, while opening. */
MUST_USE bool segment_prepare_now(struct spool *s, struct err *err);
const char *segment_name(uint32_t slot, char name[32]);
void segments_done(struct spool *s);

/* --- groups (commit.c) --- */

struct record {
    struct block *front; /* head and envelope part */
    struct piece *piece; /* content, or NULL */
    uint32_t offset;     /* in the group */
    /* When durable, or refused; the front is given back afterwards unless it was taken (set NULL).
     */
    void (*done)(struct spool *s, struct record *r, uint64_t position, const struct err *failed);
    void *arg;
};
struct group;

/* A front with room for `envelope` behind the head, the head filled in but for what commit knows.
 */
struct block *front_new(struct spool *s, enum record_kind kind, uint64_t id, struct str envelope,
                        const struct piece *piece);
static inline struct str front_envelope(const struct block *front)
{
    struct record_head head;

    memcpy(&head, front->bytes, sizeof(head));
    return str_make(front->bytes + sizeof(head), head.envelope_len);
}
/* Queues it; owns front and one reference of piece. Urgent: somebody waits who holds up a client.
 */
void commit_add(struct spool *s, const struct record *r, bool urgent);
size_t record_bytes_max(const struct spool *s);
/* Sends the next group on its way when it can. */
void commit_pump(struct spool *s);
/* After a failure: tries to open a segment that says so. */
void commit_repair(struct spool *s);
void commit_init(struct spool *s);
void commit_done(struct spool *s);

/* What a fiber waits for after commit_add. */
struct durable {
    struct gate gate;
    bool done;
    struct err failed; /* ERR_NONE: it is durable */
};
static inline void durable_init(struct durable *d)
{
    gate_init(&d->gate);
    d->done = false;
    d->failed.kind = ERR_NONE;
}
void durable_tell(struct durable *d, const struct err *failed);
/* Until something told it. Waits. */
void durable_pause(struct durable *d);
/* Waits, cancelled or not: the record lies on the caller's stack in part. */
MUST_USE bool durable_wait(struct durable *d, struct err *err);

/* Content that was given to the transaction becomes the new place of m (compaction). Uses the
 * reserve. The transaction is gone either way. Waits. */
MUST_USE bool tx_move(struct spool_tx *tx, struct spool_message *m, struct str envelope,
                      bool content_lost, struct err *err);
struct spool_tx *tx_begin_move(struct spool *s);
/* One segment emptied of what is alive in it, as far as can be; *ret_moved: messages. Waits. */
MUST_USE bool compact(struct spool *s, size_t *ret_moved, struct err *err);

/* --- messages (index.c, body.c) --- */

/* A message's bytes while in memory. */
struct body {
    struct list lru;
    struct spool_message *message;
    struct block *front; /* holds the envelope; NULL: only pieces are here */
    struct str envelope;
    size_t count;           /* of pieces: one an extent, or one */
    size_t again;           /* the one that was read again; count: none */
    struct piece *pieces[]; /* NULL: not here */
};

enum message_flag { MESSAGE_GONE = 1, MESSAGE_CONTENT_LOST = 2, MESSAGE_MOVING = 4 };

struct spool_message {
    uint64_t id, account;
    int64_t accepted_wall_ms;
    uint64_t size_bytes;
    uint64_t position;  /* of its message, move or settle record */
    uint32_t own_bytes; /* of that record that count as live */
    uint32_t rcpt_count, live_count;
    uint32_t place; /* in index.places */
    uint16_t pins;
    uint8_t settling; /* settles on their way: it may not move */
    uint8_t flags;
    uint32_t extent_count;
    struct extent *extents; /* NULL: content lies in its record */
    struct body *body;      /* NULL: only on disk */
    void *slot;
    struct spool_message *next; /* in the bucket, or among those gone */
    struct spool_rcpt rcpts[];
};

enum { INDEX_CHUNK = 1024 };
struct index {
    struct spool_message **
        *buckets; /* chunks of INDEX_CHUNK; grows a bucket at a time (linear hashing) */
    size_t bucket_chunks, bucket_count, split;
    struct spool_message ***places; /* chunks too; holes are chained by place_free */
    size_t place_chunks, place_end;
    uint32_t *holes;
    size_t hole_count, hole_cap;
    size_t count, rcpts, bytes;
};
void index_init(struct index *x);
void index_done(struct index *x);
struct spool_message *index_find(const struct index *x, uint64_t id);
void index_put(struct index *x, struct spool_message *m);
void index_remove(struct index *x, struct spool_message *m);
struct spool_message *index_each(const struct index *x, size_t *at);

/* From its part in a record; not yet in the index. */
struct spool_message *message_new(uint64_t id, uint64_t position, uint32_t content_len,
                                  const struct message_part *p);
size_t message_bytes(const struct spool_message *m);
/* Adds (+1) to or takes (-1) from what its segments hold alive. */
void message_account(struct spool *s, const struct spool_message *m, int sign);
/* Out of the index; freed when the last pin goes. */
void message_end(struct spool *s, struct spool_message *m);
void message_free(struct spool *s, struct spool_message *m);
/* One that was never accounted. */
void message_free_unaccounted(struct spool_message *m);
/* Takes over where `from` lies; states stay. */
void message_relocate(struct spool_message *m, struct spool_message *from);

/* A fresh message's bytes stay: owns the front, shares the pieces that are in memory, `last` behind
 * the others. */
void body_put(struct spool *s, struct spool_message *m, struct block *front, struct str envelope,
              struct piece **pieces, size_t count, struct piece *last);
/* Content of extent i that was read; takes the place of what was read before it, so that a large
 * message goes out piece by piece. */
void body_keep(struct spool *s, struct spool_message *m, size_t i, struct piece *piece);
void body_drop(struct spool *s, struct spool_message *m);
/* Gives memory back, oldest first, until within the bound. */
void bodies_trim(struct spool *s);
/* Where the content lies: at least one extent; position never 0. */
size_t message_extent_count(const struct spool_message *m);
struct extent message_extent(const struct spool_message *m, size_t i);
/* The content of the record that holds extent i, from memory or read and checked; one reference is
 * the caller's. The message is pinned. ERR_DAMAGED. Waits. */
MUST_USE bool extent_read(struct spool *s, struct spool_message *m, size_t i, struct piece **ret,
                          struct err *err);
/* The envelope as bytes, in the arena. The message is pinned. ERR_DAMAGED. Waits. */
MUST_USE bool envelope_bytes(struct spool *s, struct spool_message *m, struct arena *a,
                             struct str *ret, struct err *err);

/* --- what records do to memory (apply.c) --- */

/* NULL when parked. A message that is there already is left as it is. */
struct spool_message *apply_message(struct spool *s, uint64_t id, uint64_t position,
                                    uint32_t content_len, const struct message_part *p);
void apply_settle(struct spool *s, uint64_t id, const struct settle_part *p);
void apply_move(struct spool *s, uint64_t id, uint64_t position, uint32_t content_len,
                uint8_t flags, const struct message_part *p);
/* One record of the log, while opening or bringing parked messages in. */
struct replay {
    uint64_t damaged, messages_damaged;
};
void apply_record(struct spool *s, const struct record_view *v, uint64_t position,
                  struct replay *r);
void seen_id(struct spool *s, uint64_t id);
/* Tells the caller's tally of a message record, once: here it is durable. */
void tally_count(struct spool *s, const struct envelope *e, struct str mark);

/* --- parked messages (park.c) --- */

struct parked {
    uint64_t from;    /* position of the first group that may hold one; 0: none are parked */
    uint64_t from_id; /* ids from here on are parked unless in the index */
    uint64_t count, chunked;
    uint32_t floor; /* no segment from this generation on may be reused while chunked > 0 */
};
bool park_is_due(const struct spool *s);
void park(struct spool *s, uint64_t id, uint64_t position, const struct message_part *p);
/* While opening: everything up to `id` in. Blocks. */
void park_replay(struct spool *s, uint64_t id);

/* --- reading the log (scan.c) --- */

struct scan {
    struct disk_file *file; /* NULL: the bytes are `image` */
    struct str image;
    uint32_t generation;
    uint64_t at, end;
    struct buf window; /* bytes of the file from window_at */
    uint64_t window_at;
};
enum scan_kind { SCAN_END, SCAN_GROUP, SCAN_DAMAGED };
struct scan_found {
    enum scan_kind kind;
    uint64_t offset; /* in the segment */
    uint64_t number; /* of the group; SCAN_DAMAGED without a head: 0 */
    uint64_t events_acked;
    struct str
        bytes; /* from offset on; until the next call. SCAN_END: what lies behind the last group */
    bool torn; /* SCAN_END: something of this generation lies there */
};
void scan_init(struct scan *c, struct disk_file *file, uint32_t generation, uint64_t from,
               uint64_t end);
void scan_done(struct scan *c);
/* Blocks: on a worker, or while opening. ERR_IO. */
MUST_USE bool scan_next(struct scan *c, struct scan_found *ret, struct err *err);
/* These bytes of it. */
MUST_USE bool scan_bytes(struct scan *c, uint64_t at, uint64_t len, struct str *ret,
                         struct err *err);

/* Groups that count, from *position on, one a call: their records in `bytes` with positions from
 * *ret_position. *position moves behind it. False with ERR_NONE at the durable end. Waits when
 * `wait`, else blocks. */
struct log_group {
    struct buf bytes;
    uint64_t position;
    uint32_t generation;
};
MUST_USE bool log_read(struct spool *s, uint64_t *position, struct log_group *ret, bool wait,
                       struct err *err);

/* --- events (events.c) --- */

struct event_page {
    struct list link;
    uint64_t first;
    struct buf bytes;
};
struct events {
    struct list pages;
    size_t bytes;
    uint64_t memory_from; /* those behind this position are all in memory */
    uint64_t last;        /* the last durable one */
    uint64_t acked;
    uint64_t dropped;
    struct gate gate;
    struct buf scratch;
    uint64_t read_cursor, read_position; /* where reading the log for that cursor goes on */
};
void events_init(struct spool *s);
void events_done(struct spool *s);
/* Those of a settle, already bytes; `position` of the record. */
void events_push(struct spool *s, struct str bytes, size_t count, uint64_t position, uint64_t k);
void events_accepted(struct spool *s, const struct envelope *e, uint64_t id, uint64_t position,
                     uint64_t k);
/* Tells the segment that it holds events, without keeping them: while opening. */
void events_note(struct spool *s, uint64_t position, uint64_t count);

/* --- snapshots (snapshot.c, snapshot_read.c) --- */

#define SNAPSHOT_MAGIC 0x70616e73U
enum { SNAPSHOT_BLOCK_MAX = 256 * 1024 };
struct snapshot_block {
    uint32_t magic, len;
    uint64_t
        number; /* 0: facts, then messages; the last one has len 0 and counts them in `sum_count` */
    uint64_t count; /* messages so far */
    uint64_t sum;
};
struct snapshot_facts {
    uint64_t replay_from; /* 0: everything */
    uint64_t number;      /* last group applied */
    uint64_t id_last, events_acked, events_last;
    uint64_t generation;
    struct parked parked;
    struct str tally; /* empty: nobody counted. Read: borrowed from the bytes */
};
struct snapshots {
    uint64_t number;      /* of the newest file */
    uint64_t replay_from; /* of the newest durable one */
    bool busy;
};
MUST_USE bool snapshot_write(struct spool *s, struct err *err);
/* The tally is copied into the arena. Blocks. ERR_DAMAGED leaves the index as it was: empty. */
MUST_USE bool snapshot_read(struct spool *s, uint64_t number, struct arena *a,
                            struct snapshot_facts *ret, struct err *err);
const char *snapshot_name(uint64_t number, char name[32]);
bool snapshot_block_ok(const struct snapshot_block *b, struct str payload);
void snapshot_block_seal(struct snapshot_block *b, struct str payload);
bool snapshot_facts_write(struct buf *to, const struct snapshot_facts *f);
MUST_USE bool snapshot_facts_read(struct str bytes, struct snapshot_facts *ret);
bool snapshot_entry_write(struct buf *to, const struct spool_message *m);
MUST_USE bool snapshot_entry_read(struct str *bytes, struct spool_message **ret);

/* --- the whole --- */

struct alarm {
    struct list link;
    const char *kind;
    uint64_t message;
    char text[200];
};

struct spool {
    struct spool_options options;
    struct disk *disk;
    struct worker_pool *commit_pool, *read_pool, *prepare_pool;
    struct segments segments;
    struct segment *current;
    struct index index;
    struct spool_message *gone; /* ended, but pinned */
    struct parked parked;
    struct events events;
    struct snapshots snapshots;
    struct block_pool blocks;
    struct list bodies; /* struct body, least recently used first */
    size_t body_bytes;

    struct list groups;              /* waiting, oldest first; the last one gathers */
    struct group *writing, *refused; /* refused: told once a segment says so */
    uint64_t group_number;           /* last one given out */
    uint64_t group_durable;          /* last one acknowledged */
    uint64_t applied;                /* position behind the last record applied */
    uint64_t applying;               /* of the group whose records are being applied */
    size_t pending_bytes;            /* content not yet durable */
    struct gate room, moved;
    struct turn_end turn_end;
    struct timer settle_timer, repair_timer;
    bool repairing, read_only, full_told;

    uint64_t id_last;
    bool opening, closing;
    struct buf scratch, scratch2;
    void (*alarm_fn)(void *arg, const char *kind, uint64_t message, const char *text);
    void *alarm_arg;
    struct list alarms; /* told before anybody listened */
    size_t alarm_count;
    struct spool_figures figures;
};

/* For a call whose failure changes nothing. */
static inline void never_mind(bool ok)
{
    (void)ok;
}
__attribute__((format(printf, 4, 5))) void alarm_tell(struct spool *s, const char *kind,
                                                      uint64_t message, const char *fmt, ...);
uint64_t id_next(struct spool *s);
/* ERR_FULL or ERR_IO when new messages are refused now. */
MUST_USE bool may_accept(const struct spool *s, struct err *err);

// SPDX-License-Identifier: Apache-2.0
/* io/ring.c - shared memory in which bodies travel: one writer, one reader, no lock.
 *
 * Neither side keeps a position in the shared memory: each has its own and hears of the other's by
 * frames, so what is shared is only the bytes, which the reader copies before it looks at them.
 *
 * Seals, in the only order that holds: SHRINK and GROW before anybody maps (a memfd that shrinks
 * kills its reader), the writer maps, then FUTURE_WRITE and SEAL: the reader's descriptor can then
 * be mapped for reading only, and that mapping can never be made writable. */
#include "io/ring.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define SEALS_SIZE (F_SEAL_SHRINK | F_SEAL_GROW)
#define SEALS_ALL (SEALS_SIZE | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* The bytes, mapped twice in a row. Two rings in one process share it. */
struct ring_memory {
    char *ptr;
    size_t size;
    unsigned users;
};

struct ring {
    struct ring_memory *memory;
    bool writes;
    uint64_t put;   /* writer: written so far */
    uint64_t taken; /* writer: as credited; reader: copied out so far */
};

/* Memory --------------------------------------------------------------------------------------- */

static bool size_fits(size_t size, struct err *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (size == 0 || size % page != 0 || size > SIZE_MAX / 4)
        return err_set(err, ERR_CONFIG, "a ring of %zu bytes: not a multiple of %zu", size, page);
    return true;
}

static bool memory_map(int fd, size_t size, int prot, struct ring_memory **ret, struct err *err)
{
    /* A place for both halves first, so that the second lands right behind the first. */
    char *ptr = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (ptr == MAP_FAILED)
        return err_sys(err, "ring");
    if (mmap(ptr, size, prot, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
        mmap(ptr + size, size, prot, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        err_sys(err, "ring");
        munmap(ptr, 2 * size);
        return false;
    }
    *ret = NEW(struct ring_memory);
    **ret = (struct ring_memory){ .ptr = ptr, .size = size, .users = 1 };
    return true;
}

static void memory_release(struct ring_memory *m)
{
    if (--m->users > 0)
        return;
    munmap(m->ptr, 2 * m->size);
    free(m);
}

static struct ring *ring_over(struct ring_memory *m, bool writes)
{
    struct ring *r = NEW(struct ring);

    r->memory = m;
    r->writes = writes;
    return r;
}

/* Both sides ----------------------------------------------------------------------------------- */

bool ring_make(size_t size_bytes, int *ret_fd, struct err *err)
{
    int fd;

    if (!size_fits(size_bytes, err))
        return false;
    fd = memfd_create("baton-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_sys(err, "ring");
    if (ftruncate(fd, (off_t)size_bytes) != 0 || fcntl(fd, F_ADD_SEALS, SEALS_SIZE) != 0) {
        err_sys(err, "ring");
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

bool ring_map_writer(int fd, size_t size_bytes, struct ring **ret, struct err *err)
{
    struct ring_memory *m;

    if (!size_fits(size_bytes, err) || !memory_map(fd, size_bytes, PROT_READ | PROT_WRITE, &m, err))
        return false;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) {
        err_sys(err, "ring: seal");
        memory_release(m);
        return false;
    }
    *ret = ring_over(m, true);
    return true;
}

bool ring_new(size_t size_bytes, struct ring **ret, int *ret_fd, struct err *err)
{
    int fd;

    if (!ring_make(size_bytes, &fd, err))
        return false;
    if (!ring_map_writer(fd, size_bytes, ret, err)) {
        close(fd);
        return false;
    }
    if (ret_fd != NULL)
        *ret_fd = fd;
    else
        close(fd);
    return true;
}

static bool check_sealed(int fd, size_t size, struct err *err)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || fstat(fd, &st) != 0)
        return err_sys(err, "ring");
    if ((seals & SEALS_ALL) != SEALS_ALL)
        return err_set(err, ERR_DENIED, "a ring without its seals");
    if (st.st_size != (off_t)size)
        return err_set(err, ERR_DENIED, "a ring of %lld bytes, not %zu", (long long)st.st_size,
                       size);
    return true;
}

bool ring_map(int fd, size_t size_bytes, struct ring **ret, struct err *err)
{
    struct ring_memory *m;
    bool ok = size_fits(size_bytes, err) && check_sealed(fd, size_bytes, err) &&
              memory_map(fd, size_bytes, PROT_READ, &m, err);

    close(fd);
    if (ok)
        *ret = ring_over(m, false);
    return ok;
}

struct ring *ring_share(struct ring *writer)
{
    assert(writer->writes);
    writer->memory->users++;
    return ring_over(writer->memory, false);
}

void ring_free(struct ring *r)
{
    if (r == NULL)
        return;
    memory_release(r->memory);
    free(r);
}

/* Writer --------------------------------------------------------------------------------------- */

size_t ring_room(const struct ring *r)
{
    return r->memory->size - (size_t)(r->put - r->taken);
}

bool ring_put(struct ring *r, struct str bytes, uint64_t *ret_position)
{
    assert(r->writes);
    if (bytes.len > ring_room(r))
        return false;
    if (bytes.len > 0)
        memcpy(r->memory->ptr + r->put % r->memory->size, bytes.ptr, bytes.len);
    *ret_position = r->put;
    r->put += bytes.len;
    return true;
}

bool ring_credit(struct ring *r, uint64_t position, struct err *err)
{
    assert(r->writes);
    if (position < r->taken || position > r->put)
        return err_set(err, ERR_SYNTAX, "credit up to %llu, outside %llu to %llu",
                       (unsigned long long)position, (unsigned long long)r->taken,
                       (unsigned long long)r->put);
    r->taken = position;
    return true;
}

/* Reader --------------------------------------------------------------------------------------- */

bool ring_read(struct ring *r, uint64_t position, size_t len, void *to, struct err *err)
{
    assert(!r->writes);
    if (position != r->taken || len > r->memory->size)
        return err_set(err, ERR_SYNTAX, "extent of %zu at %llu, the next is at %llu", len,
                       (unsigned long long)position, (unsigned long long)r->taken);
    if (len > 0)
        memcpy(to, r->memory->ptr + position % r->memory->size, len);
    r->taken += len;
    return true;
}

uint64_t ring_taken(const struct ring *r)
{
    return r->taken;
}

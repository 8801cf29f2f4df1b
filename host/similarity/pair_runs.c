/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/pair_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "base/hash.h"

enum {
    FAN_IN = 256,               /* runs that are read at once */
    BUFFER_PAIRS_MIN = 64,      /* of a run: 1 KiB */
    BUFFER_PAIRS_MAX = 1 << 14, /* 256 KiB: as much as reading gains from */
    ATTEMPTS = 100              /* at a name that nobody has */
};

/* ---- Spool ---- */

pkin_status pkin_i_pair_spool_open(const char *folder, pkin_i_pair_spool *out) {
    *out = (pkin_i_pair_spool){.descriptor = -1};
    if (!folder) folder = getenv("TMPDIR");
    if (!folder || !folder[0]) folder = "/tmp";
    return pkin_i_copy_string(folder, strlen(folder), &out->folder);
}

/* For file systems that know no files without names: makes one under a name that nobody has, and takes that away. */
static pkin_status make_and_unlink(pkin_i_pair_spool *spool) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer name = {0};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid() << 40;
    errno = EEXIST;
    for (uint64_t k = 0; k < ATTEMPTS && spool->descriptor < 0 && errno == EEXIST; k++) {
        pkin_i_buffer_clear(&name);
        PKIN_TRY(pkin_i_buffer_printf(&name, "%s/.paperkin-spill-%016llx", spool->folder,
                                      (unsigned long long)pkin_i_hash_u64(seed + k)));
        spool->descriptor = open(name.bytes, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (spool->descriptor >= 0) (void)unlink(name.bytes);
out:
    pkin_i_buffer_free(&name);
    return status;
}

pkin_status pkin_i_pair_spool_make(pkin_i_pair_spool *spool) {
    pkin_status status = PKIN_OK;
    if (spool->descriptor >= 0) return PKIN_OK;
#ifdef O_TMPFILE
    spool->descriptor = open(spool->folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
#endif
    if (spool->descriptor < 0) PKIN_TRY(make_and_unlink(spool));
    PKIN_REQUIRE(
        spool->descriptor >= 0, PKIN_ERROR_IO,
        "%s: no file for spilled pairs can be made there: %s; name an existing folder that can be written to as "
        "the spill folder, or allow more memory",
        spool->folder, strerror(errno));
out:
    return status;
}

pkin_status pkin_i_pair_spool_append(pkin_i_pair_spool *spool, const pkin_pair *pairs, size_t n_pairs) {
    const char *bytes = (const char *)pairs;
    size_t n_bytes = n_pairs * sizeof *pairs;
    pkin_status status = pkin_i_pair_spool_make(spool);
    while (status == PKIN_OK && n_bytes > 0) {
        ssize_t n = pwrite(spool->descriptor, bytes, n_bytes, (off_t)spool->bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            return pkin_i_fail(PKIN_ERROR_IO,
                               "%s: pairs cannot be spilled there after %llu bytes: %s; name a spill folder with more "
                               "room, allow more memory, or raise the threshold",
                               spool->folder, (unsigned long long)spool->bytes, strerror(n < 0 ? errno : ENOSPC));
        }
        bytes += n;
        n_bytes -= (size_t)n;
        spool->bytes += (uint64_t)n;
    }
    return status;
}

void pkin_i_pair_spool_close(pkin_i_pair_spool *spool) {
    if (spool->folder && spool->descriptor >= 0) close(spool->descriptor);
    pkin_i_free(spool->folder);
    *spool = (pkin_i_pair_spool){.descriptor = -1};
}

/* ---- Merge ---- */

/* A run that is being read: what is left of it begins with its buffer. */
typedef struct reader {
    pkin_i_pair_run run;   /* offset and n_pairs: what is not in the buffer yet */
    pkin_pair *buffer;     /* NULL: the pairs are in memory, and all in the "buffer" */
    const pkin_pair *next; /* of n_buffered > 0, while it is in the heap */
    size_t n_buffered;
} reader;

struct pkin_i_pair_merge {
    reader *readers;
    uint32_t *heap; /* readers by their next pair, the first on top */
    size_t n_readers, n_heap;
    size_t buffer_pairs;
    pkin_i_pair_spool spools[2]; /* of longer runs, read and written in turn */
    uint64_t bytes, spilled;
};

static pkin_status read_fully(const pkin_i_pair_run *run, int descriptor, pkin_pair *pairs, size_t n_pairs) {
    char *bytes = (char *)pairs;
    size_t n_bytes = n_pairs * sizeof *pairs, done = 0;
    while (done < n_bytes) {
        ssize_t n = pread(descriptor, bytes + done, n_bytes - done, (off_t)(run->offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            return pkin_i_fail(PKIN_ERROR_IO, "%s: pairs that were written cannot be read: %s", run->path,
                               n < 0 ? strerror(errno) : "the file ends early");
        }
        done += (size_t)n;
    }
    return PKIN_OK;
}

/* Fills the buffer with what comes next; nothing is left where n_buffered is 0 then. */
static pkin_status refill(const pkin_i_pair_merge *merge, reader *self) {
    pkin_status status = PKIN_OK;
    pkin_i_pair_run *run = &self->run;
    size_t n = run->n_pairs < merge->buffer_pairs ? (size_t)run->n_pairs : merge->buffer_pairs;
    int descriptor = run->descriptor;
    self->n_buffered = 0;
    self->next = self->buffer;
    if (n == 0) return PKIN_OK;
    if (descriptor < 0) descriptor = open(run->path, O_RDONLY | O_CLOEXEC);
    PKIN_REQUIRE(descriptor >= 0, PKIN_ERROR_IO, "%s: cannot be opened: %s", run->path, strerror(errno));
    PKIN_TRY(read_fully(run, descriptor, self->buffer, n));
    run->offset += n * sizeof *self->buffer;
    run->n_pairs -= n;
    self->n_buffered = n;
out:
    if (descriptor >= 0 && run->descriptor < 0) close(descriptor);
    return status;
}

static bool reader_before(const pkin_i_pair_merge *merge, uint32_t x, uint32_t y) {
    return pkin_i_pair_before(merge->readers[x].next, merge->readers[y].next);
}

/* Moves what is at `at` down to where it belongs. */
static void sift_down(pkin_i_pair_merge *merge, size_t at) {
    const uint32_t item = merge->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= merge->n_heap) break;
        if (child + 1 < merge->n_heap && reader_before(merge, merge->heap[child + 1], merge->heap[child])) child++;
        if (!reader_before(merge, merge->heap[child], item)) break;
        merge->heap[at] = merge->heap[child];
        at = child;
    }
    merge->heap[at] = item;
}

/* The pair on top is taken: its reader goes on. */
static pkin_status pop(pkin_i_pair_merge *merge) {
    reader *top = &merge->readers[merge->heap[0]];
    top->next++;
    if (--top->n_buffered == 0 && top->buffer) {
        pkin_status status = refill(merge, top);
        if (status != PKIN_OK) return status;
    }
    if (top->n_buffered == 0) merge->heap[0] = merge->heap[--merge->n_heap];
    if (merge->n_heap > 0) sift_down(merge, 0);
    return PKIN_OK;
}

pkin_status pkin_i_pair_merge_next(pkin_i_pair_merge *merge, pkin_pair *pairs, size_t n_max, size_t *n_pairs) {
    size_t n = 0;
    pkin_status status = PKIN_OK;
    *n_pairs = 0;
    while (n < n_max && merge->n_heap > 0 && status == PKIN_OK) {
        reader *top = &merge->readers[merge->heap[0]];
        if (merge->n_heap == 1) {
            /* The last one: as it comes. */
            size_t n_here = top->n_buffered < n_max - n ? top->n_buffered : n_max - n;
            memcpy(pairs + n, top->next, n_here * sizeof *pairs);
            n += n_here;
            top->next += n_here - 1;
            top->n_buffered -= n_here - 1;
        } else {
            pairs[n++] = *top->next;
        }
        status = pop(merge);
    }
    if (status == PKIN_OK) *n_pairs = n;
    return status;
}

static void close_readers(pkin_i_pair_merge *merge) {
    for (size_t r = 0; merge->readers && r < merge->n_readers; r++) pkin_i_free(merge->readers[r].buffer);
    pkin_i_free(merge->readers);
    pkin_i_free(merge->heap);
    merge->readers = NULL;
    merge->heap = NULL;
    merge->n_readers = merge->n_heap = 0;
}

/* Begins to read these runs, at most FAN_IN. */
static pkin_status open_readers(pkin_i_pair_merge *merge, const pkin_i_pair_run *runs, size_t n_runs) {
    pkin_status status;
    uint64_t bytes = n_runs * sizeof *merge->readers;
    PKIN_TRY(pkin_i_allocate_zeroed(n_runs, sizeof *merge->readers, &merge->readers));
    merge->n_readers = n_runs;
    PKIN_TRY(pkin_i_allocate(n_runs, sizeof *merge->heap, &merge->heap));
    for (size_t r = 0; r < n_runs; r++) {
        reader *self = &merge->readers[r];
        self->run = runs[r];
        if (self->run.pairs) {
            self->next = self->run.pairs;
            self->n_buffered = (size_t)self->run.n_pairs;
        } else {
            size_t n = self->run.n_pairs < merge->buffer_pairs ? (size_t)self->run.n_pairs : merge->buffer_pairs;
            PKIN_TRY(pkin_i_allocate(n, sizeof *self->buffer, &self->buffer));
            bytes += n * sizeof *self->buffer;
            PKIN_TRY(refill(merge, self));
        }
        if (self->n_buffered > 0) merge->heap[merge->n_heap++] = (uint32_t)r;
    }
    for (size_t at = merge->n_heap / 2; at-- > 0;) sift_down(merge, at);
    if (bytes > merge->bytes) merge->bytes = bytes;
out:
    return status;
}

/* Merges these runs into one at the end of a spool. */
static pkin_status merge_into(pkin_i_pair_merge *merge, const pkin_i_pair_run *runs, size_t n_runs,
                              pkin_i_pair_spool *spool, pkin_i_pair_run *out) {
    pkin_status status;
    pkin_pair *pairs = NULL;
    size_t n;
    pkin_i_pair_run run = {.path = spool->folder, .offset = spool->bytes};
    PKIN_TRY(pkin_i_allocate(merge->buffer_pairs, sizeof *pairs, &pairs));
    PKIN_TRY(open_readers(merge, runs, n_runs));
    for (;;) {
        PKIN_TRY(pkin_i_pair_merge_next(merge, pairs, merge->buffer_pairs, &n));
        if (n == 0) break;
        PKIN_TRY(pkin_i_pair_spool_append(spool, pairs, n));
        run.n_pairs += n;
        merge->spilled += n * sizeof *pairs;
    }
    run.descriptor = spool->descriptor;
    *out = run;
out:
    close_readers(merge);
    pkin_i_free(pairs);
    return status;
}

/* One round over all runs, `runs` being overwritten by the fewer and longer ones, which are in spools[to]. */
static pkin_status merge_round(pkin_i_pair_merge *merge, pkin_i_pair_run *runs, size_t *n_runs, int to) {
    pkin_status status = PKIN_OK;
    size_t n_longer = 0;
    for (size_t first = 0; first < *n_runs; first += FAN_IN) {
        size_t n = *n_runs - first < FAN_IN ? *n_runs - first : FAN_IN;
        PKIN_TRY(merge_into(merge, runs + first, n, &merge->spools[to], &runs[n_longer]));
        n_longer++;
    }
    *n_runs = n_longer;
out:
    return status;
}

pkin_status pkin_i_pair_merge_open(const pkin_i_pair_run *runs, size_t n_runs, uint64_t memory_bytes,
                                   const char *folder, pkin_i_pair_merge **out) {
    pkin_status status;
    pkin_i_pair_merge *merge = NULL;
    pkin_i_pair_run *present = NULL;
    size_t n_at_once = n_runs < FAN_IN ? n_runs : FAN_IN;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *merge, &merge));
    merge->buffer_pairs = BUFFER_PAIRS_MAX;
    if (memory_bytes && memory_bytes / sizeof(pkin_pair) / (n_at_once + 1) < BUFFER_PAIRS_MAX) {
        merge->buffer_pairs = (size_t)(memory_bytes / sizeof(pkin_pair) / (n_at_once + 1));
        if (merge->buffer_pairs < BUFFER_PAIRS_MIN) merge->buffer_pairs = BUFFER_PAIRS_MIN;
    }
    PKIN_TRY(pkin_i_allocate(n_runs, sizeof *present, &present));
    if (n_runs) memcpy(present, runs, n_runs * sizeof *present);
    for (int to = 0; n_runs > FAN_IN; to = 1 - to) {
        pkin_i_pair_spool_close(&merge->spools[to]);
        PKIN_TRY(pkin_i_pair_spool_open(folder, &merge->spools[to]));
        PKIN_TRY(merge_round(merge, present, &n_runs, to));
    }
    PKIN_TRY(open_readers(merge, present, n_runs));
    *out = merge;
    merge = NULL;
out:
    pkin_i_free(present);
    pkin_i_pair_merge_close(merge);
    return status;
}

uint64_t pkin_i_pair_merge_bytes(const pkin_i_pair_merge *merge) {
    return merge->bytes;
}

uint64_t pkin_i_pair_merge_spilled(const pkin_i_pair_merge *merge) {
    return merge->spilled;
}

void pkin_i_pair_merge_close(pkin_i_pair_merge *merge) {
    if (!merge) return;
    close_readers(merge);
    for (int s = 0; s < 2; s++) pkin_i_pair_spool_close(&merge->spools[s]);
    pkin_i_free(merge);
}

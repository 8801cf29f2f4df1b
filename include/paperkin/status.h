/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_STATUS_H
#define PAPERKIN_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "paperkin/version.h"

PKIN_EXTERN_C_BEGIN

/*
 * Every status: name, code, message. Codes are never reused. Success is 0; every other code is a failure that left
 * its outputs untouched or NULL, unless the function says otherwise.
 */
#define PKIN_STATUS_LIST(X)                                                                                            \
    X(PKIN_OK, 0, "success")                                                                                           \
    X(PKIN_ERROR_OUT_OF_MEMORY, 1, "out of memory")                                                                    \
    X(PKIN_ERROR_INVALID_ARGUMENT, 2, "invalid argument")                                                              \
    X(PKIN_ERROR_IO, 3, "input or output failed")                                                                      \
    X(PKIN_ERROR_NOT_A_DIGEST, 4, "not a digest or corpus that paperkin can read")                                     \
    X(PKIN_ERROR_CORRUPT, 5, "damaged data")                                                                           \
    X(PKIN_ERROR_STORE, 6, "the store failed")                                                                         \
    X(PKIN_ERROR_STORE_VERSION, 7, "the store was written by another version")                                         \
    X(PKIN_ERROR_OVERFLOW, 8, "a size is too large")                                                                   \
    X(PKIN_ERROR_UNSUPPORTED, 9, "not supported")                                                                      \
    X(PKIN_ERROR_CANCELLED, 10, "cancelled")                                                                           \
    X(PKIN_ERROR_NOT_FOUND, 11, "not found")                                                                           \
    X(PKIN_ERROR_INTERNAL, 12, "internal error")                                                                       \
    X(PKIN_ERROR_DEVICE, 13, "the GPU failed")

typedef enum pkin_status {
#define PKIN_STATUS_ENUM(name, code, message) name = code,
    PKIN_STATUS_LIST(PKIN_STATUS_ENUM)
#undef PKIN_STATUS_ENUM
} pkin_status;

/* The status's name ("PKIN_ERROR_IO") and its message in one line. Static storage; never NULL, also for unknown codes.
 */
PKIN_API const char *pkin_status_name(pkin_status status);
PKIN_API const char *pkin_status_message(pkin_status status);

/*
 * What went wrong in the last failed call of this thread: file, line or id, what was expected, what to do.
 * "" before the first failure. Owned by the library; valid until the next failing call of this thread.
 */
PKIN_API const char *pkin_last_error(void);

/* A record that could not be read, or a fact worth telling; the work goes on. Strings are valid during the call only.
 */
typedef struct pkin_diagnostic {
    const char *file;   /* as given by the caller, "-" for standard input */
    uint64_t line;      /* 1-based, 0 where no line applies */
    const char *reason; /* what was found, what was expected */
    int skipped_record; /* 1 when a record was left out because of it, 0 for a note */
} pkin_diagnostic;

typedef void (*pkin_diagnostic_fn)(void *user, const pkin_diagnostic *diagnostic);

/*
 * Called now and then from the calling thread during long work: `stage` names the step ("reading", "weighing",
 * "comparing", ...), `done` of `total` units (total 0: unknown). Return nonzero to cancel: the call then ends with
 * PKIN_ERROR_CANCELLED and has changed nothing, unless the function says otherwise (pkin_digest_run keeps the files
 * that it had ingested).
 */
typedef int (*pkin_progress_fn)(void *user, const char *stage, uint64_t done, uint64_t total);

/*
 * Memory hooks, used for everything the library itself allocates (libraries below it keep their own). Set once,
 * before any other call. The library works with several threads, also within one call: the hooks must be safe to call
 * from several threads at once. `reallocate` with size 0 is never called. NULL, or hooks of which one is missing,
 * restore the C library's functions.
 */
typedef struct pkin_allocator {
    void *(*allocate)(void *user, size_t n_bytes);
    void *(*reallocate)(void *user, void *memory, size_t n_bytes);
    void (*release)(void *user, void *memory);
    void *user;
} pkin_allocator;

PKIN_API void pkin_set_allocator(const pkin_allocator *allocator);

PKIN_EXTERN_C_END

#endif

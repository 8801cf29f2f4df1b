/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_DAY_THREADS_H
#define PKIN_DIGEST_DAY_THREADS_H

/* A digest's own papers by thread, and the section at its top that tells them. */
#include "digest/day_file.h"
#include "digest/placement.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_MAX_DAY_FIELDS = 6,   /* fields that are named; further ones are left out */
    PKIN_I_MAX_DAY_THREADS = 12, /* threads with a place of their own; further ones are counted */
    PKIN_I_MAX_DAY_NEW = 6,      /* new ones among these, where there are others enough */
    PKIN_I_MAX_DAY_TITLES = 4    /* papers named under each; further ones are counted */
};

typedef struct pkin_i_day_thread {
    pkin_i_thread_line line;
    const uint64_t *records; /* of the file, ascending; n_records */
    size_t n_records;
} pkin_i_day_thread;

/* A field of work, made of threads. */
typedef struct pkin_i_day_field {
    const char *id;
    const char *label;         /* never "" */
    const char *label_chinese; /* "" where there is none */
    uint64_t n_records;
} pkin_i_day_field;

/* New threads first, then those with most papers of the day; ties by id. Lives in the arena. */
typedef struct pkin_i_day_threads {
    pkin_i_day_thread *items;
    size_t n_items;
    pkin_i_day_field *fields; /* most papers of the day first; ties by id */
    size_t n_fields;
    uint64_t n_inside;  /* papers in threads */
    uint64_t n_outside; /* papers in none */
    uint64_t n_new;     /* threads */
} pkin_i_day_threads;

pkin_status pkin_i_day_threads_find(const pkin_i_placement *placement, const pkin_i_day_file *file, pkin_i_arena *arena,
                                    pkin_i_day_threads *out);

/*
 * The lines between the markers, as of pkin_i_markdown_block: none begins with `#`, none is a marker. Nothing where no
 * paper is in a thread.
 */
pkin_status pkin_i_day_threads_section(const pkin_i_day_threads *threads, const pkin_i_day_file *file, int languages,
                                       const char *line_end, pkin_i_buffer *out);

PKIN_EXTERN_C_END

#endif

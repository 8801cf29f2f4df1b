/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/day_threads.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "digest/markdown_writer.h"

/* A record of the file whose paper is in a thread. */
typedef struct placed_record {
    uint32_t row; /* of the history */
    uint64_t record;
    const char *thread; /* id */
} placed_record;

static int compare_placed(const void *left, const void *right) {
    const placed_record *a = left, *b = right;
    int order = strcmp(a->thread, b->thread);
    return order ? order : (a->record > b->record) - (a->record < b->record);
}

static int compare_threads(const void *left, const void *right) {
    const pkin_i_day_thread *a = left, *b = right;
    if (a->line.is_new != b->line.is_new) return a->line.is_new ? -1 : 1;
    if (a->n_records != b->n_records) return a->n_records > b->n_records ? -1 : 1;
    return strcmp(a->line.id, b->line.id);
}

/* The file's papers that are in threads, each by its first record; those in none are counted. */
static void place_records(const pkin_i_placement *placement, const pkin_i_day_file *file, placed_record *placed,
                          pkin_i_day_threads *out) {
    pkin_i_thread_line line;
    for (uint64_t r = 0; r < pkin_corpus_size(file->corpus); r++) {
        if (file->first_records[r] != r) continue;
        uint32_t row = pkin_i_history_row(placement->history, file->paper_ids[r]);
        if (pkin_i_placement_thread(placement, row, file->ingest.date, &line)) {
            placed[out->n_inside++] = (placed_record){row, r, line.id};
        } else {
            out->n_outside++;
        }
    }
    if (out->n_inside > 1) qsort(placed, out->n_inside, sizeof *placed, compare_placed);
}

static int compare_field_ids(const void *left, const void *right) {
    return strcmp(((const pkin_i_day_field *)left)->id, ((const pkin_i_day_field *)right)->id);
}

static int compare_fields(const void *left, const void *right) {
    const pkin_i_day_field *a = left, *b = right;
    if (a->n_records != b->n_records) return a->n_records > b->n_records ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* One entry a thread, then those of one field are added up. */
static pkin_status add_up_fields(const pkin_i_placement *placement, pkin_i_arena *arena, pkin_i_day_threads *out) {
    pkin_status status = PKIN_OK;
    size_t n = 0;
    PKIN_TRY(pkin_i_arena_allocate(arena, out->n_items, sizeof *out->fields, &out->fields));
    for (size_t t = 0; t < out->n_items; t++) {
        const pkin_i_thread_row *row = pkin_i_placement_field(placement, out->items[t].line.field);
        if (!row) continue;
        out->fields[n++] = (pkin_i_day_field){.id = row->id,
                                              .label = *row->label ? row->label : row->id,
                                              .label_chinese = row->label_chinese,
                                              .n_records = out->items[t].n_records};
    }
    if (n > 1) qsort(out->fields, n, sizeof *out->fields, compare_field_ids);
    for (size_t k = 0; k < n; k++) {
        pkin_i_day_field *last = out->n_fields ? &out->fields[out->n_fields - 1] : NULL;
        if (last && strcmp(last->id, out->fields[k].id) == 0)
            last->n_records += out->fields[k].n_records;
        else
            out->fields[out->n_fields++] = out->fields[k];
    }
    if (out->n_fields > 1) qsort(out->fields, out->n_fields, sizeof *out->fields, compare_fields);
out:
    return status;
}

pkin_status pkin_i_day_threads_find(const pkin_i_placement *placement, const pkin_i_day_file *file, pkin_i_arena *arena,
                                    pkin_i_day_threads *out) {
    pkin_status status = PKIN_OK;
    placed_record *placed = NULL;
    uint64_t *records = NULL;
    if (!placement->has_threads) goto out;
    PKIN_TRY(pkin_i_allocate(pkin_corpus_size(file->corpus), sizeof *placed, &placed));
    place_records(placement, file, placed, out);
    PKIN_TRY(pkin_i_arena_allocate(arena, out->n_inside, sizeof *records, &records));
    PKIN_TRY(pkin_i_arena_allocate(arena, out->n_inside, sizeof *out->items, &out->items));
    for (size_t k = 0; k < out->n_inside; k++) {
        records[k] = placed[k].record;
        if (k == 0 || strcmp(placed[k].thread, placed[k - 1].thread) != 0) {
            pkin_i_day_thread *thread = &out->items[out->n_items++];
            *thread = (pkin_i_day_thread){.records = &records[k]};
            (void)pkin_i_placement_thread(placement, placed[k].row, file->ingest.date, &thread->line);
            out->n_new += thread->line.is_new != 0;
        }
        out->items[out->n_items - 1].n_records++;
    }
    if (out->n_items > 1) qsort(out->items, out->n_items, sizeof *out->items, compare_threads);
    PKIN_TRY(add_up_fields(placement, arena, out));
out:
    pkin_i_free(placed);
    return status;
}

static pkin_status put_line_end(const pkin_i_markdown_writer *writer) {
    return pkin_i_markdown_put(writer, writer->line_end);
}

static pkin_status put_record(const pkin_i_markdown_writer *writer, const pkin_paper *record, pkin_i_arena *scratch) {
    pkin_status status = PKIN_OK;
    pkin_i_partner shown = {.key = record->key};
    PKIN_TRY(pkin_i_shown_title(record, scratch, &shown.title));
    PKIN_TRY(pkin_i_shown_link(record, scratch, &shown.link));
    PKIN_TRY(pkin_i_markdown_put(writer, "    - "));
    PKIN_TRY(pkin_i_markdown_put_title(writer, &shown));
    PKIN_TRY(put_line_end(writer));
out:
    return status;
}

/* "- **label**: 3 today · 41 papers · since ..." and its papers of today; one left over is named, not counted. */
static pkin_status put_thread(const pkin_i_markdown_writer *writer, const pkin_i_day_thread *thread,
                              const pkin_i_day_file *file, pkin_i_arena *scratch) {
    pkin_status status = PKIN_OK;
    size_t n_named = thread->n_records <= PKIN_I_MAX_DAY_TITLES + 1 ? thread->n_records : PKIN_I_MAX_DAY_TITLES;
    PKIN_TRY(pkin_i_markdown_put(writer, "- **"));
    PKIN_TRY(pkin_i_markdown_put_label(writer, thread->line.label, thread->line.label_chinese, " · "));
    PKIN_TRY(pkin_i_markdown_put(writer, pkin_i_markdown_mark(writer, "**: ", "**：")));
    PKIN_TRY(pkin_i_markdown_put_count(writer, thread->n_records, PKIN_I_PHRASE_TODAY, PKIN_I_PHRASE_TODAY));
    PKIN_TRY(pkin_i_markdown_put_thread_facts(writer, &thread->line));
    PKIN_TRY(put_line_end(writer));
    for (size_t k = 0; k < n_named; k++) {
        PKIN_TRY(put_record(writer, pkin_corpus_paper(file->corpus, thread->records[k]), scratch));
    }
    if (n_named < thread->n_records) {
        PKIN_TRY(pkin_i_markdown_put(writer, "    - "));
        PKIN_TRY(pkin_i_markdown_put_count(writer, thread->n_records - n_named, PKIN_I_PHRASE_MORE_HERE,
                                           PKIN_I_PHRASE_MORE_HERE));
        PKIN_TRY(put_line_end(writer));
    }
out:
    return status;
}

/* How many threads get a place of their own: new ones, and behind them others. A day of many new ones has grown too. */
typedef struct places {
    size_t n_new, n_others;
} places;

static places share_places(const pkin_i_day_threads *threads) {
    size_t n_others = threads->n_items - (size_t)threads->n_new, left = PKIN_I_MAX_DAY_THREADS;
    size_t n_new = left - (n_others < left - PKIN_I_MAX_DAY_NEW ? n_others : left - PKIN_I_MAX_DAY_NEW);
    if (n_new > threads->n_new) n_new = (size_t)threads->n_new;
    left -= n_new;
    return (places){n_new, n_others < left ? n_others : left};
}

static bool has_place(const pkin_i_day_threads *threads, places told, size_t t) {
    return t < threads->n_new ? t < told.n_new : t - threads->n_new < told.n_others;
}

/* "- **More threads**: 123 · 129 papers · 5 new today" */
static pkin_status put_more(const pkin_i_markdown_writer *writer, const pkin_i_day_threads *threads, places told) {
    pkin_status status = PKIN_OK;
    uint64_t n_records = 0, n_new = threads->n_new - told.n_new;
    size_t n_more = threads->n_items - told.n_new - told.n_others;
    if (n_more == 0) goto out;
    for (size_t t = 0; t < threads->n_items; t++) {
        if (!has_place(threads, told, t)) n_records += threads->items[t].n_records;
    }
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_MORE_THREADS));
    PKIN_TRY(pkin_i_buffer_printf(writer->out, "%zu · ", n_more));
    PKIN_TRY(pkin_i_markdown_put_count(writer, n_records, PKIN_I_PHRASE_PAPER, PKIN_I_PHRASE_PAPERS));
    if (n_new > 0) {
        PKIN_TRY(pkin_i_markdown_put(writer, " · "));
        PKIN_TRY(pkin_i_markdown_put_count(writer, n_new, PKIN_I_PHRASE_NEW_TODAY, PKIN_I_PHRASE_NEW_TODAY));
    }
    PKIN_TRY(put_line_end(writer));
out:
    return status;
}

static pkin_status put_outside(const pkin_i_markdown_writer *writer, const pkin_i_day_threads *threads) {
    pkin_status status = PKIN_OK;
    if (threads->n_outside == 0) goto out;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_NO_THREAD));
    PKIN_TRY(pkin_i_markdown_put_count(writer, threads->n_outside, PKIN_I_PHRASE_PAPER, PKIN_I_PHRASE_PAPERS));
    PKIN_TRY(put_line_end(writer));
out:
    return status;
}

/* "- **Largest fields**: language models (34) · diffusion models (12)"; one field alone is no news. */
static pkin_status put_fields(const pkin_i_markdown_writer *writer, const pkin_i_day_threads *threads) {
    pkin_status status = PKIN_OK;
    size_t n_told = threads->n_fields < PKIN_I_MAX_DAY_FIELDS ? threads->n_fields : PKIN_I_MAX_DAY_FIELDS;
    if (n_told < 2) goto out;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_FIELDS));
    for (size_t f = 0; f < n_told; f++) {
        const pkin_i_day_field *field = &threads->fields[f];
        if (f > 0) PKIN_TRY(pkin_i_markdown_put(writer, " · "));
        PKIN_TRY(pkin_i_markdown_put_label(writer, field->label, field->label_chinese, " / "));
        PKIN_TRY(pkin_i_buffer_printf(writer->out, " (%llu)", (unsigned long long)field->n_records));
    }
    PKIN_TRY(put_line_end(writer));
out:
    return status;
}

pkin_status pkin_i_day_threads_section(const pkin_i_day_threads *threads, const pkin_i_day_file *file, int languages,
                                       const char *line_end, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    pkin_i_arena scratch = {0};
    pkin_i_markdown_writer writer = {.out = out, .line_end = line_end, .languages = languages};
    places told = share_places(threads);
    if (threads->n_items == 0) goto out;
    PKIN_TRY(put_line_end(&writer));
    PKIN_TRY(pkin_i_markdown_put_strong(&writer, PKIN_I_PHRASE_THREADS_TODAY));
    PKIN_TRY(put_line_end(&writer));
    PKIN_TRY(put_line_end(&writer));
    PKIN_TRY(put_fields(&writer, threads));
    for (size_t t = 0; t < threads->n_items; t++) {
        if (has_place(threads, told, t)) PKIN_TRY(put_thread(&writer, &threads->items[t], file, &scratch));
    }
    PKIN_TRY(put_more(&writer, threads, told));
    PKIN_TRY(put_outside(&writer, threads));
    PKIN_TRY(put_line_end(&writer));
out:
    pkin_i_arena_free(&scratch);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lines, in parallel: the input is cut into stretches of whole lines, each is read into a harvest of its own, and
 * the harvests are joined in their order, so that neither papers nor notes depend on the number of threads.
 */
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "corpus/readers.h"

enum { STRETCH_BYTES = 1 << 20 };

/* What one thread needs to read records. */
typedef struct record_reader {
    pkin_i_json_parser *parser;
    pkin_i_draft draft;
    pkin_i_buffer why;
} record_reader;

typedef struct stretch {
    size_t begin, end; /* of whole lines */
    pkin_i_harvest harvest;
    pkin_status status;
} stretch;

static pkin_status reader_start(record_reader *reader) {
    *reader = (record_reader){0};
    reader->parser = pkin_i_json_parser_new();
    return reader->parser ? PKIN_OK : pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "out of memory for a JSON parser");
}

static void reader_stop(record_reader *reader) {
    pkin_i_json_parser_free(reader->parser);
    pkin_i_draft_free(&reader->draft);
    pkin_i_buffer_free(&reader->why);
}

/* Says why a line is no JSON; a line that the end of the file cuts off is told as such. */
static pkin_status explain_bad_json(record_reader *reader, pkin_i_view line, const char *cause, bool cut_off) {
    const char *text = cut_off ? "the file ends inside this record: " : "not valid JSON: ";
    if (!pkin_i_is_utf8(line.bytes, line.n_bytes)) cause = "the line is not UTF-8";
    pkin_i_buffer_clear(&reader->why);
    return pkin_i_buffer_printf(&reader->why, "%s%s", text, cause);
}

/* Reads the record of one line; `line` counts from 1 in the stretch, [begin, end) is its place in the input. */
static pkin_status read_line(record_reader *reader, pkin_i_view text, size_t n_readable, bool cut_off, uint64_t line,
                             uint64_t begin, pkin_i_harvest *harvest) {
    pkin_status status;
    pkin_i_json_value root;
    pkin_paper paper;
    const char *reason;
    switch (pkin_i_json_parse(reader->parser, text, n_readable, &root, &reason)) {
    case PKIN_I_JSON_OUT_OF_MEMORY:
        return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "out of memory for a JSON record of %zu bytes", text.n_bytes);
    case PKIN_I_JSON_BAD:
        status = explain_bad_json(reader, text, reason, cut_off);
        return status == PKIN_OK ? pkin_i_harvest_note(harvest, line, reader->why.bytes, true) : status;
    case PKIN_I_JSON_OK:
        break;
    }
    PKIN_TRY(pkin_i_json_record_read(&root, &reader->draft, &harvest->arena, &reader->why, &reason));
    if (!reason) PKIN_TRY(pkin_i_draft_finish(&reader->draft, &harvest->arena, &paper, &reason));
    if (reason) {
        PKIN_TRY(pkin_i_harvest_note(harvest, line, reason, true));
    } else {
        paper.line = line;
        paper.begin = begin;
        paper.end = begin + text.n_bytes;
        PKIN_TRY(pkin_i_harvest_paper(harvest, &paper));
    }
out:
    return status;
}

static pkin_status read_stretch(record_reader *reader, const char *bytes, size_t n_bytes, stretch *part) {
    for (size_t at = part->begin, next; at < part->end; at = next) {
        pkin_i_view text = pkin_i_line_at(bytes, n_bytes, at, &next);
        uint64_t line = ++part->harvest.n_lines;
        bool cut_off = next == n_bytes && bytes[n_bytes - 1] != '\n';
        if (pkin_i_view_trim(text).n_bytes == 0) continue;
        pkin_status status = read_line(reader, text, n_bytes - at, cut_off, line, at, &part->harvest);
        if (status != PKIN_OK) return status;
    }
    return PKIN_OK;
}

/* Cuts [start, n_bytes) after line ends. Reads each byte at most once, most of them never. */
static pkin_status cut(const char *bytes, size_t n_bytes, size_t start, stretch **out, size_t *n_out) {
    size_t capacity = 0;
    pkin_status status = PKIN_OK;
    *n_out = 0;
    while (start < n_bytes) {
        size_t end = n_bytes - start > STRETCH_BYTES ? start + STRETCH_BYTES : n_bytes;
        const char *line_end = (const char *)memchr(bytes + end - 1, '\n', n_bytes - end + 1);
        end = line_end ? (size_t)(line_end - bytes) + 1 : n_bytes;
        status = pkin_i_grow(out, &capacity, *n_out + 1, sizeof **out);
        if (status != PKIN_OK) break;
        stretch *part = &(*out)[(*n_out)++];
        *part = (stretch){0};
        part->begin = start;
        part->end = end;
        start = end;
    }
    return status;
}

static void read_all(const char *bytes, size_t n_bytes, stretch *parts, size_t n_parts, int n_threads) {
    if ((size_t)n_threads > n_parts) n_threads = (int)n_parts;
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)
    {
        record_reader reader;
        pkin_status started = reader_start(&reader);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < n_parts; k++) {
            parts[k].status = started == PKIN_OK ? read_stretch(&reader, bytes, n_bytes, &parts[k]) : started;
        }
        reader_stop(&reader);
    }
}

/* Appends one stretch's harvest; its lines count on from those before it. */
static pkin_status join(pkin_i_harvest *into, pkin_i_harvest *from) {
    pkin_status status;
    PKIN_TRY(pkin_i_grow(&into->papers, &into->papers_capacity, into->n_papers + from->n_papers, sizeof *into->papers));
    PKIN_TRY(pkin_i_grow(&into->notes, &into->notes_capacity, into->n_notes + from->n_notes, sizeof *into->notes));
    for (size_t k = 0; k < from->n_papers; k++) {
        into->papers[into->n_papers] = from->papers[k];
        into->papers[into->n_papers++].line += into->n_lines;
    }
    for (size_t k = 0; k < from->n_notes; k++) {
        into->notes[into->n_notes] = from->notes[k];
        into->notes[into->n_notes++].line += into->n_lines;
    }
    into->n_lines += from->n_lines;
    into->n_skipped += from->n_skipped;
    pkin_i_arena_adopt(&into->arena, &from->arena);
    pkin_i_harvest_free(from);
out:
    return status;
}

pkin_status pkin_i_json_lines_read(const char *bytes, size_t n_bytes, int n_threads, pkin_i_harvest *harvest) {
    pkin_status status;
    stretch *parts = NULL;
    size_t n_parts = 0, n_papers = 0;
    PKIN_TRY(cut(bytes, n_bytes, pkin_i_bom_bytes(bytes, n_bytes), &parts, &n_parts));
    if (n_parts) read_all(bytes, n_bytes, parts, n_parts, n_threads);
    for (size_t k = 0; k < n_parts; k++) {
        /* Messages are kept by thread, and the thread that failed may have been another one. */
        PKIN_REQUIRE(parts[k].status == PKIN_OK, parts[k].status, "reading failed near byte %zu: %s", parts[k].begin,
                     pkin_status_message(parts[k].status));
        n_papers += parts[k].harvest.n_papers;
    }
    PKIN_TRY(pkin_i_grow(&harvest->papers, &harvest->papers_capacity, n_papers, sizeof *harvest->papers));
    for (size_t k = 0; k < n_parts; k++) PKIN_TRY(join(harvest, &parts[k].harvest));
out:
    for (size_t k = 0; k < n_parts; k++) pkin_i_harvest_free(&parts[k].harvest);
    pkin_i_free(parts);
    return status;
}

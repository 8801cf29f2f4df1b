/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/annotate.h"

#include <string.h>

#include "base/failure.h"
#include "corpus/blocks.h"
#include "corpus/text_view.h"

static pkin_status copy_up_to(pkin_i_annotator *annotator, size_t place) {
    pkin_status status = PKIN_OK;
    if (place == annotator->at) goto out;
    PKIN_TRY(pkin_i_buffer_append(annotator->out, annotator->bytes + annotator->at, place - annotator->at));
    annotator->at = place;
out:
    return status;
}

/* The line end before `place`, else (`*is_open`) the one that the file uses first, else "\n". */
static const char *line_end_at(const pkin_i_annotator *annotator, size_t place, int *is_open) {
    const char *bytes = annotator->bytes;
    *is_open = place == 0 || bytes[place - 1] != '\n';
    size_t at = place;
    if (*is_open) {
        const char *first = annotator->n_bytes ? memchr(bytes, '\n', annotator->n_bytes) : NULL;
        at = first ? (size_t)(first - bytes) + 1 : 0;
    }
    return at >= 2 && bytes[at - 2] == '\r' ? "\r\n" : "\n";
}

static pkin_status insert_block(pkin_i_annotator *annotator, const pkin_paper *record,
                                const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    int is_open = 0;
    if (record->end < annotator->at || record->end > annotator->n_bytes) goto out;
    PKIN_TRY(copy_up_to(annotator, (size_t)record->end));
    const char *line_end = line_end_at(annotator, annotator->at, &is_open);
    if (is_open) PKIN_TRY(pkin_i_buffer_string(annotator->out, line_end));
    PKIN_TRY(pkin_i_buffer_string(annotator->out, is_open ? PKIN_I_BLOCK_BEGIN_OPEN_LINE : PKIN_I_BLOCK_BEGIN));
    PKIN_TRY(pkin_i_buffer_string(annotator->out, line_end));
    PKIN_TRY(pkin_i_markdown_block(annotation, annotator->languages, line_end, annotator->out));
    PKIN_TRY(pkin_i_buffer_string(annotator->out, PKIN_I_BLOCK_END));
    if (!is_open) PKIN_TRY(pkin_i_buffer_string(annotator->out, line_end));
out:
    return status;
}

static pkin_status insert_member(pkin_i_annotator *annotator, const pkin_paper *record,
                                 const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    if (record->begin < annotator->at || record->end < record->begin || record->end > annotator->n_bytes) goto out;
    size_t n_bytes = (size_t)(record->end - record->begin);
    size_t place = pkin_i_json_insert_place(annotator->bytes + record->begin, n_bytes);
    if (place == SIZE_MAX) goto out;
    if (pkin_i_json_has_member(annotator->bytes + record->begin, n_bytes, PKIN_I_JSON_NAME)) {
        if (!annotator->foreign_line) annotator->foreign_line = record->line;
        goto out;
    }
    PKIN_TRY(copy_up_to(annotator, (size_t)record->begin + place));
    PKIN_TRY(pkin_i_json_member(annotation, annotator->languages, annotator->out));
out:
    return status;
}

pkin_status pkin_i_annotator_insert(pkin_i_annotator *annotator, const pkin_paper *record,
                                    const pkin_i_annotation *annotation) {
    if (pkin_i_annotation_is_empty(annotation)) return PKIN_OK;
    return annotator->format == PKIN_FORMAT_MARKDOWN ? insert_block(annotator, record, annotation)
                                                     : insert_member(annotator, record, annotation);
}

/* Whether a line opens or closes front matter: `---` (YAML), `+++` (TOML), and `...`, which closes YAML too. */
static bool is_fence(pkin_i_view line, char c) {
    while (line.n_bytes && (line.bytes[line.n_bytes - 1] == ' ' || line.bytes[line.n_bytes - 1] == '\t'))
        line.n_bytes--;
    return line.n_bytes == 3 && line.bytes[0] == c && line.bytes[1] == c && line.bytes[2] == c;
}

/*
 * Where the top of a digest is: behind a byte order mark and behind front matter, which sites' generators want at the
 * very beginning. `limit`: the first entry; what goes on beyond it is no front matter, but a rule between entries.
 */
static size_t top_of(const char *bytes, size_t n_bytes, size_t limit) {
    size_t start = pkin_i_bom_bytes(bytes, n_bytes), next;
    if (start >= limit) return start;
    pkin_i_view line = pkin_i_line_at(bytes, n_bytes, start, &next);
    char fence = line.n_bytes ? line.bytes[0] : '\0';
    if ((fence != '-' && fence != '+') || !is_fence(line, fence)) return start;
    for (size_t at = next; at < limit; at = next) {
        line = pkin_i_line_at(bytes, n_bytes, at, &next);
        bool closes = is_fence(line, fence) || (fence == '-' && is_fence(line, '.'));
        if (closes) return next;
    }
    return start;
}

pkin_status pkin_i_annotator_insert_section(pkin_i_annotator *annotator, const pkin_i_day_threads *threads,
                                            const pkin_i_day_file *file) {
    pkin_status status = PKIN_OK;
    int is_open = 0;
    if (annotator->format != PKIN_FORMAT_MARKDOWN || threads->n_items == 0) goto out;
    size_t first = (size_t)pkin_corpus_paper(file->corpus, 0)->begin;
    PKIN_TRY(copy_up_to(annotator, top_of(annotator->bytes, annotator->n_bytes, first)));
    const char *line_end = line_end_at(annotator, annotator->at, &is_open);
    PKIN_TRY(pkin_i_buffer_string(annotator->out, PKIN_I_BLOCK_BEGIN));
    PKIN_TRY(pkin_i_buffer_string(annotator->out, line_end));
    PKIN_TRY(pkin_i_day_threads_section(threads, file, annotator->languages, line_end, annotator->out));
    PKIN_TRY(pkin_i_buffer_string(annotator->out, PKIN_I_BLOCK_END));
    PKIN_TRY(pkin_i_buffer_string(annotator->out, line_end));
out:
    return status;
}

pkin_status pkin_i_annotator_finish(pkin_i_annotator *annotator) {
    return copy_up_to(annotator, annotator->n_bytes);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Daily digests in Markdown, in all the shapes that feeds have given them. An entry goes from its heading to the next
 * entry or section; inside it, labelled lines open fields. What an abstract holds is read to the closing `</details>`,
 * whatever its lines look like. One pass over the lines, after one that finds at which level the entries' headings
 * stand.
 */
#include <stdio.h>

#include "base/failure.h"
#include "corpus/blocks.h"
#include "corpus/markdown_heading.h"
#include "corpus/markdown_label.h"
#include "corpus/readers.h"

typedef struct markdown_reader {
    const char *bytes;
    size_t n_bytes;
    pkin_i_harvest *harvest;
    int entry_level; /* number of `#` of the entries' headings */
    bool repair;     /* the input is not UTF-8 throughout */
    pkin_i_blocks blocks;
    pkin_i_view section; /* the category that the latest section heading names, else empty */

    /* The entry being read. */
    bool in_entry;
    bool in_details;   /* between <details> and </details> */
    bool end_is_fixed; /* a block of paperkin's has been passed */
    bool seen_authors;
    bool abstract_to_end; /* the abstract began inside <details>: only </details> ends it */
    uint64_t line;
    size_t begin, end;
    pkin_i_field field;
    pkin_i_buffer value; /* of the open field, line by line */
    pkin_i_buffer abstract;
    pkin_i_draft draft;
} markdown_reader;

typedef enum line_kind { LINE_TEXT, LINE_ENTRY, LINE_BROKEN, LINE_SECTION } line_kind;

static bool is_web_link(pkin_i_view link) {
    return pkin_i_view_starts(link, "http://") || pkin_i_view_starts(link, "https://");
}

/* Entries are the headings with web links; sections may have linked headings too, but fewer. Ties go to level 3. */
static int find_entry_level(const char *bytes, size_t n_bytes, size_t start) {
    size_t counts[5] = {0};
    for (size_t at = start, next; at < n_bytes; at = next) {
        pkin_i_view text, line = pkin_i_line_at(bytes, n_bytes, at, &next);
        int level = pkin_i_heading_level(line, &text);
        if (level < 2 || level > 4) continue;
        pkin_i_heading heading = pkin_i_heading_read(text);
        if (heading.kind == PKIN_I_HEADING_ENTRY && is_web_link(heading.link)) counts[level]++;
    }
    int best = 3;
    if (counts[2] > counts[best]) best = 2;
    if (counts[4] > counts[best]) best = 4;
    return best;
}

static line_kind classify(const markdown_reader *reader, pkin_i_view line, pkin_i_heading *heading) {
    pkin_i_view text;
    int level = pkin_i_heading_level(line, &text);
    if (level == reader->entry_level) {
        *heading = pkin_i_heading_read(text);
        /* Inside <details> a model may have written headings of its own. */
        bool sure = !reader->in_details || heading->numbered;
        if (heading->kind == PKIN_I_HEADING_ENTRY && (sure || is_web_link(heading->link))) return LINE_ENTRY;
        if (heading->kind == PKIN_I_HEADING_BROKEN && sure) return LINE_BROKEN;
    }
    if (pkin_i_is_section_mark(line)) return LINE_SECTION;
    return level > 0 && level <= reader->entry_level && !reader->in_details ? LINE_SECTION : LINE_TEXT;
}

/* The category of `# cs.PL [[Back]](#toc)` or `## hep-th`; empty where the heading names none. */
static pkin_i_view section_category(pkin_i_view line) {
    pkin_i_view text;
    size_t n = 0;
    if (pkin_i_heading_level(line, &text) == 0) return pkin_i_view_of("", 0);
    bool lower = text.n_bytes && text.bytes[0] >= 'a' && text.bytes[0] <= 'z';
    while (n < text.n_bytes && !pkin_i_is_blank(text.bytes[n])) {
        char c = text.bytes[n++];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && c != '-' && c != '.') return pkin_i_view_of("", 0);
    }
    bool alone = n == text.n_bytes || pkin_i_view_starts(pkin_i_view_from(text, n), " [[");
    return lower && alone ? pkin_i_view_of(text.bytes, n) : pkin_i_view_of("", 0);
}

/* A copy of the open field's value that lives as long as the papers. */
static pkin_status keep_value(markdown_reader *reader, pkin_i_view *out) {
    const char *copy;
    pkin_status status =
        pkin_i_arena_string(&reader->harvest->arena, reader->value.bytes, reader->value.n_bytes, &copy);
    if (status == PKIN_OK) *out = pkin_i_view_of(copy, reader->value.n_bytes);
    return status;
}

static pkin_status close_kept_field(markdown_reader *reader, pkin_i_field field) {
    pkin_i_view value;
    pkin_status status = keep_value(reader, &value);
    if (status != PKIN_OK) return status;
    switch (field) {
    case PKIN_I_FIELD_COMMENT:
        reader->draft.comment = value;
        return PKIN_OK;
    case PKIN_I_FIELD_DOI:
        reader->draft.doi = value;
        return PKIN_OK;
    case PKIN_I_FIELD_DATE:
        reader->draft.date = value;
        return PKIN_OK;
    case PKIN_I_FIELD_CATEGORY:
        return pkin_i_draft_split_categories(&reader->draft, value);
    case PKIN_I_FIELD_AUTHORS:
        return pkin_i_draft_split_authors(&reader->draft, value, false);
    default:
        return PKIN_OK;
    }
}

/* Hands the open field's value on, and closes the field. */
static pkin_status close_field(markdown_reader *reader) {
    pkin_i_field field = reader->field;
    reader->field = PKIN_I_FIELD_NONE;
    reader->abstract_to_end = false;
    if (field == PKIN_I_FIELD_NONE || field == PKIN_I_FIELD_IGNORED || reader->value.n_bytes == 0) return PKIN_OK;
    if (field == PKIN_I_FIELD_SUMMARY) {
        return pkin_i_draft_add_summary(&reader->draft, pkin_i_view_of(reader->value.bytes, reader->value.n_bytes));
    }
    if (field == PKIN_I_FIELD_ABSTRACT) {
        if (reader->abstract.n_bytes) return PKIN_OK;
        pkin_i_buffer swap = reader->abstract;
        reader->abstract = reader->value;
        reader->value = swap;
        return PKIN_OK;
    }
    return close_kept_field(reader, field);
}

static pkin_status add_to_field(markdown_reader *reader, pkin_i_view line) {
    pkin_status status = pkin_i_buffer_append(&reader->value, line.bytes, line.n_bytes);
    return status == PKIN_OK ? pkin_i_buffer_char(&reader->value, '\n') : status;
}

static pkin_status open_field(markdown_reader *reader, pkin_i_field field, pkin_i_view value) {
    pkin_status status = close_field(reader);
    if (status != PKIN_OK) return status;
    pkin_i_buffer_clear(&reader->value);
    reader->field = field;
    reader->abstract_to_end = field == PKIN_I_FIELD_ABSTRACT && reader->in_details;
    return add_to_field(reader, value);
}

/* `*A,B,C*`, or `*A, B* | **Main category: cs.CV**`. */
static pkin_status read_authors(markdown_reader *reader, pkin_i_view line) {
    pkin_i_view rest, value;
    size_t n = line.n_bytes - 1;
    if (line.bytes[n] == '*' && line.bytes[n - 1] == '*') {
        const char *bar = (const char *)memmem(line.bytes, line.n_bytes, "* |", 3);
        if (bar) n = (size_t)(bar - line.bytes);
    }
    reader->seen_authors = true;
    pkin_status status = pkin_i_draft_split_authors(&reader->draft, pkin_i_view_of(line.bytes + 1, n - 1), false);
    if (status != PKIN_OK || n + 1 >= line.n_bytes) return status;
    rest = pkin_i_view_trim(pkin_i_view_from(line, n + 1));
    rest = pkin_i_view_trim(pkin_i_view_from(rest, pkin_i_view_starts(rest, "|") ? 1 : 0));
    pkin_i_field field = pkin_i_label_read(rest, &value);
    return field == PKIN_I_FIELD_CATEGORY ? pkin_i_draft_split_categories(&reader->draft, value) : PKIN_OK;
}

static bool is_authors_line(const markdown_reader *reader, pkin_i_view line) {
    return !reader->seen_authors && reader->field == PKIN_I_FIELD_NONE && line.n_bytes > 2 && line.bytes[0] == '*' &&
           line.bytes[1] != '*' && line.bytes[1] != ' ' && line.bytes[line.n_bytes - 1] == '*';
}

static bool is_rule(pkin_i_view line) {
    return pkin_i_view_is(line, "---") || pkin_i_view_is(line, "***") || pkin_i_view_is(line, "___");
}

static bool is_summary_tag(pkin_i_view line) {
    return pkin_i_view_starts(line, "<summary>") && pkin_i_view_ends(line, "</summary>");
}

/* A line of the entry that is no heading of an entry or a section. */
static pkin_status read_text(markdown_reader *reader, pkin_i_view line) {
    pkin_i_view value, trimmed = pkin_i_view_trim(line);
    if (pkin_i_view_is(trimmed, "</details>")) {
        reader->in_details = false;
        return close_field(reader);
    }
    if (reader->abstract_to_end) return add_to_field(reader, line);
    if (pkin_i_view_is(trimmed, "<details>")) {
        reader->in_details = true;
        return close_field(reader);
    }
    if (is_summary_tag(trimmed)) return PKIN_OK;
    if (is_rule(trimmed) && !reader->in_details) return close_field(reader);
    pkin_i_view plain = pkin_i_unquote(line);
    pkin_i_field field = pkin_i_label_read(plain, &value);
    if (field != PKIN_I_FIELD_NONE) return open_field(reader, field, value);
    if (is_authors_line(reader, trimmed)) return read_authors(reader, trimmed);
    return reader->field == PKIN_I_FIELD_NONE ? PKIN_OK : add_to_field(reader, plain);
}

static void start_entry(markdown_reader *reader, const pkin_i_heading *heading, size_t begin, uint64_t line) {
    pkin_i_draft_clear(&reader->draft);
    pkin_i_buffer_clear(&reader->abstract);
    reader->draft.title = heading->title;
    reader->draft.link = heading->link;
    reader->draft.repair = reader->repair;
    reader->in_entry = true;
    reader->in_details = reader->end_is_fixed = reader->seen_authors = reader->abstract_to_end = false;
    reader->field = PKIN_I_FIELD_NONE;
    reader->line = line;
    reader->begin = begin;
}

static pkin_status note_repair(markdown_reader *reader) {
    if (!reader->repair || pkin_i_is_utf8(reader->bytes + reader->begin, reader->end - reader->begin)) return PKIN_OK;
    return pkin_i_harvest_note(reader->harvest, reader->line,
                               "the entry holds bytes that are not UTF-8; they were replaced by U+FFFD", false);
}

static pkin_status finish_entry(markdown_reader *reader) {
    pkin_status status = PKIN_OK;
    pkin_paper paper;
    const char *reason;
    if (!reader->in_entry) goto out;
    reader->in_entry = reader->in_details = false;
    PKIN_TRY(close_field(reader));
    reader->draft.abstract = pkin_i_view_of(reader->abstract.bytes, reader->abstract.n_bytes);
    if (reader->draft.categories.n == 0 && reader->section.n_bytes) {
        PKIN_TRY(pkin_i_views_add(&reader->draft.categories, reader->section));
    }
    PKIN_TRY(pkin_i_draft_finish(&reader->draft, &reader->harvest->arena, &paper, &reason));
    if (reason) {
        PKIN_TRY(pkin_i_harvest_note(reader->harvest, reader->line, reason, true));
        goto out;
    }
    paper.line = reader->line;
    paper.begin = reader->begin;
    paper.end = reader->end;
    PKIN_TRY(note_repair(reader));
    PKIN_TRY(pkin_i_harvest_paper(reader->harvest, &paper));
out:
    return status;
}

static pkin_status note_broken(markdown_reader *reader, const char *fault, uint64_t line) {
    char reason[160];
    snprintf(reason, sizeof reason, "%s; expected `### [n] [title](link)`", fault);
    return pkin_i_harvest_note(reader->harvest, line, reason, true);
}

static pkin_status read_line(markdown_reader *reader, pkin_i_view line, size_t begin, size_t end, uint64_t number) {
    pkin_status status = PKIN_OK;
    pkin_i_heading heading;
    switch (classify(reader, line, &heading)) {
    case LINE_ENTRY:
        PKIN_TRY(finish_entry(reader));
        start_entry(reader, &heading, begin, number);
        reader->end = end;
        break;
    case LINE_BROKEN:
        PKIN_TRY(finish_entry(reader));
        PKIN_TRY(note_broken(reader, heading.fault, number));
        break;
    case LINE_SECTION:
        PKIN_TRY(finish_entry(reader));
        reader->section = section_category(line);
        break;
    case LINE_TEXT:
        if (!reader->in_entry) break;
        if (!reader->end_is_fixed && pkin_i_view_trim(line).n_bytes) reader->end = end;
        PKIN_TRY(read_text(reader, line));
        break;
    }
out:
    return status;
}

static pkin_status note_stray(markdown_reader *reader, uint64_t number) {
    return pkin_i_harvest_note(reader->harvest, number,
                               "a marker of a paperkin block without its other marker; it was read as text", false);
}

static pkin_status read_lines(markdown_reader *reader, size_t start) {
    const pkin_i_blocks *blocks = &reader->blocks;
    uint64_t number = 0;
    size_t block = 0, stray = 0;
    for (size_t at = start, next; at < reader->n_bytes; at = next) {
        pkin_i_view line = pkin_i_line_at(reader->bytes, reader->n_bytes, at, &next);
        pkin_status status = PKIN_OK;
        number++;
        if (block < blocks->n_items && blocks->items[block].line == number) {
            reader->end_is_fixed = true;
            number += blocks->items[block].n_lines - 1;
            next = blocks->items[block++].end;
            continue;
        }
        if (stray < blocks->n_strays && blocks->strays[stray] == number) {
            stray++;
            status = note_stray(reader, number);
        }
        if (status == PKIN_OK) status = read_line(reader, line, at, next, number);
        if (status != PKIN_OK) return status;
    }
    return finish_entry(reader);
}

pkin_status pkin_i_markdown_read(const char *bytes, size_t n_bytes, pkin_i_harvest *harvest) {
    size_t start = pkin_i_bom_bytes(bytes, n_bytes);
    markdown_reader reader = {0};
    reader.bytes = bytes;
    reader.n_bytes = n_bytes;
    reader.harvest = harvest;
    reader.entry_level = find_entry_level(bytes, n_bytes, start);
    reader.repair = !pkin_i_is_utf8(bytes, n_bytes);
    reader.section = pkin_i_view_of("", 0);
    pkin_status status = pkin_i_blocks_find(bytes, n_bytes, &reader.blocks);
    if (status == PKIN_OK) status = read_lines(&reader, start);
    pkin_i_blocks_free(&reader.blocks);
    pkin_i_buffer_free(&reader.value);
    pkin_i_buffer_free(&reader.abstract);
    pkin_i_draft_free(&reader.draft);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "corpus/markdown_heading.h"
#include "corpus/readers.h"

const char *pkin_format_name(pkin_format format) {
    switch (format) {
    case PKIN_FORMAT_MARKDOWN:
        return "markdown";
    case PKIN_FORMAT_CRAWL:
        return "crawl";
    case PKIN_FORMAT_ENHANCED:
        return "enhanced";
    case PKIN_FORMAT_SNAPSHOT:
        return "snapshot";
    case PKIN_FORMAT_RECORDS:
        return "records";
    case PKIN_FORMAT_UNKNOWN:
        break;
    }
    return "unknown";
}

pkin_read_options pkin_read_options_default(void) {
    pkin_read_options options = {0};
    options.size = sizeof options;
    return options;
}

static bool is_blank_text(const char *bytes, size_t n_bytes) {
    size_t start = pkin_i_bom_bytes(bytes, n_bytes);
    return pkin_i_view_trim(pkin_i_view_of(bytes + start, n_bytes - start)).n_bytes == 0;
}

static bool has_contents_mark(const char *bytes, size_t n_bytes) {
    for (size_t at = pkin_i_bom_bytes(bytes, n_bytes), next; at < n_bytes; at = next) {
        if (pkin_i_is_contents_mark(pkin_i_line_at(bytes, n_bytes, at, &next))) return true;
    }
    return false;
}

/* The beginning in about 60 characters of printable ASCII, everything else as \xHH. */
static void show_beginning(const char *bytes, size_t n_bytes, char *out, size_t capacity) {
    enum { SHOWN = 60 };
    size_t n = 0;
    for (size_t k = 0; k < n_bytes && n < SHOWN && capacity - n > 5; k++) {
        unsigned char c = (unsigned char)bytes[k];
        bool plain = c >= 0x20 && c < 0x7F && c != '\\';
        n += (size_t)snprintf(out + n, capacity - n, plain ? "%c" : "\\x%02X", c);
    }
    out[n] = '\0';
}

/* What the bytes may be instead, and what to do then. */
static const char *guess(const char *bytes, size_t n_bytes) {
    pkin_i_view text = pkin_i_view_trim(pkin_i_view_of(bytes, n_bytes));
    if (pkin_i_view_starts(text, "\xFF\xFE") || pkin_i_view_starts(text, "\xFE\xFF")) {
        return " This looks like UTF-16: convert it to UTF-8.";
    }
    if (memchr(bytes, 0, n_bytes < 512 ? n_bytes : 512)) return " This looks like a binary file.";
    if (pkin_i_view_starts(text, "<!") || pkin_i_view_starts(text, "<html") || pkin_i_view_starts(text, "<?xml")) {
        return " This looks like a web page: download the digest's raw file instead.";
    }
    if (pkin_i_view_starts(text, "[")) {
        return " This looks like one JSON array: write one object a line, for example with `jq -c '.[]'`.";
    }
    if (pkin_i_view_starts(text, "{")) {
        return " This looks like JSON whose lines are no records: each line must be a whole object with \"id\" and "
               "\"title\".";
    }
    return "";
}

static pkin_status not_a_digest(const char *name, const char *bytes, size_t n_bytes, const pkin_i_harvest *harvest) {
    char beginning[192], first_note[256] = "";
    show_beginning(bytes, n_bytes, beginning, sizeof beginning);
    if (harvest->n_notes) {
        snprintf(first_note, sizeof first_note, " No record of it can be read; line %llu: %.180s.",
                 (unsigned long long)harvest->notes[0].line, harvest->notes[0].reason);
    }
    return pkin_i_fail(
        PKIN_ERROR_NOT_A_DIGEST,
        "%s: not a digest or corpus that paperkin can read. It begins with \"%s\". Expected, plain, gzip "
        "or zstd: a Markdown digest with headings like `### [1] [title](link)`, or JSON lines with "
        "\"id\", \"title\" and \"summary\" or \"abstract\" (crawl, enhanced, arXiv snapshot, records).%s%s",
        name, beginning, first_note, harvest->n_notes ? "" : guess(bytes, n_bytes));
}

static pkin_status check_options(const pkin_read_options *options) {
    if (options->n_threads < 0) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "%d threads asked for; expected 0 (all) or more",
                           options->n_threads);
    }
    if ((int)options->format < PKIN_FORMAT_UNKNOWN || options->format > PKIN_FORMAT_RECORDS) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "there is no format number %d", (int)options->format);
    }
    return PKIN_OK;
}

static void report(const pkin_i_harvest *harvest, const char *name, const pkin_read_options *options) {
    if (!options->on_diagnostic) return;
    for (size_t k = 0; k < harvest->n_notes; k++) {
        const pkin_i_note *note = &harvest->notes[k];
        pkin_diagnostic diagnostic = {name, note->line, note->reason, note->skipped_record};
        options->on_diagnostic(options->diagnostic_user, &diagnostic);
    }
}

/* ---- Strings ---- */

pkin_status pkin_i_strings_create(pkin_i_strings **out) {
    pkin_status status = pkin_i_allocate_zeroed(1, sizeof **out, out);
    if (status == PKIN_OK) (*out)->n_owners = 1;
    return status;
}

void pkin_i_strings_share(pkin_i_strings *strings) {
    __atomic_add_fetch(&strings->n_owners, 1, __ATOMIC_RELAXED);
}

void pkin_i_strings_release(pkin_i_strings *strings) {
    /* What other owners did with the strings comes before they are freed. */
    if (!strings || __atomic_sub_fetch(&strings->n_owners, 1, __ATOMIC_ACQ_REL) > 0) return;
    pkin_i_arena_free(&strings->arena);
    pkin_i_free(strings);
}

/* ---- Reading ---- */

/* Reads in the corpus's form; a file without a record must at least be empty or show a table of contents. */
static pkin_status read_records(pkin_corpus *corpus, const pkin_read_options *options, pkin_i_harvest *harvest) {
    pkin_status status = PKIN_OK;
    const char *bytes = corpus->bytes.bytes;
    size_t n_bytes = corpus->bytes.n_bytes;
    if (is_blank_text(bytes, n_bytes)) goto out;
    if (corpus->format == PKIN_FORMAT_UNKNOWN) corpus->format = pkin_i_format_detect(bytes, n_bytes);
    if (corpus->format == PKIN_FORMAT_MARKDOWN) {
        PKIN_TRY(pkin_i_markdown_read(bytes, n_bytes, harvest));
    } else if (corpus->format != PKIN_FORMAT_UNKNOWN) {
        int n_threads = options->n_threads ? options->n_threads : omp_get_max_threads();
        PKIN_TRY(pkin_i_json_lines_read(bytes, n_bytes, n_threads, harvest));
    }
    report(harvest, corpus->name, options);
    bool is_empty_digest = corpus->format == PKIN_FORMAT_MARKDOWN && has_contents_mark(bytes, n_bytes);
    if (harvest->n_papers == 0 && !is_empty_digest) status = not_a_digest(corpus->name, bytes, n_bytes, harvest);
out:
    return status;
}

pkin_status pkin_i_corpus_read_buffer(pkin_i_buffer *bytes, const char *name, const pkin_read_options *options,
                                      pkin_corpus **out) {
    pkin_status status;
    pkin_corpus *corpus = NULL;
    pkin_i_harvest harvest = {0};
    pkin_read_options taken = pkin_read_options_default();
    *out = NULL;
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_read_options"));
    options = &taken;
    PKIN_TRY(check_options(options));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *corpus, &corpus));
    corpus->format = options->format;
    corpus->bytes = *bytes;
    *bytes = (pkin_i_buffer){0};
    /* An empty input still has bytes to point to. */
    PKIN_TRY(pkin_i_buffer_append(&corpus->bytes, "", 0));
    PKIN_TRY(pkin_i_grow(&corpus->strings, &corpus->strings_capacity, 1, sizeof *corpus->strings));
    PKIN_TRY(pkin_i_strings_create(&corpus->strings[0]));
    corpus->n_strings = 1;
    PKIN_TRY(pkin_i_arena_string(&corpus->strings[0]->arena, name, strlen(name), &corpus->name));
    PKIN_TRY(read_records(corpus, options, &harvest));
    pkin_i_arena_adopt(&corpus->strings[0]->arena, &harvest.arena);
    corpus->papers = harvest.papers;
    corpus->n_papers = harvest.n_papers;
    corpus->capacity = harvest.papers_capacity;
    corpus->n_skipped = harvest.n_skipped;
    harvest.papers = NULL;
    *out = corpus;
    corpus = NULL;
out:
    pkin_i_harvest_free(&harvest);
    pkin_corpus_free(corpus);
    pkin_i_buffer_free(bytes);
    return status;
}

pkin_status pkin_corpus_read_file(const char *path, const pkin_read_options *options, pkin_corpus **out) {
    pkin_status status;
    pkin_i_buffer bytes = {0};
    pkin_read_options taken = pkin_read_options_default();
    if (!out) return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "reading a corpus: no place for the result was given");
    *out = NULL;
    PKIN_REQUIRE(path, PKIN_ERROR_INVALID_ARGUMENT, "reading a corpus: no path was given");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_read_options"));
    PKIN_TRY(check_options(&taken));
    PKIN_TRY(pkin_i_input_read_parallel(path, taken.n_threads, &bytes));
    PKIN_TRY(pkin_i_corpus_read_buffer(&bytes, path, &taken, out));
out:
    pkin_i_buffer_free(&bytes);
    return status;
}

pkin_status pkin_corpus_read_memory(const void *bytes, size_t n_bytes, const char *name,
                                    const pkin_read_options *options, pkin_corpus **out) {
    pkin_status status;
    pkin_i_buffer copy = {0};
    bool was_packed;
    if (!out) return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "reading a corpus: no place for the result was given");
    *out = NULL;
    PKIN_REQUIRE(bytes || n_bytes == 0, PKIN_ERROR_INVALID_ARGUMENT, "reading a corpus: no bytes were given");
    if (!name) name = "memory";
    PKIN_TRY(pkin_i_buffer_append(&copy, bytes, n_bytes));
    PKIN_TRY(pkin_i_input_unpack(name, &copy, &was_packed));
    PKIN_TRY(pkin_i_corpus_read_buffer(&copy, name, options, out));
out:
    pkin_i_buffer_free(&copy);
    return status;
}

void pkin_corpus_free(pkin_corpus *corpus) {
    if (!corpus) return;
    for (size_t k = 0; k < corpus->n_strings; k++) pkin_i_strings_release(corpus->strings[k]);
    pkin_i_free(corpus->strings);
    pkin_i_free(corpus->papers);
    pkin_i_buffer_free(&corpus->bytes);
    pkin_i_free(corpus);
}

uint64_t pkin_corpus_size(const pkin_corpus *corpus) {
    return corpus ? corpus->n_papers : 0;
}

const pkin_paper *pkin_corpus_paper(const pkin_corpus *corpus, uint64_t index) {
    return corpus && index < corpus->n_papers ? &corpus->papers[index] : NULL;
}

pkin_format pkin_corpus_format(const pkin_corpus *corpus) {
    return corpus ? corpus->format : PKIN_FORMAT_UNKNOWN;
}

uint64_t pkin_corpus_n_skipped(const pkin_corpus *corpus) {
    return corpus ? corpus->n_skipped : 0;
}

const char *pkin_corpus_name(const pkin_corpus *corpus) {
    return corpus ? corpus->name : "";
}

const void *pkin_corpus_bytes(const pkin_corpus *corpus, size_t *n_bytes) {
    if (n_bytes) *n_bytes = corpus ? corpus->bytes.n_bytes : 0;
    return corpus ? corpus->bytes.bytes : NULL;
}

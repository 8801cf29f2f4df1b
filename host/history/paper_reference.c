/* SPDX-License-Identifier: Apache-2.0 */
#include "history/paper_reference.h"

#include <string.h>

#include "base/failure.h"
#include "corpus/identity.h"

/* What a text may stand for. */
typedef struct reference {
    const char *text;
    pkin_i_buffer key; /* of an arXiv id or a DOI; empty: neither */
    pkin_i_buffer doi; /* "" where the text is none */
    bool is_arxiv;
} reference;

static void reference_free(reference *wanted) {
    pkin_i_buffer_free(&wanted->key);
    pkin_i_buffer_free(&wanted->doi);
}

static pkin_status reference_read(const char *text, reference *out) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer name = {0};
    unsigned version = 0;
    out->text = text;
    PKIN_TRY(pkin_i_arxiv_name(text, &name, &version));
    out->is_arxiv = name.n_bytes > 0;
    if (!out->is_arxiv) {
        PKIN_TRY(pkin_i_doi_name(text, &name));
        if (name.n_bytes) PKIN_TRY(pkin_i_buffer_string(&out->doi, name.bytes));
    }
    if (name.n_bytes) PKIN_TRY(pkin_i_buffer_printf(&out->key, "%s:%s", out->is_arxiv ? "arxiv" : "doi", name.bytes));
out:
    pkin_i_buffer_free(&name);
    return status;
}

static pkin_status row_of_key(pkin_i_history *history, const char *key, uint32_t *row) {
    pkin_status status = PKIN_OK;
    int64_t paper_id = 0;
    PKIN_TRY(pkin_i_store_find_paper(history->store, key, &paper_id));
    *row = paper_id ? pkin_i_history_row(history, paper_id) : UINT32_MAX;
out:
    return status;
}

/* *is: whether the paper was given that id, link or DOI by a record. `doi` is scratch. */
static pkin_status is_meant(const reference *wanted, const pkin_paper *paper, pkin_i_buffer *doi, bool *is) {
    pkin_status status = PKIN_OK;
    *is = strcmp(paper->id, wanted->text) == 0 || strcmp(paper->link, wanted->text) == 0;
    if (*is || wanted->doi.n_bytes == 0 || !*paper->doi) return PKIN_OK;
    PKIN_TRY(pkin_i_doi_name(paper->doi, doi));
    *is = doi->n_bytes && strcmp(doi->bytes, wanted->doi.bytes) == 0;
out:
    return status;
}

/* Among what records told of the papers, for want of an index: O(papers). */
static pkin_status search_records(pkin_i_history *history, const reference *wanted, uint32_t *row) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer doi = {0};
    *row = UINT32_MAX;
    PKIN_TRY(pkin_i_history_load_papers(history));
    for (uint32_t r = 0; r < history->n_papers; r++) {
        bool is = false;
        PKIN_TRY(is_meant(wanted, &history->papers[r]->paper, &doi, &is));
        if (!is) continue;
        PKIN_REQUIRE(*row == UINT32_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                     "\"%s\" is the id of several papers: give the key of one, such as \"%s\" or \"%s\"", wanted->text,
                     history->papers[*row]->paper.key, history->papers[r]->paper.key);
        *row = r;
    }
out:
    pkin_i_buffer_free(&doi);
    return status;
}

pkin_status pkin_i_find_reference(pkin_i_history *history, const char *text, uint32_t *row) {
    pkin_status status = PKIN_OK;
    reference wanted = {0};
    PKIN_REQUIRE(text && *text, PKIN_ERROR_INVALID_ARGUMENT, "an id is empty: give a paper's id, link or key");
    PKIN_TRY(reference_read(text, &wanted));
    PKIN_TRY(row_of_key(history, text, row));
    if (*row == UINT32_MAX && wanted.key.n_bytes) PKIN_TRY(row_of_key(history, wanted.key.bytes, row));
    PKIN_REQUIRE(*row != UINT32_MAX || !wanted.is_arxiv, PKIN_ERROR_NOT_FOUND,
                 "\"%s\": the store has no paper %s: ingest a digest that lists it, or search for words of its title",
                 text, wanted.key.bytes);
    if (*row == UINT32_MAX) PKIN_TRY(search_records(history, &wanted, row));
    PKIN_REQUIRE(*row != UINT32_MAX, PKIN_ERROR_NOT_FOUND,
                 "\"%s\": no paper of the store has that id: expected an arXiv id, a DOI, a link or a key; words are "
                 "searched for as text",
                 text);
out:
    reference_free(&wanted);
    return status;
}

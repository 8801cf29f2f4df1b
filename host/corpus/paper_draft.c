/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/paper_draft.h"

#include "base/ascii.h"
#include "base/calendar.h"
#include "base/failure.h"
#include "corpus/failed_summary.h"
#include "corpus/identity.h"
#include "corpus/tidy_text.h"

void pkin_i_draft_clear(pkin_i_draft *draft) {
    pkin_i_view none = {"", 0};
    draft->id = draft->title = draft->abstract = draft->comment = draft->doi = none;
    draft->link = draft->date = draft->other_link = none;
    draft->authors.n = draft->categories.n = 0;
    draft->version = 0;
    draft->n_failed_summaries = 0;
    pkin_i_buffer_clear(&draft->summary);
}

void pkin_i_draft_free(pkin_i_draft *draft) {
    pkin_i_free(draft->authors.items);
    pkin_i_free(draft->categories.items);
    pkin_i_buffer_free(&draft->summary);
    pkin_i_buffer_free(&draft->work);
    pkin_i_buffer_free(&draft->fixed);
    pkin_i_buffer_free(&draft->name);
    *draft = (pkin_i_draft){0};
}

pkin_status pkin_i_views_add(pkin_i_views *views, pkin_i_view view) {
    pkin_status status = pkin_i_grow(&views->items, &views->capacity, views->n + 1, sizeof *views->items);
    if (status == PKIN_OK) views->items[views->n++] = view;
    return status;
}

/* `raw` tidied into the draft's work buffer, replacing what was there. */
static pkin_status tidy(pkin_i_draft *draft, pkin_i_tidy how, pkin_i_view raw) {
    pkin_i_buffer_clear(&draft->work);
    if (draft->repair) {
        pkin_i_buffer_clear(&draft->fixed);
        pkin_status status = pkin_i_repair_utf8(raw, &draft->fixed);
        if (status != PKIN_OK) return status;
        raw = pkin_i_view_of(draft->fixed.bytes, draft->fixed.n_bytes);
    }
    return pkin_i_tidy_text(how, raw, &draft->work);
}

pkin_status pkin_i_draft_add_summary(pkin_i_draft *draft, pkin_i_view part) {
    pkin_status status;
    PKIN_TRY(tidy(draft, PKIN_I_TIDY_LINES, part));
    if (draft->work.n_bytes == 0) goto out;
    if (pkin_i_is_failed_summary(pkin_i_view_of(draft->work.bytes, draft->work.n_bytes))) {
        draft->n_failed_summaries++;
        goto out;
    }
    if (draft->summary.n_bytes) PKIN_TRY(pkin_i_buffer_char(&draft->summary, '\n'));
    PKIN_TRY(pkin_i_buffer_append(&draft->summary, draft->work.bytes, draft->work.n_bytes));
out:
    return status;
}

static bool has_bare_comma(pkin_i_view list) {
    for (size_t k = 0; k + 1 < list.n_bytes; k++) {
        if (list.bytes[k] == ',' && !pkin_i_is_blank(list.bytes[k + 1])) return true;
    }
    return false;
}

/* Adds "B" and "C" of "B and C" where `split_and`, else the name as it is. */
static pkin_status add_names(pkin_i_draft *draft, pkin_i_view name, bool split_and) {
    pkin_status status = PKIN_OK;
    name = pkin_i_view_trim(name);
    if (split_and && pkin_i_view_starts(name, "and ")) name = pkin_i_view_trim(pkin_i_view_from(name, 4));
    const char *joint = split_and && name.n_bytes ? (const char *)memmem(name.bytes, name.n_bytes, " and ", 5) : NULL;
    if (joint) {
        size_t n = (size_t)(joint - name.bytes);
        PKIN_TRY(pkin_i_views_add(&draft->authors, pkin_i_view_of(name.bytes, n)));
        name = pkin_i_view_trim(pkin_i_view_from(name, n + 5));
    }
    if (name.n_bytes) PKIN_TRY(pkin_i_views_add(&draft->authors, name));
out:
    return status;
}

pkin_status pkin_i_draft_split_authors(pkin_i_draft *draft, pkin_i_view list, bool with_and) {
    bool bare = has_bare_comma(list);
    size_t start = 0;
    for (size_t k = 0; k <= list.n_bytes; k++) {
        bool at_end = k == list.n_bytes;
        bool comma = !at_end && list.bytes[k] == ',';
        /* A comma at the very end separates nothing. */
        bool inside_name = comma && bare && k + 1 < list.n_bytes && pkin_i_is_blank(list.bytes[k + 1]);
        if (!at_end && (!comma || inside_name)) continue;
        pkin_status status = add_names(draft, pkin_i_view_of(list.bytes + start, k - start), with_and && !bare);
        if (status != PKIN_OK) return status;
        start = k + 1;
    }
    return PKIN_OK;
}

pkin_status pkin_i_draft_split_categories(pkin_i_draft *draft, pkin_i_view list) {
    for (size_t k = 0; k < list.n_bytes;) {
        size_t start = k;
        while (k < list.n_bytes && !pkin_i_is_blank(list.bytes[k]) && list.bytes[k] != ',' && list.bytes[k] != ';') k++;
        if (k > start) {
            pkin_status status = pkin_i_views_add(&draft->categories, pkin_i_view_of(list.bytes + start, k - start));
            if (status != PKIN_OK) return status;
        }
        k++;
    }
    return PKIN_OK;
}

/* Strings without bytes need no memory: they share one. */
static pkin_status keep(pkin_i_arena *arena, const pkin_i_buffer *text, const char **out) {
    *out = "";
    return text->n_bytes ? pkin_i_arena_string(arena, text->bytes, text->n_bytes, out) : PKIN_OK;
}

static pkin_status keep_tidy(pkin_i_draft *draft, pkin_i_tidy how, pkin_i_view raw, pkin_i_arena *arena,
                             const char **out) {
    *out = "";
    if (raw.n_bytes == 0) return PKIN_OK;
    pkin_status status = tidy(draft, how, raw);
    return status == PKIN_OK ? keep(arena, &draft->work, out) : status;
}

/* Empty names are dropped. */
static pkin_status keep_list(pkin_i_draft *draft, const pkin_i_views *views, pkin_i_arena *arena,
                             const char *const **out, uint32_t *n_out) {
    const char **list = NULL;
    uint32_t n = 0;
    pkin_status status = PKIN_OK;
    *out = NULL;
    *n_out = 0;
    PKIN_REQUIRE(views->n <= UINT32_MAX, PKIN_ERROR_OVERFLOW, "a list of %zu names is too long", views->n);
    if (views->n) PKIN_TRY(pkin_i_arena_allocate(arena, views->n, sizeof *list, &list));
    for (size_t k = 0; k < views->n; k++) {
        const char *text;
        PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, views->items[k], arena, &text));
        if (text[0]) list[n++] = text;
    }
    *out = list;
    *n_out = n;
out:
    return status;
}

/* "YYYY-MM-DD", a day of the calendar, at the start of `raw`, which may go on with a time; else "". */
static pkin_status keep_date(pkin_i_view raw, pkin_i_arena *arena, const char **out) {
    *out = "";
    raw = pkin_i_view_trim(raw);
    bool is_date = raw.n_bytes >= 10 && pkin_i_is_calendar_day(raw.bytes);
    return is_date ? pkin_i_arena_string(arena, raw.bytes, 10, out) : PKIN_OK;
}

static bool is_web_link(const char *text) {
    return pkin_i_ascii_equal_ignoring_case(text, "http://", 7) ||
           pkin_i_ascii_equal_ignoring_case(text, "https://", 8);
}

/* Key and id from "arxiv:", "doi:" or "id:" and the name in `draft->name`; the id is the name itself. */
static pkin_status keep_key(pkin_i_draft *draft, const char *prefix, pkin_i_arena *arena, pkin_paper *paper) {
    pkin_status status;
    pkin_i_buffer_clear(&draft->work);
    PKIN_TRY(pkin_i_buffer_string(&draft->work, prefix));
    PKIN_TRY(pkin_i_buffer_append(&draft->work, draft->name.bytes, draft->name.n_bytes));
    PKIN_TRY(keep(arena, &draft->work, &paper->key));
    paper->id = paper->key + strlen(prefix);
out:
    return status;
}

/* Looks for an arXiv id in the record's id, its links and its DOI, in this order. */
static pkin_status find_arxiv(pkin_i_draft *draft, const char *own_id, const char *link, const char *other_link,
                              pkin_paper *paper) {
    const char *places[] = {own_id, link, other_link, paper->doi};
    pkin_status status = PKIN_OK;
    pkin_i_buffer_clear(&draft->name);
    for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
        unsigned version;
        size_t n_known = draft->name.n_bytes;
        if (n_known && paper->version) break;
        pkin_i_buffer *into = n_known ? &draft->work : &draft->name;
        PKIN_TRY(pkin_i_arxiv_name(places[k], into, &version));
        /* A later place may still tell the version of the same paper. */
        bool same = !n_known || (into->n_bytes == n_known && !memcmp(into->bytes, draft->name.bytes, n_known));
        if (same && version) paper->version = version;
    }
out:
    return status;
}

static pkin_status find_doi(pkin_i_draft *draft, const char *own_id, const char *link, pkin_i_arena *arena,
                            pkin_paper *paper) {
    const char *places[] = {own_id, link};
    pkin_status status = PKIN_OK;
    for (size_t k = 0; k < 2 && !paper->doi[0]; k++) {
        PKIN_TRY(pkin_i_doi_name(places[k], &draft->name));
        if (draft->name.n_bytes) PKIN_TRY(keep(arena, &draft->name, &paper->doi));
    }
out:
    return status;
}

/* Identity by title and first author; by the record's own id where the title has no letter; *found tells. */
static pkin_status identify_otherwise(pkin_i_draft *draft, const char *own_id, pkin_i_arena *arena, pkin_paper *paper,
                                      bool *found) {
    pkin_status status;
    bool has_title;
    *found = true;
    pkin_i_buffer_clear(&draft->name);
    PKIN_TRY(pkin_i_title_name(paper->title, paper->n_authors ? paper->authors[0] : "", &draft->name, &has_title));
    if (has_title) {
        PKIN_TRY(keep_key(draft, "title:", arena, paper));
        paper->id = own_id[0] ? own_id : paper->key;
    } else if (own_id[0]) {
        pkin_i_buffer_clear(&draft->name);
        PKIN_TRY(pkin_i_buffer_string(&draft->name, own_id));
        PKIN_TRY(keep_key(draft, "id:", arena, paper));
    } else {
        *found = false;
    }
out:
    return status;
}

/* A link for papers whose record names none, from what identifies them. */
static pkin_status make_link(pkin_i_draft *draft, const char *start, pkin_i_arena *arena, pkin_paper *paper) {
    pkin_status status = PKIN_OK;
    if (paper->link[0]) goto out;
    pkin_i_buffer_clear(&draft->work);
    PKIN_TRY(pkin_i_buffer_printf(&draft->work, "%s%s", start, paper->id));
    PKIN_TRY(keep(arena, &draft->work, &paper->link));
out:
    return status;
}

static pkin_status identify(pkin_i_draft *draft, const char *own_id, pkin_i_arena *arena, pkin_paper *paper,
                            bool *found) {
    pkin_status status;
    const char *link, *other_link;
    *found = true;
    PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, draft->link, arena, &link));
    PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, draft->other_link, arena, &other_link));
    paper->link = is_web_link(link) ? link : "";
    PKIN_TRY(find_arxiv(draft, own_id, link, other_link, paper));
    if (draft->name.n_bytes) {
        PKIN_TRY(keep_key(draft, "arxiv:", arena, paper));
        PKIN_TRY(make_link(draft, "https://arxiv.org/abs/", arena, paper));
        goto out;
    }
    paper->version = 0;
    PKIN_TRY(find_doi(draft, own_id, link, arena, paper));
    if (paper->doi[0]) {
        pkin_i_buffer_clear(&draft->name);
        PKIN_TRY(pkin_i_buffer_string(&draft->name, paper->doi));
        PKIN_TRY(keep_key(draft, "doi:", arena, paper));
        PKIN_TRY(make_link(draft, "https://doi.org/", arena, paper));
        goto out;
    }
    PKIN_TRY(identify_otherwise(draft, own_id, arena, paper, found));
out:
    return status;
}

/* What stands in the abstract's place after a failure is no abstract. */
static pkin_status keep_abstract(pkin_i_draft *draft, pkin_i_arena *arena, const char **out) {
    *out = "";
    if (draft->abstract.n_bytes == 0) return PKIN_OK;
    pkin_status status = tidy(draft, PKIN_I_TIDY_PARAGRAPHS, draft->abstract);
    if (status != PKIN_OK) return status;
    if (!pkin_i_is_failed_summary(pkin_i_view_of(draft->work.bytes, draft->work.n_bytes))) {
        return keep(arena, &draft->work, out);
    }
    draft->n_failed_summaries++;
    return PKIN_OK;
}

pkin_status pkin_i_draft_finish(pkin_i_draft *draft, pkin_i_arena *arena, pkin_paper *paper, const char **reason) {
    pkin_status status;
    const char *own_id, *doi;
    bool found;
    *paper = (pkin_paper){0};
    *reason = NULL;
    PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, draft->title, arena, &paper->title));
    if (!paper->title[0]) {
        *reason = "the record has no title";
        goto out;
    }
    PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, draft->id, arena, &own_id));
    PKIN_TRY(keep_abstract(draft, arena, &paper->abstract));
    PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, draft->comment, arena, &paper->comment));
    PKIN_TRY(keep_list(draft, &draft->authors, arena, &paper->authors, &paper->n_authors));
    PKIN_TRY(keep_list(draft, &draft->categories, arena, &paper->categories, &paper->n_categories));
    PKIN_TRY(keep_date(draft->date, arena, &paper->date));
    PKIN_TRY(keep(arena, &draft->summary, &paper->summary));
    PKIN_TRY(keep_tidy(draft, PKIN_I_TIDY_LINE, draft->doi, arena, &doi));
    PKIN_TRY(pkin_i_doi_name(doi, &draft->name));
    PKIN_TRY(keep(arena, &draft->name, &paper->doi));
    paper->n_failed_summaries = draft->n_failed_summaries;
    paper->version = draft->version;
    PKIN_TRY(identify(draft, own_id, arena, paper, &found));
    if (!found) *reason = "nothing identifies the record: no arXiv id, DOI or id, and no letter or digit in its title";
out:
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object to a paper. All JSON forms share one table of keys, so that a feed may mix them: the abstract is
 * `abstract` or else `summary`, the comment `comment` or `comments`, the link `abs`, `url` or `link`. The date is the
 * first of `date`, `published`, the first of `versions`, `update_date`, `updated` that there is.
 */
#include <stdio.h>

#include "base/failure.h"
#include "corpus/readers.h"
#include "paperkin/escape.h"

typedef enum json_key {
    KEY_ID,
    KEY_TITLE,
    KEY_ABSTRACT,
    KEY_SUMMARY,
    KEY_COMMENT,
    KEY_COMMENTS,
    KEY_DOI,
    KEY_AUTHORS,
    KEY_CATEGORIES,
    KEY_AI,
    /* From here on a value of another type is as good as none. */
    KEY_CATE,
    KEY_AUTHORS_PARSED,
    KEY_VERSIONS,
    KEY_ABS,
    KEY_URL,
    KEY_LINK,
    KEY_PDF,
    KEY_PDF_URL,
    KEY_DATE,
    KEY_PUBLISHED,
    KEY_UPDATED,
    KEY_UPDATE_DATE,
    KEY_BACKGROUND,
    KEY_CONTRIBUTION,
    N_KEYS
} json_key;

enum { N_STRICT_KEYS = KEY_CATE };

static const char *const key_names[N_KEYS] = {
    "id",
    "title",
    "abstract",
    "summary",
    "comment",
    "comments",
    "doi",
    "authors",
    "categories",
    "AI",
    "cate",
    "authors_parsed",
    "versions",
    "abs",
    "url",
    "link",
    "pdf",
    "pdf_url",
    "date",
    "published",
    "updated",
    "update_date",
    "background_knowledge",
    "contribution",
};

typedef struct record_fields {
    pkin_i_json_value values[N_KEYS];
} record_fields;

static bool collect(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    record_fields *fields = (record_fields *)user;
    for (int k = 0; k < N_KEYS; k++) {
        if (pkin_i_view_is(key, key_names[k])) {
            fields->values[k] = *value;
            break;
        }
    }
    return true;
}

static bool is_text(const pkin_i_json_value *value) {
    return value->kind == PKIN_I_JSON_STRING;
}

static bool is_missing(const pkin_i_json_value *value) {
    return value->kind == PKIN_I_JSON_ABSENT || value->kind == PKIN_I_JSON_NULL;
}

pkin_format pkin_i_json_record_format(const pkin_i_json_value *object) {
    record_fields fields = {0};
    pkin_i_json_each(object, collect, &fields);
    const pkin_i_json_value *v = fields.values;
    if (!is_text(&v[KEY_ID]) || !is_text(&v[KEY_TITLE])) return PKIN_FORMAT_UNKNOWN;
    if (v[KEY_AI].kind == PKIN_I_JSON_OBJECT) return PKIN_FORMAT_ENHANCED;
    bool of_snapshot = v[KEY_VERSIONS].kind == PKIN_I_JSON_ARRAY || v[KEY_AUTHORS_PARSED].kind == PKIN_I_JSON_ARRAY ||
                       is_text(&v[KEY_UPDATE_DATE]);
    if (is_text(&v[KEY_ABSTRACT])) return of_snapshot ? PKIN_FORMAT_SNAPSHOT : PKIN_FORMAT_RECORDS;
    return is_text(&v[KEY_SUMMARY]) ? PKIN_FORMAT_CRAWL : PKIN_FORMAT_RECORDS;
}

static bool has_right_type(json_key key, const pkin_i_json_value *value) {
    if (is_missing(value)) return true;
    if (key == KEY_AI) return value->kind == PKIN_I_JSON_OBJECT;
    if (key == KEY_AUTHORS || key == KEY_CATEGORIES) return is_text(value) || value->kind == PKIN_I_JSON_ARRAY;
    return is_text(value);
}

/* Why the fields make no record; NULL when they do. */
static const char *find_fault(const record_fields *fields, pkin_i_buffer *why) {
    const pkin_i_json_value *v = fields->values;
    const char *expected = "a string";
    pkin_i_buffer_clear(why);
    for (int k = 0; k < N_STRICT_KEYS; k++) {
        if (has_right_type((json_key)k, &v[k])) continue;
        if (k == KEY_AI) expected = "an object";
        if (k == KEY_AUTHORS || k == KEY_CATEGORIES) expected = "a list of strings";
        if (pkin_i_buffer_printf(why, "\"%s\" is not %s", key_names[k], expected) != PKIN_OK) return "a wrong type";
        return why->bytes;
    }
    if (is_missing(&v[KEY_ID])) return "the record has no \"id\"";
    if (is_missing(&v[KEY_TITLE])) return "the record has no \"title\"";
    if (pkin_i_view_trim(v[KEY_ID].text).n_bytes == 0) return "the record's \"id\" is empty";
    return NULL;
}

/* Says which key an object names twice; *reason is NULL where none. */
static pkin_status find_repeated_key(const pkin_i_json_value *object, pkin_i_buffer *why, const char **reason) {
    pkin_status status = PKIN_OK;
    pkin_i_view key;
    char raw[65], escaped[256];
    *reason = NULL;
    PKIN_REQUIRE(pkin_i_json_repeated_key(object, &key) == PKIN_I_JSON_OK, PKIN_ERROR_OUT_OF_MEMORY,
                 "out of memory for the keys of a JSON record");
    if (!key.bytes) goto out;
    size_t n = key.n_bytes < sizeof raw - 1 ? key.n_bytes : sizeof raw - 1;
    memcpy(raw, key.bytes, n);
    raw[n] = '\0';
    pkin_escape(PKIN_ESCAPE_JSON, raw, escaped, sizeof escaped);
    pkin_i_buffer_clear(why);
    PKIN_TRY(pkin_i_buffer_printf(why, "the key \"%s\" occurs twice", escaped));
    *reason = why->bytes;
out:
    return status;
}

/* A visitor's state: what it fills, and how that went. */
typedef struct list_reader {
    pkin_i_draft *draft;
    pkin_i_views *views;
    pkin_i_arena *names;
    pkin_status status;
    bool wrong_type;
} list_reader;

static bool add_item(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    list_reader *reader = (list_reader *)user;
    (void)key;
    if (value->kind == PKIN_I_JSON_NULL) return true;
    reader->wrong_type = !is_text(value);
    if (!reader->wrong_type) reader->status = pkin_i_views_add(reader->views, value->text);
    return !reader->wrong_type && reader->status == PKIN_OK;
}

/* Parts of a name as authors_parsed gives them: ["Last", "First", "Suffix", ...]. */
typedef struct name_parts {
    pkin_i_view parts[3];
    size_t n;
} name_parts;

static bool add_part(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    name_parts *name = (name_parts *)user;
    (void)key;
    if (name->n < 3 && is_text(value)) name->parts[name->n++] = pkin_i_view_trim(value->text);
    return name->n < 3;
}

/* "First Last Suffix", the parts that there are. */
static bool add_parsed_author(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    static const size_t order[3] = {1, 0, 2};
    list_reader *reader = (list_reader *)user;
    name_parts name = {0};
    (void)key;
    pkin_i_json_each(value, add_part, &name);
    size_t n = 0;
    char *text;
    reader->status = pkin_i_arena_allocate(
        reader->names, name.parts[0].n_bytes + name.parts[1].n_bytes + name.parts[2].n_bytes + 3, 1, &text);
    if (reader->status != PKIN_OK) return false;
    for (size_t k = 0; k < 3; k++) {
        pkin_i_view part = name.parts[order[k]];
        if (part.n_bytes == 0) continue;
        if (n) text[n++] = ' ';
        memcpy(text + n, part.bytes, part.n_bytes);
        n += part.n_bytes;
    }
    reader->status = n ? pkin_i_views_add(reader->views, pkin_i_view_of(text, n)) : PKIN_OK;
    return reader->status == PKIN_OK;
}

static pkin_status read_authors(const record_fields *fields, pkin_i_draft *draft, pkin_i_arena *names,
                                const char **reason) {
    const pkin_i_json_value *list = &fields->values[KEY_AUTHORS], *parsed = &fields->values[KEY_AUTHORS_PARSED];
    list_reader reader = {draft, &draft->authors, names, PKIN_OK, false};
    if (list->kind == PKIN_I_JSON_ARRAY) {
        pkin_i_json_each(list, add_item, &reader);
        if (reader.wrong_type) *reason = "\"authors\" holds something else than strings";
        return reader.status;
    }
    if (parsed->kind == PKIN_I_JSON_ARRAY) pkin_i_json_each(parsed, add_parsed_author, &reader);
    if (reader.status != PKIN_OK || draft->authors.n || !is_text(list)) return reader.status;
    return pkin_i_draft_split_authors(draft, list->text, true);
}

static pkin_status read_categories(const record_fields *fields, pkin_i_draft *draft, const char **reason) {
    const pkin_i_json_value *list = &fields->values[KEY_CATEGORIES];
    if (is_missing(list)) list = &fields->values[KEY_CATE];
    if (is_text(list)) return pkin_i_draft_split_categories(draft, list->text);
    list_reader reader = {draft, &draft->categories, NULL, PKIN_OK, false};
    if (list->kind == PKIN_I_JSON_ARRAY) pkin_i_json_each(list, add_item, &reader);
    if (reader.wrong_type) *reason = "\"categories\" holds something else than strings";
    return reader.status;
}

/* Members of `AI` that hold no summary of the paper. */
static bool is_no_summary(pkin_i_view key) {
    return pkin_i_view_is(key, "title_translation") || pkin_i_view_is(key, "topic") || pkin_i_view_is(key, "comments");
}

static bool add_summary_part(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    list_reader *reader = (list_reader *)user;
    if (is_text(value) && !is_no_summary(key)) reader->status = pkin_i_draft_add_summary(reader->draft, value->text);
    return reader->status == PKIN_OK;
}

static pkin_status read_summaries(const record_fields *fields, pkin_i_draft *draft) {
    static const json_key more[] = {KEY_BACKGROUND, KEY_CONTRIBUTION};
    list_reader reader = {draft, NULL, NULL, PKIN_OK, false};
    if (fields->values[KEY_AI].kind == PKIN_I_JSON_OBJECT) {
        pkin_i_json_each(&fields->values[KEY_AI], add_summary_part, &reader);
    }
    for (size_t k = 0; reader.status == PKIN_OK && k < sizeof more / sizeof more[0]; k++) {
        const pkin_i_json_value *value = &fields->values[more[k]];
        if (is_text(value)) reader.status = pkin_i_draft_add_summary(draft, value->text);
    }
    /* Where the abstract has its own key, `summary` is somebody's summary. */
    if (reader.status == PKIN_OK && is_text(&fields->values[KEY_ABSTRACT]) && is_text(&fields->values[KEY_SUMMARY])) {
        reader.status = pkin_i_draft_add_summary(draft, fields->values[KEY_SUMMARY].text);
    }
    return reader.status;
}

/* State of a walk over `versions`: the highest number, the first date. */
typedef struct version_reader {
    unsigned version;
    pkin_i_view created;
    pkin_i_view item_version, item_created;
} version_reader;

static bool read_version_member(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    version_reader *reader = (version_reader *)user;
    if (is_text(value) && pkin_i_view_is(key, "version")) reader->item_version = value->text;
    if (is_text(value) && pkin_i_view_is(key, "created")) reader->item_created = value->text;
    return true;
}

static bool read_version(void *user, pkin_i_view key, const pkin_i_json_value *value) {
    version_reader *reader = (version_reader *)user;
    (void)key;
    reader->item_version = reader->item_created = pkin_i_view_of("", 0);
    pkin_i_json_each(value, read_version_member, reader);
    unsigned number = 0;
    pkin_i_view text = reader->item_version;
    for (size_t k = 1; k < text.n_bytes && k < 5 && text.bytes[k] >= '0' && text.bytes[k] <= '9'; k++) {
        number = number * 10 + (unsigned)(text.bytes[k] - '0');
    }
    if (number > reader->version) reader->version = number;
    if (reader->created.n_bytes == 0) reader->created = reader->item_created;
    return true;
}

/* "Mon, 2 Apr 2007 19:18:42 GMT" as "2007-04-02" in `out`; false where it is no such date. */
static bool convert_date(pkin_i_view text, char out[11]) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[32], name[4] = "";
    int day = 0, year = 0;
    size_t n = text.n_bytes < sizeof copy - 1 ? text.n_bytes : sizeof copy - 1;
    memcpy(copy, text.bytes, n);
    copy[n] = '\0';
    if (sscanf(copy, "%*3s, %2d %3s %4d", &day, name, &year) != 3 || strlen(name) != 3) return false;
    const char *month = strstr(months, name);
    if (!month || (month - months) % 3 || day < 1 || day > 31 || year < 1000) return false;
    /* The widths are bounded above; the modulus tells the compiler so. */
    snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)((month - months) / 3 + 1) % 100,
             (unsigned)day % 100);
    return true;
}

static pkin_status read_dates(const record_fields *fields, pkin_i_draft *draft, pkin_i_arena *names) {
    static const json_key before[] = {KEY_DATE, KEY_PUBLISHED}, behind[] = {KEY_UPDATE_DATE, KEY_UPDATED};
    version_reader reader = {0};
    char date[11];
    reader.created = pkin_i_view_of("", 0);
    const pkin_i_json_value *v = fields->values;
    if (v[KEY_VERSIONS].kind == PKIN_I_JSON_ARRAY) pkin_i_json_each(&v[KEY_VERSIONS], read_version, &reader);
    draft->version = reader.version;
    for (size_t k = 0; k < 2 && !draft->date.n_bytes; k++) {
        if (is_text(&v[before[k]])) draft->date = v[before[k]].text;
    }
    if (!draft->date.n_bytes && convert_date(reader.created, date)) {
        const char *kept;
        pkin_status status = pkin_i_arena_string(names, date, 10, &kept);
        if (status != PKIN_OK) return status;
        draft->date = pkin_i_view_of(kept, 10);
    }
    for (size_t k = 0; k < 2 && !draft->date.n_bytes; k++) {
        if (is_text(&v[behind[k]])) draft->date = v[behind[k]].text;
    }
    return PKIN_OK;
}

static pkin_i_view first_text(const record_fields *fields, const json_key *keys, size_t n_keys) {
    for (size_t k = 0; k < n_keys; k++) {
        if (is_text(&fields->values[keys[k]])) return fields->values[keys[k]].text;
    }
    return pkin_i_view_of("", 0);
}

static void read_texts(const record_fields *fields, pkin_i_draft *draft) {
    static const json_key abstracts[] = {KEY_ABSTRACT, KEY_SUMMARY}, comments[] = {KEY_COMMENT, KEY_COMMENTS},
                          links[] = {KEY_ABS, KEY_URL, KEY_LINK}, pdfs[] = {KEY_PDF, KEY_PDF_URL}, ids[] = {KEY_ID},
                          titles[] = {KEY_TITLE}, dois[] = {KEY_DOI};
    draft->id = first_text(fields, ids, 1);
    draft->title = first_text(fields, titles, 1);
    draft->abstract = first_text(fields, abstracts, 2);
    draft->comment = first_text(fields, comments, 2);
    draft->doi = first_text(fields, dois, 1);
    draft->link = first_text(fields, links, 3);
    draft->other_link = first_text(fields, pdfs, 2);
}

pkin_status pkin_i_json_record_read(const pkin_i_json_value *object, pkin_i_draft *draft, pkin_i_arena *names,
                                    pkin_i_buffer *why, const char **reason) {
    pkin_status status = PKIN_OK;
    record_fields fields = {0};
    pkin_i_draft_clear(draft);
    *reason = NULL;
    if (object->kind != PKIN_I_JSON_OBJECT) {
        *reason = "not a JSON object; expected one record a line";
        goto out;
    }
    PKIN_TRY(find_repeated_key(object, why, reason));
    if (*reason) goto out;
    pkin_i_json_each(object, collect, &fields);
    if ((*reason = find_fault(&fields, why)) != NULL) goto out;
    PKIN_TRY(find_repeated_key(&fields.values[KEY_AI], why, reason));
    if (*reason) goto out;
    read_texts(&fields, draft);
    PKIN_TRY(read_authors(&fields, draft, names, reason));
    PKIN_TRY(read_categories(&fields, draft, reason));
    PKIN_TRY(read_summaries(&fields, draft));
    PKIN_TRY(read_dates(&fields, draft, names));
out:
    return status;
}

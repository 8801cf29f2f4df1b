/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/blocks.h"

#include <string.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "corpus/text_view.h"

/* Whether a line is the marker; editors leave spaces and tabs behind it. */
static bool is_marker(pkin_i_view line, const char *marker) {
    size_t n = line.n_bytes;
    while (n && (line.bytes[n - 1] == ' ' || line.bytes[n - 1] == '\t')) n--;
    return pkin_i_view_is(pkin_i_view_of(line.bytes, n), marker);
}

int pkin_i_is_block_begin(const char *line, size_t n_bytes) {
    pkin_i_view view = {line, n_bytes};
    return is_marker(view, PKIN_I_BLOCK_BEGIN) || is_marker(view, PKIN_I_BLOCK_BEGIN_OPEN_LINE);
}

int pkin_i_is_block_end(const char *line, size_t n_bytes) {
    return is_marker(pkin_i_view_of(line, n_bytes), PKIN_I_BLOCK_END);
}

/* Nothing that paperkin writes into a block begins so, and every entry of a digest does: no block goes beyond it. */
static bool is_heading(pkin_i_view line) {
    return line.n_bytes && line.bytes[0] == '#';
}

static pkin_status unpaired(const char *name, uint64_t line, const char *what) {
    return pkin_i_fail(PKIN_ERROR_CORRUPT,
                       "%s:%llu: %s; every `" PKIN_I_BLOCK_BEGIN "` needs one `" PKIN_I_BLOCK_END
                       "` behind it, each alone on its line: restore the missing line, or delete the block by hand",
                       name, (unsigned long long)line, what);
}

pkin_status pkin_i_blocks_check(const char *bytes, size_t n_bytes, const char *name) {
    uint64_t number = 0, begun = 0; /* line of the open block's begin, 0: none is open */
    for (size_t at = pkin_i_bom_bytes(bytes, n_bytes), next; at < n_bytes; at = next) {
        pkin_i_view line = pkin_i_line_at(bytes, n_bytes, at, &next);
        number++;
        if (begun && is_heading(line)) break;
        if (pkin_i_is_block_begin(line.bytes, line.n_bytes)) {
            if (begun) return unpaired(name, begun, "this paperkin block is followed by another one before its end");
            begun = number;
        } else if (pkin_i_is_block_end(line.bytes, line.n_bytes)) {
            if (!begun) return unpaired(name, number, "a paperkin block ends here that never began");
            begun = 0;
        }
    }
    return begun ? unpaired(name, begun, "this paperkin block never ends") : PKIN_OK;
}

/* Blocks found so far, and the begin lines whose end has not come yet. */
typedef struct block_search {
    pkin_i_blocks *found;
    pkin_i_block *open;
    size_t n_open, open_capacity;
} block_search;

static pkin_status add_stray(pkin_i_blocks *blocks, uint64_t line) {
    pkin_status status = pkin_i_grow(&blocks->strays, &blocks->stray_capacity, blocks->n_strays + 1, sizeof line);
    if (status == PKIN_OK) blocks->strays[blocks->n_strays++] = line;
    return status;
}

static pkin_status open_block(block_search *search, pkin_i_view line, size_t at, size_t next, uint64_t number) {
    pkin_status status = pkin_i_grow(&search->open, &search->open_capacity, search->n_open + 1, sizeof *search->open);
    if (status != PKIN_OK) return status;
    search->open[search->n_open++] = (pkin_i_block){.begin = at,
                                                    .line = number,
                                                    .open_line = is_marker(line, PKIN_I_BLOCK_BEGIN_OPEN_LINE),
                                                    .windows = next - at == line.n_bytes + 2};
    return PKIN_OK;
}

/* Closes the latest open block. Blocks inside it were found before, and are a part of it. */
static pkin_status close_block(block_search *search, size_t next, uint64_t number) {
    pkin_i_blocks *found = search->found;
    if (search->n_open == 0) return add_stray(found, number);
    pkin_i_block block = search->open[--search->n_open];
    block.end = next;
    block.n_lines = number - block.line + 1;
    while (found->n_items && found->items[found->n_items - 1].begin > block.begin) found->n_items--;
    pkin_status status = pkin_i_grow(&found->items, &found->capacity, found->n_items + 1, sizeof block);
    if (status == PKIN_OK) found->items[found->n_items++] = block;
    return status;
}

/* Whatever is open never ends. */
static pkin_status give_up_open(block_search *search) {
    pkin_status status = PKIN_OK;
    for (size_t k = 0; status == PKIN_OK && k < search->n_open; k++) {
        status = add_stray(search->found, search->open[k].line);
    }
    search->n_open = 0;
    return status;
}

pkin_status pkin_i_blocks_find(const char *bytes, size_t n_bytes, pkin_i_blocks *out) {
    pkin_status status = PKIN_OK;
    block_search search = {.found = out};
    uint64_t number = 0;
    for (size_t at = pkin_i_bom_bytes(bytes, n_bytes), next; at < n_bytes; at = next) {
        pkin_i_view line = pkin_i_line_at(bytes, n_bytes, at, &next);
        number++;
        if (is_heading(line)) PKIN_TRY(give_up_open(&search));
        if (line.n_bytes == 0 || line.bytes[0] != '<') continue;
        if (pkin_i_is_block_begin(line.bytes, line.n_bytes)) PKIN_TRY(open_block(&search, line, at, next, number));
        if (pkin_i_is_block_end(line.bytes, line.n_bytes)) PKIN_TRY(close_block(&search, next, number));
    }
    PKIN_TRY(give_up_open(&search));
out:
    pkin_i_free(search.open);
    return status;
}

void pkin_i_blocks_free(pkin_i_blocks *blocks) {
    pkin_i_free(blocks->items);
    pkin_i_free(blocks->strays);
    *blocks = (pkin_i_blocks){0};
}

uint64_t pkin_i_blocks_line_before(const pkin_i_blocks *blocks, uint64_t line) {
    for (size_t k = 0; k < blocks->n_items && blocks->items[k].line <= line; k++) line += blocks->items[k].n_lines;
    return line;
}

/* Takes the line end back that was added before an open-line block, in the form that the begin line itself has. */
static void drop_added_line_end(pkin_i_buffer *out, size_t first, bool windows) {
    size_t n = windows ? 2 : 1;
    if (out->n_bytes - first < n || memcmp(out->bytes + out->n_bytes - n, windows ? "\r\n" : "\n", n) != 0) return;
    out->n_bytes -= n;
    out->bytes[out->n_bytes] = '\0';
}

static pkin_status remove_markdown(const char *bytes, size_t n_bytes, pkin_i_buffer *out, uint64_t *n_blocks) {
    pkin_status status = PKIN_OK;
    pkin_i_blocks blocks = {0};
    size_t first = out->n_bytes, kept = 0; /* start of what is to be copied before the next block */
    PKIN_TRY(pkin_i_blocks_find(bytes, n_bytes, &blocks));
    for (size_t k = 0; k < blocks.n_items; k++) {
        const pkin_i_block *block = &blocks.items[k];
        PKIN_TRY(pkin_i_buffer_append(out, bytes + kept, block->begin - kept));
        /* Where something was added behind the block since, two lines would become one. */
        if (block->open_line && block->end == n_bytes) drop_added_line_end(out, first, block->windows);
        kept = block->end;
    }
    PKIN_TRY(pkin_i_buffer_append(out, bytes + kept, n_bytes - kept));
    *n_blocks = blocks.n_items;
out:
    pkin_i_blocks_free(&blocks);
    return status;
}

/* Past the JSON string whose opening quote is at `at`; n_bytes where it is not closed. */
static size_t skip_string(const char *line, size_t n_bytes, size_t at) {
    for (at++; at < n_bytes && line[at] != '"'; at++) {
        if (line[at] == '\\') at++;
    }
    return at < n_bytes ? at + 1 : n_bytes;
}

/* Past the bracketed value that opens at `at`; SIZE_MAX where it is not closed. */
static size_t skip_value(const char *line, size_t n_bytes, size_t at) {
    size_t depth = 0;
    while (at < n_bytes) {
        char c = line[at];
        if (c == '"') {
            at = skip_string(line, n_bytes, at);
            continue;
        }
        at++;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return SIZE_MAX;
}

static bool is_blank_rest(const char *line, size_t n_bytes, size_t at) {
    return pkin_i_view_trim(pkin_i_view_from(pkin_i_view_of(line, n_bytes), at)).n_bytes == 0;
}

static size_t skip_blanks(const char *line, size_t n_bytes, size_t at) {
    while (at < n_bytes && pkin_i_is_blank(line[at])) at++;
    return at;
}

/* A member of an object: its quoted name is [begin, name_end), its value [value, end). */
typedef struct json_member {
    size_t begin, name_end, value, end;
    size_t next; /* behind the comma that follows, SIZE_MAX for the last member */
} json_member;

/* Past the value that begins at `at`, of whatever type; SIZE_MAX where there is none. */
static size_t skip_member_value(const char *line, size_t n_bytes, size_t at) {
    size_t end = at;
    if (at < n_bytes && line[at] == '"') return skip_string(line, n_bytes, at);
    if (at < n_bytes && (line[at] == '{' || line[at] == '[')) return skip_value(line, n_bytes, at);
    while (end < n_bytes && !strchr(",}]", line[end]) && !pkin_i_is_blank(line[end])) end++;
    return end > at ? end : SIZE_MAX;
}

/* The member at `at`, which is behind an object's opening brace or a comma; false where none is. */
static bool read_member(const char *line, size_t n_bytes, size_t at, json_member *out) {
    out->begin = skip_blanks(line, n_bytes, at);
    if (out->begin >= n_bytes || line[out->begin] != '"') return false;
    out->name_end = skip_string(line, n_bytes, out->begin);
    size_t colon = skip_blanks(line, n_bytes, out->name_end);
    if (colon >= n_bytes || line[colon] != ':') return false;
    out->value = skip_blanks(line, n_bytes, colon + 1);
    out->end = skip_member_value(line, n_bytes, out->value);
    if (out->end == SIZE_MAX) return false;
    size_t comma = skip_blanks(line, n_bytes, out->end);
    out->next = comma < n_bytes && line[comma] == ',' ? comma + 1 : SIZE_MAX;
    return true;
}

static bool is_named(const char *line, const json_member *member, const char *name) {
    return pkin_i_view_is(pkin_i_view_of(line + member->begin, member->name_end - member->begin), name);
}

/* Whether a member is paperkin's own. Its members too may have been sorted. */
static bool is_own_member(const char *line, size_t n_bytes, const json_member *member) {
    bool has_version = false, has_key = false;
    json_member inner;
    if (!is_named(line, member, PKIN_I_JSON_NAME) || line[member->value] != '{') return false;
    for (size_t at = member->value + 1; at != SIZE_MAX && read_member(line, n_bytes, at, &inner); at = inner.next) {
        has_version |= is_named(line, &inner, "\"version\"") && pkin_i_ascii_is_digit(line[inner.value]);
        has_key |= is_named(line, &inner, "\"key\"") && line[inner.value] == '"';
    }
    return has_version && has_key;
}

/*
 * Appends an object's line without paperkin's members. Each takes the comma before it along, or, where no member is
 * left before it, the one behind it.
 */
static pkin_status append_without_members(pkin_i_view line, pkin_i_buffer *out, uint64_t *n_blocks) {
    pkin_status status = PKIN_OK;
    json_member member;
    bool any_stays = false;
    size_t kept = 0, at = (size_t)((const char *)memchr(line.bytes, '{', line.n_bytes) - line.bytes) + 1;
    for (; at != SIZE_MAX && read_member(line.bytes, line.n_bytes, at, &member); at = member.next) {
        if (!is_own_member(line.bytes, line.n_bytes, &member)) {
            any_stays = true;
            continue;
        }
        size_t begin = any_stays ? at - 1 : member.begin;
        PKIN_TRY(pkin_i_buffer_append(out, line.bytes + kept, begin - kept));
        bool takes_next_comma = !any_stays && member.next != SIZE_MAX;
        kept = takes_next_comma ? skip_blanks(line.bytes, line.n_bytes, member.next) : member.end;
        ++*n_blocks;
    }
    PKIN_TRY(pkin_i_buffer_append(out, line.bytes + kept, line.n_bytes - kept));
out:
    return status;
}

/* Whether a look at its members is worth it: one object, with the name somewhere in it. */
static bool may_have_member(pkin_i_view line) {
    return memmem(line.bytes, line.n_bytes, PKIN_I_JSON_NAME, sizeof PKIN_I_JSON_NAME - 1) &&
           pkin_i_json_insert_place(line.bytes, line.n_bytes) != SIZE_MAX;
}

static pkin_status remove_json(const char *bytes, size_t n_bytes, pkin_i_buffer *out, uint64_t *n_blocks) {
    pkin_status status = PKIN_OK;
    size_t kept = 0;
    for (size_t at = 0, next; at < n_bytes; at = next) {
        pkin_i_view line = pkin_i_line_at(bytes, n_bytes, at, &next);
        if (!may_have_member(line)) continue;
        PKIN_TRY(pkin_i_buffer_append(out, bytes + kept, at - kept));
        PKIN_TRY(append_without_members(line, out, n_blocks));
        kept = at + line.n_bytes;
    }
    PKIN_TRY(pkin_i_buffer_append(out, bytes + kept, n_bytes - kept));
out:
    return status;
}

pkin_status pkin_i_blocks_remove(const char *bytes, size_t n_bytes, pkin_format format, pkin_i_buffer *out,
                                 uint64_t *n_blocks) {
    size_t first = out->n_bytes;
    uint64_t n_found = 0;
    pkin_status status = pkin_i_buffer_reserve(out, n_bytes);
    if (status != PKIN_OK) return status;
    out->bytes[first] = '\0';
    status = format == PKIN_FORMAT_MARKDOWN ? remove_markdown(bytes, n_bytes, out, &n_found)
                                            : remove_json(bytes, n_bytes, out, &n_found);
    if (status == PKIN_OK) {
        if (n_blocks) *n_blocks = n_found;
    } else {
        out->n_bytes = first;
        out->bytes[first] = '\0';
    }
    return status;
}

size_t pkin_i_json_insert_place(const char *line, size_t n_bytes) {
    size_t begin = pkin_i_bom_bytes(line, n_bytes);
    while (begin < n_bytes && pkin_i_is_blank(line[begin])) begin++;
    if (begin == n_bytes || line[begin] != '{') return SIZE_MAX;
    size_t end = skip_value(line, n_bytes, begin);
    if (end == SIZE_MAX || line[end - 1] != '}' || !is_blank_rest(line, n_bytes, end)) return SIZE_MAX;
    bool has_member = !is_blank_rest(line, end - 1, begin + 1);
    return has_member ? end - 1 : SIZE_MAX;
}

bool pkin_i_json_has_member(const char *line, size_t n_bytes, const char *name) {
    size_t depth = 0;
    for (size_t at = 0; at < n_bytes;) {
        char c = line[at];
        if (c == '"') {
            size_t end = skip_string(line, n_bytes, at), colon = skip_blanks(line, n_bytes, end);
            bool is_key = depth == 1 && colon < n_bytes && line[colon] == ':';
            if (is_key && pkin_i_view_is(pkin_i_view_of(line + at, end - at), name)) return true;
            at = end;
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth > 0;
        at++;
    }
    return false;
}

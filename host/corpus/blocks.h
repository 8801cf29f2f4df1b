/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_BLOCKS_H
#define PKIN_CORPUS_BLOCKS_H

/*
 * What paperkin adds to other people's files, and how it is recognised and removed again to the byte.
 *
 * Markdown: whole lines, inserted at the beginning of a line (behind a byte order mark on the first), ended as the file
 * ends its lines:
 *     <!-- paperkin:begin -->
 *     ...
 *     <!-- paperkin:end -->
 * Removing means dropping everything from the first byte of the begin line to the line end of the end line. Where the
 * block follows a last line that had no line end, one is added before the block, the block's own last line gets none,
 * and the begin line says so: `<!-- paperkin:begin open-line -->`; then the added line end is removed too.
 *
 * JSON lines: the text `, "paperkin": {...}` directly before the closing brace of an object that has other members. It
 * is recognised with other white space and at any place among the object's members too, since other programs rewrite
 * JSON lines, sort members and add some; then it takes the comma before it along, or, where it is the first, the one
 * behind it. It has a "version" that is a number and a "key" that is a string; any other member of that name is
 * somebody else's, and stays.
 *
 * A line of an abstract may look like a marker. An end belongs to the latest begin that has none yet, and no block goes
 * beyond a line that begins with `#`; so what is left when blocks are removed holds no block, wherever new ones are
 * then inserted. A marker that does not pair so is text like any other.
 */
#include <stdbool.h>

#include "base/buffer.h"
#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

#define PKIN_I_BLOCK_BEGIN "<!-- paperkin:begin -->"
#define PKIN_I_BLOCK_BEGIN_OPEN_LINE "<!-- paperkin:begin open-line -->"
#define PKIN_I_BLOCK_END "<!-- paperkin:end -->"
#define PKIN_I_JSON_NAME "\"paperkin\""
#define PKIN_I_JSON_MEMBER_START ", \"paperkin\": {"

/* Whether the line (without its line end) is one of the markers: nothing before it, only spaces and tabs behind it. */
int pkin_i_is_block_begin(const char *line, size_t n_bytes);
int pkin_i_is_block_end(const char *line, size_t n_bytes);

typedef struct pkin_i_block {
    size_t begin, end; /* whole lines */
    uint64_t line;     /* of the begin, from 1 */
    uint64_t n_lines;
    bool open_line;
    bool windows; /* the begin line ends in CR LF */
} pkin_i_block;

typedef struct pkin_i_blocks {
    pkin_i_block *items; /* in order, none inside another */
    size_t n_items, capacity;
    uint64_t *strays; /* lines, in order, of the markers that do not pair */
    size_t n_strays, stray_capacity;
} pkin_i_blocks;

/* The blocks of a Markdown digest. Zero-initialise `out`; free also after a failure. Linear. */
pkin_status pkin_i_blocks_find(const char *bytes, size_t n_bytes, pkin_i_blocks *out);
void pkin_i_blocks_free(pkin_i_blocks *blocks);

/* The line that `line` was before the blocks were removed. */
uint64_t pkin_i_blocks_line_before(const pkin_i_blocks *blocks, uint64_t line);

/*
 * Refuses a Markdown digest with a begin without an end, an end without a begin, or a begin inside a block:
 * PKIN_ERROR_CORRUPT naming file and line; what to do is part of the message.
 */
pkin_status pkin_i_blocks_check(const char *bytes, size_t n_bytes, const char *name);

/*
 * Appends `bytes` without paperkin's blocks to `out` and counts them. PKIN_FORMAT_MARKDOWN removes blocks, every other
 * format members of JSON lines.
 */
pkin_status pkin_i_blocks_remove(const char *bytes, size_t n_bytes, pkin_format format, pkin_i_buffer *out,
                                 uint64_t *n_blocks);

/*
 * The place in a JSON object's line (without line end) where a member is to be inserted: the offset of its closing
 * brace; SIZE_MAX where the line is no object or has no member.
 */
size_t pkin_i_json_insert_place(const char *line, size_t n_bytes);

/* Whether the outermost object of a JSON line has a member of that name, which is given in its quotes. */
bool pkin_i_json_has_member(const char *line, size_t n_bytes, const char *name);

PKIN_EXTERN_C_END

#endif

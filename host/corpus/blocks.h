/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_BLOCKS_H
#define PKIN_CORPUS_BLOCKS_H

/*
 * What paperkin adds to other people's files, and how it is recognised and removed again to the byte.
 *
 * Markdown: whole lines, inserted at the beginning of a line, ended as the file ends its lines:
 *     <!-- paperkin:begin -->
 *     ...
 *     <!-- paperkin:end -->
 * Removing means dropping everything from the first byte of the begin line to the line end of the end line. Where the
 * block follows a last line that had no line end, one is added before the block, the block's own last line gets none, and
 * the begin line says so: `<!-- paperkin:begin open-line -->`; then the added line end is removed too.
 *
 * JSON lines: the text `, "paperkin": {...}` directly before the closing brace of an object that has other members. It is
 * recognised with other white space too: a program that rewrites JSON lines must not make it look like a stranger's.
 */
#include "base/buffer.h"
#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

#define PKIN_I_BLOCK_BEGIN "<!-- paperkin:begin -->"
#define PKIN_I_BLOCK_BEGIN_OPEN_LINE "<!-- paperkin:begin open-line -->"
#define PKIN_I_BLOCK_END "<!-- paperkin:end -->"
#define PKIN_I_JSON_NAME "\"paperkin\""
#define PKIN_I_JSON_MEMBER_START ", \"paperkin\": {"

/* Whether the line (without its line end) is one of the markers. Nothing may stand before or behind it. */
int pkin_i_is_block_begin(const char *line, size_t n_bytes);
int pkin_i_is_block_end(const char *line, size_t n_bytes);

/*
 * Appends `bytes` without paperkin's blocks to `out` and counts them. PKIN_FORMAT_MARKDOWN removes blocks, every other
 * format members of JSON lines. A begin without an end, an end without a begin, or a begin inside a block is
 * PKIN_ERROR_CORRUPT naming file and line; what to do is part of the message.
 */
pkin_status pkin_i_blocks_remove(const char *bytes, size_t n_bytes, pkin_format format, const char *name,
                                 pkin_i_buffer *out, uint64_t *n_blocks);

/*
 * The place in a JSON object's line (without line end) where a member is to be inserted: the offset of its closing
 * brace; SIZE_MAX where the line is no object or has no member.
 */
size_t pkin_i_json_insert_place(const char *line, size_t n_bytes);

PKIN_EXTERN_C_END

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/failure.h"
#include "digest/day_file.h"

/* The same names and refusals as for annotating, but without reading papers: only the blocks matter. */
pkin_status pkin_digest_strip(const char *path, const pkin_digest_options *options, uint64_t *n_blocks) {
    pkin_status status = PKIN_OK;
    pkin_i_day_file file = {.path = path};
    pkin_digest_options taken = pkin_digest_options_default();
    pkin_i_buffer original = {0};
    PKIN_REQUIRE(path && options, PKIN_ERROR_INVALID_ARGUMENT, "pkin_digest_strip: a path and options are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_digest_options"));
    PKIN_TRY(pkin_i_check_destination(&taken));
    PKIN_TRY(pkin_i_day_file_load(&file));
    PKIN_REQUIRE(file.format != PKIN_FORMAT_UNKNOWN || file.present.n_bytes == 0, PKIN_ERROR_NOT_A_DIGEST,
                 "%s: neither a digest in Markdown nor JSON lines; there are no blocks to remove", path);
    PKIN_TRY(pkin_i_day_file_place(&file, &taken));
    PKIN_TRY(pkin_i_check_places(&file, 1, &taken));
    if (file.present.n_bytes > 0) {
        if (file.format == PKIN_FORMAT_MARKDOWN) {
            PKIN_TRY(pkin_i_blocks_check(file.present.bytes, file.present.n_bytes, path));
        }
        PKIN_TRY(
            pkin_i_blocks_remove(file.present.bytes, file.present.n_bytes, file.format, &original, &file.n_blocks));
    }
    PKIN_TRY(pkin_i_day_file_write(&file, &original, &taken));
    if (n_blocks) *n_blocks = file.n_blocks;
out:
    pkin_i_buffer_free(&original);
    pkin_i_day_file_free(&file);
    return status;
}

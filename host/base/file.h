/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_FILE_H
#define PKIN_BASE_FILE_H

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/* The whole of a file, or of standard input for "-", appended to `out`. Errors name the path and the cause. */
pkin_status pkin_i_file_read(const char *path, pkin_i_buffer *out);

/*
 * Replaces a file atomically: written to a temporary file in the same folder, flushed to the disk, renamed. An existing
 * file's permissions are kept, and its owner where the process may give files away; a symbolic link is followed, so
 * that the link itself stays, also where it leads to nothing yet. The temporary file's name starts with a dot. On failure the old file is as it was and the temporary one is gone. "-" writes to standard output;
 * devices and pipes are written to as they are.
 */
pkin_status pkin_i_file_write_atomic(const char *path, const void *bytes, size_t n_bytes);

/* Makes a folder and its parents; an existing folder is fine. */
pkin_status pkin_i_make_directories(const char *path);

/* The part of a path after its last '/'. Points into `path`. */
const char *pkin_i_base_name(const char *path);

PKIN_EXTERN_C_END

#endif

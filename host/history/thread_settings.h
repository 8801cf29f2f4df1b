/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_THREAD_SETTINGS_H
#define PKIN_HISTORY_THREAD_SETTINGS_H

#include "base/buffer.h"
#include "paperkin/threads.h"

PKIN_EXTERN_C_BEGIN

/* How a store's threads are found: what it remembers, so that the next update does the same. */
typedef struct pkin_i_thread_settings {
    pkin_topics_options topics;
    uint32_t window_days; /* 0: all */
} pkin_i_thread_settings;

pkin_i_thread_settings pkin_i_thread_settings_default(void);

/*
 * Rounds real numbers to nine decimals, which is what a line can say, so that what is used is what is remembered.
 * PKIN_ERROR_INVALID_ARGUMENT for numbers that are not 0 and not in [1e-9, 9e6], and for values no name is known of.
 */
pkin_status pkin_i_thread_settings_tidy(pkin_i_thread_settings *settings);

/* One line, "method=leiden objective=modularity ... window=180": every setting, always in this order. Of tidy ones. */
pkin_status pkin_i_thread_settings_write(const pkin_i_thread_settings *settings, pkin_i_buffer *out);

/* The other way, strictly: false, with nothing changed, for a line that _write does not write. Callbacks, backend and
   number of threads stay as they are in `settings`. */
bool pkin_i_thread_settings_read(const char *line, pkin_i_thread_settings *settings);

PKIN_EXTERN_C_END

#endif

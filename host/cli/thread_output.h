/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_THREAD_OUTPUT_H
#define PKIN_CLI_THREAD_OUTPUT_H

#include "commands.h"
#include "json_out.h"

/* Threads as people and programs are shown them: shared by `cluster` and `threads`. */

/* "born 3, grew 41, merged 1, ended 2" over the events; "nothing changed" where there are none. */
void pkin_i_thread_events_count(const pkin_thread_event *events, size_t n_events, char *text, size_t n_bytes);

/* One line an event, of those kinds that change what threads there are; at most `n_max`, the rest counted. */
void pkin_i_thread_events_print(const pkin_thread_event *events, size_t n_events, size_t n_max);

/* What an update did: a line for each thread that was born, merged, split or ended (of many the largest), and all of
   them and those that grew as numbers; of a first update the largest threads. `note` ends the line with the numbers. */
void pkin_i_thread_update_print(pkin_i_cli *cli, const pkin_threads_report *report, const char *note);
void pkin_i_thread_events_json(pkin_i_json *json, const pkin_thread_event *events, size_t n_events);

/* A bar a number, eight heights, the highest for the largest number; a dot for 0. Three bytes each and a NUL. */
void pkin_i_bars(const uint32_t *counts, uint32_t n, char *text);

/* Days from one "YYYY-MM-DD" to another as "5 d", "14 wk", "2.1 yr"; "" where either is "". */
enum { PKIN_I_AGE_BYTES = 24 };
const char *pkin_i_age(const char *from, const char *to, char text[PKIN_I_AGE_BYTES]);

#endif

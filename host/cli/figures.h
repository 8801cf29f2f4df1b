/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_FIGURES_H
#define PKIN_CLI_FIGURES_H

#include <paperkin.h>

/* Figures for people: short, with a unit that fits. */
enum { PKIN_I_FIGURE_BYTES = 64 };

/* "870", "12.3 k", "2.35 M", "41 G": three digits. */
const char *pkin_i_short_number(double value, char buffer[PKIN_I_FIGURE_BYTES]);

/* "0.4 ms", "38 ms", "0.62 s", "45 s", "3 min 10 s", "2 h 05 min". */
const char *pkin_i_short_time(double seconds, char buffer[PKIN_I_FIGURE_BYTES]);

/* "2.35 M (2.1 M to 2.6 M)" */
const char *pkin_i_number_band(pkin_estimate estimate, char buffer[PKIN_I_FIGURE_BYTES]);
const char *pkin_i_time_band(pkin_estimate seconds, char buffer[PKIN_I_FIGURE_BYTES]);

#endif

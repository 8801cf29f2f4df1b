/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLAN_DEVICE_H
#define PKIN_SIMILARITY_PLAN_DEVICE_H

/*
 * What a plan costs on devices of a backend's own, in seconds and bytes: from the unit costs that the backend measured
 * (pkin_i_speeds) and the counts of a sample. The bounds there are those of the CPU's sketches, so are the candidates,
 * but for coarse filters.
 */
#include "similarity/plan_cost.h"

PKIN_EXTERN_C_BEGIN

/* Of a filter: a product, compared. Between the measured dimensions by straight lines, beyond them in proportion. */
double pkin_i_device_pair_seconds(const pkin_i_filter_speed *speed, uint32_t dimension);

/* The least that the work takes at a middling dimension, if all goes well: without starting the devices. */
double pkin_i_device_least_seconds(const pkin_i_job *job, const pkin_i_speeds *speeds);

/*
 * Candidates that a filter leaves, given those at full precision. Coarse filters round sketches up to 7 bits, and
 * compare products that were rounded to 7 bits.
 */
pkin_estimate pkin_i_device_candidates(const pkin_i_job *job, const pkin_i_filter_speed *speed, uint32_t dimension,
                                       pkin_estimate candidates);

/* Partners that the devices together score to seed a row of a; 0 for a join. */
double pkin_i_device_seeds(const pkin_i_job *job, const pkin_i_speeds *speeds);

/* A row of a top-k that has more candidates than this is compared with all rows of b, which takes as long as scoring
   so many. */
double pkin_i_device_exhaust_candidates(const pkin_i_job *job);

/* Fills bytes, device_bytes, strip_rows and seconds: its dimension and candidates are set. `n_exhausted`: rows of a
   that are compared with all. */
void pkin_i_device_price(const pkin_i_job *job, const pkin_i_speeds *speeds, const pkin_i_filter_speed *speed,
                         double n_exhausted, pkin_i_plan *plan);

PKIN_EXTERN_C_END

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_tail_cost.h"

#include <stdbool.h>

/*
 * Fitted by hand to the processor time of joins of 86,000 abstracts on four threads of a server of 2024 (Zen 5, about 4
 * GHz) at every level, at thresholds of 0.3 and 0.5 with heads of 0.01 to 0.1; held against 20,000 to 86,000 abstracts
 * and 65,000 and 134,000 generated rows, where times were mostly within a tenth, and a third at most. Postings, visits
 * and candidates are the same plain C at every level; a posting costs what its list costs to be fetched from the
 * second-level cache.
 */
pkin_i_tail_cost pkin_i_tail_costs(pkin_i_isa isa) {
    const bool is_portable = isa == PKIN_I_ISA_PORTABLE;
    return (pkin_i_tail_cost){.ns_per_posting = 0.45,
                              .ns_per_visit = 4.5,
                              .ns_per_pair = is_portable              ? 1.1
                                             : isa == PKIN_I_ISA_AVX2 ? 0.1
                                                                      : 0.08,
                              .ns_per_refined = is_portable ? 3.5 : 4.5,
                              .ns_per_group = is_portable ? 0 : 9,
                              .ns_per_candidate = 140,
                              .ns_per_entry = 25};
}

pkin_i_tail_cost pkin_i_index_costs(pkin_i_isa isa) {
    const bool is_portable = isa == PKIN_I_ISA_PORTABLE;
    return (pkin_i_tail_cost){
        .ns_per_posting = 0.75, .ns_per_visit = 6, .ns_per_pair = is_portable ? 0.5 : 0.25, .ns_per_entry = 4};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_tail_cost.h"

#include <stdbool.h>

/*
 * Medians of a few runs on 30,000 to 86,000 abstracts, one thread. Postings, visits and candidates are the same plain C
 * at every level; a posting costs what its list costs to be fetched from the second-level cache.
 */
pkin_i_tail_cost pkin_i_tail_costs(pkin_i_isa isa) {
    const bool is_portable = isa == PKIN_I_ISA_PORTABLE;
    return (pkin_i_tail_cost){.ns_per_posting = 0.7,
                              .ns_per_visit = 6,
                              .ns_per_pair = is_portable              ? 0.9
                                             : isa == PKIN_I_ISA_AVX2 ? 0.09
                                                                      : 0.07,
                              .ns_per_refined = is_portable ? 15 : 5,
                              .ns_per_candidate = 90,
                              .ns_per_entry = 15};
}

pkin_i_tail_cost pkin_i_index_costs(pkin_i_isa isa) {
    const bool is_portable = isa == PKIN_I_ISA_PORTABLE;
    return (pkin_i_tail_cost){
        .ns_per_posting = 0.75, .ns_per_visit = 6, .ns_per_pair = is_portable ? 0.5 : 0.25, .ns_per_entry = 4};
}

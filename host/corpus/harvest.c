/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/readers.h"

pkin_status pkin_i_harvest_paper(pkin_i_harvest *harvest, const pkin_paper *paper) {
    pkin_status status =
        pkin_i_grow(&harvest->papers, &harvest->papers_capacity, harvest->n_papers + 1, sizeof *harvest->papers);
    if (status == PKIN_OK) harvest->papers[harvest->n_papers++] = *paper;
    return status;
}

pkin_status pkin_i_harvest_note(pkin_i_harvest *harvest, uint64_t line, const char *reason, bool skipped_record) {
    pkin_i_note note = {line, NULL, skipped_record};
    pkin_status status = pkin_i_arena_string(&harvest->arena, reason, strlen(reason), &note.reason);
    if (status != PKIN_OK) return status;
    status = pkin_i_grow(&harvest->notes, &harvest->notes_capacity, harvest->n_notes + 1, sizeof *harvest->notes);
    if (status != PKIN_OK) return status;
    harvest->notes[harvest->n_notes++] = note;
    harvest->n_skipped += skipped_record;
    return PKIN_OK;
}

void pkin_i_harvest_free(pkin_i_harvest *harvest) {
    pkin_i_arena_free(&harvest->arena);
    pkin_i_free(harvest->papers);
    pkin_i_free(harvest->notes);
    *harvest = (pkin_i_harvest){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was found about papers: related ones, and verdicts on pairs. Each call is a change of its own unless one is
 * open. */
#include "base/failure.h"
#include "store/store_sql.h"

static pkin_status insert_link(pkin_store *store, int64_t paper_id, size_t rank, const pkin_i_link *link) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_LINK_INSERT, &statement);
    if (status != PKIN_OK) return status;
    int bound = sqlite3_bind_int64(statement, 1, paper_id);
    bound |= sqlite3_bind_int64(statement, 2, (int64_t)rank);
    bound |= sqlite3_bind_int64(statement, 3, link->to_paper_id);
    bound |= sqlite3_bind_int64(statement, 4, (int64_t)link->score); /* at most 2^60 */
    return pkin_i_sql_run(store, statement, bound);
}

static pkin_status replace_links(pkin_store *store, int64_t paper_id, const pkin_i_link *links, size_t n_links) {
    sqlite3_stmt *statement = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_LINKS_DELETE, &statement));
    PKIN_TRY(pkin_i_sql_run(store, statement, sqlite3_bind_int64(statement, 1, paper_id)));
    for (size_t k = 0; k < n_links; k++) PKIN_TRY(insert_link(store, paper_id, k + 1, &links[k]));
out:
    return status;
}

pkin_status pkin_i_store_put_links(pkin_store *store, int64_t paper_id, const pkin_i_link *links, size_t n_links) {
    pkin_i_change change;
    pkin_status status = pkin_i_change_begin(store, &change);
    if (status != PKIN_OK) return status;
    return pkin_i_change_end(store, &change, replace_links(store, paper_id, links, n_links));
}

static pkin_status write_verdict(pkin_store *store, int64_t a, int64_t b, const pkin_judgement *judgement) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_VERDICT_PUT, &statement);
    if (status != PKIN_OK) return status;
    const double reals[] = {judgement->cosine, judgement->author_overlap, judgement->title_ratio,
                            judgement->abstract_ratio, judgement->title_words_elsewhere};
    const int integers[] = {judgement->days_apart,
                            judgement->same_primary_category,
                            judgement->mathematics,
                            judgement->title_numbers_differ,
                            judgement->reports,
                            judgement->comment_splits,
                            judgement->comment_names_other};
    enum { N_REALS = sizeof reals / sizeof *reals, N_INTEGERS = sizeof integers / sizeof *integers };
    int bound = sqlite3_bind_int64(statement, 1, a);
    bound |= sqlite3_bind_int64(statement, 2, b);
    bound |= pkin_i_sql_bind_text(statement, 3, pkin_verdict_name(judgement->verdict));
    bound |= pkin_i_sql_bind_text(statement, 4, judgement->rule ? judgement->rule : "");
    for (int k = 0; k < N_REALS; k++) bound |= sqlite3_bind_double(statement, 5 + k, reals[k]);
    for (int k = 0; k < N_INTEGERS; k++) bound |= sqlite3_bind_int(statement, 5 + N_REALS + k, integers[k]);
    return pkin_i_sql_run(store, statement, bound);
}

/* "Nothing to say" is said by no row. */
static pkin_status delete_verdict(pkin_store *store, int64_t a, int64_t b) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_VERDICT_DELETE, &statement);
    if (status != PKIN_OK) return status;
    int bound = sqlite3_bind_int64(statement, 1, a);
    bound |= sqlite3_bind_int64(statement, 2, b);
    return pkin_i_sql_run(store, statement, bound);
}

pkin_status pkin_i_store_put_verdict(pkin_store *store, int64_t paper_a, int64_t paper_b,
                                     const pkin_judgement *judgement) {
    if (paper_a == paper_b) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "a verdict is on two papers, both are number %lld",
                           (long long)paper_a);
    }
    int64_t a = paper_a < paper_b ? paper_a : paper_b, b = paper_a < paper_b ? paper_b : paper_a;
    pkin_i_change change;
    pkin_status status = pkin_i_change_begin(store, &change);
    if (status != PKIN_OK) return status;
    status =
        judgement->verdict == PKIN_VERDICT_NONE ? delete_verdict(store, a, b) : write_verdict(store, a, b, judgement);
    return pkin_i_change_end(store, &change, status);
}

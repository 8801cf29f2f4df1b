/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unicode/uversion.h>

#include "base/failure.h"
#include "text/tokenizer.h"
#include "text/tokens.h"

const char *pkin_i_tokenizer_identity(pkin_tokenizer tokenizer) {
    /* Raise the number whenever the same text gives other words. ICU's symbols carry its major version, so what was
       compiled against is what runs. */
    return tokenizer == PKIN_TOKENIZER_WORDS ? "words-1 icu-" U_ICU_VERSION " unicode-" U_UNICODE_VERSION
                                             : "unicode-1 icu-" U_ICU_VERSION " unicode-" U_UNICODE_VERSION;
}

pkin_i_tokenizer_state pkin_i_tokenizer_start(pkin_tokenizer kind, pkin_i_word_fn on_word, void *user) {
    pkin_i_tokenizer_state state;
    memset(&state, 0, sizeof state);
    state.kind = kind;
    state.on_word = on_word;
    state.user = user;
    return state;
}

void pkin_i_tokenizer_end(pkin_i_tokenizer_state *state) {
    pkin_i_normalizer_free(&state->normalizer);
    pkin_i_buffer_free(&state->text);
    pkin_i_ascii_words_free(&state->ascii);
    if (state->case_map) ucasemap_close(state->case_map);
    if (state->breaks) ubrk_close(state->breaks);
    pkin_i_free(state->wide);
    memset(state, 0, sizeof *state);
}

pkin_status pkin_i_tokenizer_run(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    return state->kind == PKIN_TOKENIZER_WORDS ? pkin_i_tokenize_words(state, text, n_bytes)
                                               : pkin_i_tokenize_unicode(state, text, n_bytes);
}

typedef struct word_filter {
    int stop_words;
    pkin_i_word_fn on_word;
    void *user;
} word_filter;

static pkin_status filter_word(void *user, const char *word, size_t n_bytes) {
    const word_filter *filter = user;
    if (!word || (filter->stop_words && pkin_i_is_stop_word(word, n_bytes))) return PKIN_OK;
    return filter->on_word(filter->user, word, n_bytes);
}

pkin_status pkin_i_tokenize_text(pkin_tokenizer tokenizer, int stop_words, const char *text,
                                 pkin_status (*on_word)(void *user, const char *word, size_t n_bytes), void *user) {
    word_filter filter = {stop_words && tokenizer == PKIN_TOKENIZER_UNICODE, on_word, user};
    pkin_i_tokenizer_state state = pkin_i_tokenizer_start(tokenizer, filter_word, &filter);
    pkin_status status = pkin_i_tokenizer_run(&state, text, strlen(text));
    pkin_i_tokenizer_end(&state);
    return status;
}

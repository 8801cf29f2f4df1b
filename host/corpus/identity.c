/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/identity.h"

#include "base/ascii.h"
#include "base/failure.h"
#include "base/utf8.h"

/* The archives of old-style identifiers, in use until March 2007. */
static const char *const archives[] = {
    "acc-phys", "adap-org", "alg-geom", "ao-sci",  "astro-ph", "atom-ph",  "bayes-an", "chao-dyn", "chem-ph",
    "cmp-lg",   "comp-gas", "cond-mat", "cs",      "dg-ga",    "funct-an", "gr-qc",    "hep-ex",   "hep-lat",
    "hep-ph",   "hep-th",   "math",     "math-ph", "mtrl-th",  "nlin",     "nucl-ex",  "nucl-th",  "patt-sol",
    "physics",  "plasm-ph", "q-alg",    "q-bio",   "quant-ph", "solv-int", "supr-con",
};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *text) {
    size_t n = 0;
    while (is_digit(text[n])) n++;
    return n;
}

static int two_digits(const char *text) {
    return (text[0] - '0') * 10 + (text[1] - '0');
}

/* "0704.0001" to "1412.9999", from then on five digits: "1501.00001". */
static size_t new_style_bytes(const char *text) {
    if (count_digits(text) != 4 || text[4] != '.') return 0;
    int year = two_digits(text), month = two_digits(text + 2);
    size_t n_serial = count_digits(text + 5);
    if (month < 1 || month > 12 || year * 100 + month < 704) return 0;
    return n_serial == (year < 15 ? 4 : 5) ? 5 + n_serial : 0;
}

/* "hep-th/9901001", "math.GT/0309136", in any case. *n_archive receives the archive's bytes without subject class. */
static size_t old_style_bytes(const char *text, size_t *n_archive) {
    size_t n = 0;
    while (pkin_i_ascii_is_alpha(text[n]) || text[n] == '-') n++;
    *n_archive = n;
    bool known = false;
    for (size_t k = 0; k < LENGTH(archives); k++) {
        known |= strlen(archives[k]) == n && pkin_i_ascii_equal_ignoring_case(text, archives[k], n);
    }
    if (!known) return 0;
    if (text[n] == '.') {
        for (n++; pkin_i_ascii_is_alpha(text[n]) || text[n] == '-'; n++) continue;
    }
    if (text[n] != '/' || count_digits(text + n + 1) != 7) return 0;
    int month = two_digits(text + n + 3);
    return month >= 1 && month <= 12 ? n + 8 : 0;
}

/* "v2" at `text`: its bytes and number, 0 for none. No paper has a version of more than 4 digits. */
static size_t version_bytes(const char *text, unsigned *version) {
    *version = 0;
    size_t n = text[0] == 'v' ? count_digits(text + 1) : 0;
    if (n == 0 || n > 4) return 0;
    for (size_t k = 1; k <= n; k++) *version = *version * 10 + (unsigned)(text[k] - '0');
    return n + 1;
}

size_t pkin_i_arxiv_id(const char *text, unsigned *version) {
    size_t n_archive;
    unsigned found = 0;
    size_t n = new_style_bytes(text);
    if (n == 0) n = old_style_bytes(text, &n_archive);
    size_t n_version = n ? version_bytes(text + n, &found) : 0;
    /* A letter or digit right behind it makes it a part of something else. */
    if (n && (pkin_i_ascii_is_alnum(text[n + n_version]) || text[n + n_version] == '_')) n = 0;
    if (version) *version = n ? found : 0;
    return n;
}

static const char *skip_prefix(const char *text, const char *prefix) {
    size_t n = strlen(prefix);
    return pkin_i_ascii_equal_ignoring_case(text, prefix, n) ? text + n : NULL;
}

static const char *skip_scheme(const char *text) {
    const char *rest = skip_prefix(text, "https://");
    return rest ? rest : skip_prefix(text, "http://");
}

/* Past "arxiv.org/abs/" and its like; NULL where `text` (behind a scheme) is another site. */
static const char *skip_arxiv_host(const char *text) {
    static const char *const hosts[] = {"arxiv.org/",    "www.arxiv.org/",       "export.arxiv.org/",
                                        "cn.arxiv.org/", "browse.arxiv.org/",    "xxx.lanl.gov/",
                                        "ar5iv.org/",    "ar5iv.labs.arxiv.org/"};
    static const char *const folders[] = {"abs/", "pdf/", "html/", "format/", "e-print/", "src/", "ps/", "tb/"};
    for (size_t h = 0; h < LENGTH(hosts); h++) {
        const char *rest = skip_prefix(text, hosts[h]);
        for (size_t f = 0; rest && f < LENGTH(folders); f++) {
            const char *id = skip_prefix(rest, folders[f]);
            if (id) return id;
        }
    }
    return NULL;
}

static const char *skip_doi_prefix(const char *text) {
    const char *rest = skip_scheme(text);
    if (rest) {
        const char *doi = skip_prefix(rest, "doi.org/");
        if (!doi) doi = skip_prefix(rest, "dx.doi.org/");
        return doi ? doi : skip_prefix(rest, "www.doi.org/");
    }
    rest = skip_prefix(text, "doi.org/");
    if (!rest) rest = skip_prefix(text, "doi:");
    if (!rest) rest = text;
    while (*rest == ' ') rest++;
    return rest;
}

/* Where the id would stand in each of the accepted spellings. */
static const char *arxiv_place(const char *text) {
    const char *rest = skip_scheme(text);
    const char *place = skip_arxiv_host(rest ? rest : text);
    if (place) return place;
    const char *doi = skip_doi_prefix(text);
    place = doi ? skip_prefix(doi, "10.48550/arxiv.") : NULL;
    if (place || rest) return place;
    place = skip_prefix(text, "oai:arxiv.org:");
    if (!place) place = skip_prefix(text, "arxiv:");
    if (!place) return text;
    while (*place == ' ') place++;
    return place;
}

/* What may follow an id: nothing, a file's extension, a query or anchor, or a class as in "2512.11762 [cs.PL]". */
static bool ends_properly(const char *text) {
    return *text == '\0' || strcmp(text, ".pdf") == 0 || strcmp(text, "/") == 0 || *text == '?' || *text == '#' ||
           strncmp(text, " [", 2) == 0;
}

pkin_status pkin_i_arxiv_name(const char *text, pkin_i_buffer *out, unsigned *version) {
    pkin_i_buffer_clear(out);
    *version = 0;
    const char *place = arxiv_place(text);
    unsigned found;
    size_t n = place ? pkin_i_arxiv_id(place, &found) : 0;
    if (n == 0 || !ends_properly(place + n + version_bytes(place + n, &found))) return PKIN_OK;
    *version = found;
    size_t n_archive;
    if (!old_style_bytes(place, &n_archive)) return pkin_i_buffer_append(out, place, n);
    const char *serial = strchr(place, '/');
    pkin_status status = pkin_i_buffer_append(out, place, n_archive);
    for (size_t k = 0; status == PKIN_OK && k < n_archive; k++) out->bytes[k] = pkin_i_ascii_lower(out->bytes[k]);
    return status == PKIN_OK ? pkin_i_buffer_append(out, serial, 8) : status;
}

pkin_status pkin_i_doi_name(const char *text, pkin_i_buffer *out) {
    pkin_i_buffer_clear(out);
    bool is_link = skip_scheme(text) != NULL;
    const char *doi = skip_doi_prefix(text);
    if (!doi || strncmp(doi, "10.", 3) != 0) return PKIN_OK;
    size_t n_registrant = count_digits(doi + 3), n = 3 + n_registrant;
    while (is_digit(doi[n]) || doi[n] == '.') n++;
    if (n_registrant < 4 || doi[n] != '/') return PKIN_OK;
    size_t n_prefix = n + 1;
    /* Some records name several, separated by spaces: the first counts. */
    for (n = n_prefix; doi[n] && !pkin_i_is_blank(doi[n]) && !(is_link && strchr("?#", doi[n])); n++) continue;
    while (n > n_prefix && strchr(".,;", doi[n - 1])) n--;
    if (n == n_prefix) return PKIN_OK;
    pkin_status status = pkin_i_buffer_append(out, doi, n);
    for (size_t k = 0; status == PKIN_OK && k < n; k++) out->bytes[k] = pkin_i_ascii_lower(out->bytes[k]);
    return status;
}

/* Lower case of the Latin-1, Greek and Cyrillic capitals, where it is a fixed distance away. */
static uint32_t lower_case(uint32_t c) {
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE) || (c >= 0x391 && c <= 0x3A9) ||
        (c >= 0x410 && c <= 0x42F)) {
        return c + 0x20;
    }
    return c >= 0x400 && c <= 0x40F ? c + 0x50 : c;
}

/* Letters and digits of any script, told by excluding the blocks of punctuation and symbols. */
static bool is_word_character(uint32_t c) {
    if (c < 0x80) return pkin_i_ascii_is_alnum((char)c);
    if (c < 0xC0) return c == 0xAA || c == 0xB2 || c == 0xB3 || c == 0xB5 || c == 0xB9 || c == 0xBA;
    if (c == 0xD7 || c == 0xF7 || c == PKIN_I_REPLACEMENT_CHARACTER) return false;
    bool general_punctuation = c >= 0x2000 && c <= 0x206F;
    bool cjk_punctuation = c >= 0x3000 && c <= 0x3004;
    bool cjk_brackets = c >= 0x3008 && c <= 0x3020;
    bool full_width = (c >= 0xFF00 && c <= 0xFF0F) || (c >= 0xFF1A && c <= 0xFF20) || (c >= 0xFF3B && c <= 0xFF40) ||
                      (c >= 0xFF5B && c <= 0xFF65);
    return !general_punctuation && !cjk_punctuation && !cjk_brackets && !full_width;
}

/* One paper's title is written `R$^2$CCL` in one feed and with a superscript digit in another. */
static bool is_latex(uint32_t c) {
    return c && c < 0x80 && strchr("$^_{}\\", (int)c);
}

/* The digit that a superscript or subscript one stands for; any other character as it is. */
static uint32_t plain_digit(uint32_t c) {
    if (c == 0xB2 || c == 0xB3) return c - 0xB2 + '2';
    if (c == 0xB9) return '1';
    if (c == 0x2070 || (c >= 0x2074 && c <= 0x2079)) return c - 0x2070 + '0';
    return c >= 0x2080 && c <= 0x2089 ? c - 0x2080 + '0' : c;
}

/* Appends the words of `text` in lower case, one space between two; what marks up a word does not divide it. */
static pkin_status append_words(const char *text, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    size_t n_bytes = strlen(text);
    bool gap = false, any = false;
    for (size_t at = 0; at < n_bytes;) {
        uint32_t c;
        char encoded[4];
        at += pkin_i_utf8_decode(text + at, n_bytes - at, &c);
        if (is_latex(c)) continue;
        c = plain_digit(c);
        if (!is_word_character(c)) {
            gap = any;
            continue;
        }
        if (gap) PKIN_TRY(pkin_i_buffer_char(out, ' '));
        PKIN_TRY(pkin_i_buffer_append(out, encoded, pkin_i_utf8_encode(lower_case(c), encoded)));
        gap = false;
        any = true;
    }
out:
    return status;
}

pkin_status pkin_i_title_name(const char *title, const char *first_author, pkin_i_buffer *out, bool *has_title) {
    size_t before = out->n_bytes;
    pkin_status status;
    PKIN_TRY(append_words(title, out));
    *has_title = out->n_bytes > before;
    PKIN_TRY(pkin_i_buffer_char(out, '|'));
    PKIN_TRY(append_words(first_author, out));
out:
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/comment_features.h"

#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "groups/word_list.h"
#include "text/normalize.h"

#define MAX_COMMENT_BYTES 4096
#define MAX_ID_BYTES 128
/* Shorter ids are words or page numbers as well. */
#define MIN_ID_BYTES 6
/* Bytes that may stand between "extended version of" and the id, or between the id and "is superseded". */
#define DECLARATION_REACH 60

/*
 * Phrases as they stand in a normalised comment: lower case, letters and digits alone, a space before and behind. A
 * plain "part of" is none: it may be "part of the proceedings" or "part of a thesis".
 */
static const char *const split_phrases[] = {" split version ",
                                            " split into ",
                                            " split from ",
                                            " split off ",
                                            " split out ",
                                            " separated from ",
                                            " first part ",
                                            " second part ",
                                            " third part ",
                                            " fourth part ",
                                            " fifth part ",
                                            " final part ",
                                            " last part ",
                                            " next part ",
                                            " part i ",
                                            " part ii ",
                                            " part iii ",
                                            " part iv ",
                                            " part v ",
                                            " part 1 ",
                                            " part 2 ",
                                            " part 3 ",
                                            " part 4 ",
                                            " part one ",
                                            " part two ",
                                            " two parts ",
                                            " three parts ",
                                            " several parts ",
                                            " part of a series ",
                                            " part of the series ",
                                            " paper i ",
                                            " paper ii ",
                                            " paper iii ",
                                            " first of a series ",
                                            " second of a series ",
                                            " first in a series ",
                                            " second in a series ",
                                            " third in a series ",
                                            " companion ",
                                            " companions ",
                                            " subsumes ",
                                            " subsumed ",
                                            " subsuming ",
                                            " sequel ",
                                            " continuation of ",
                                            NULL};

static const char *const version_phrases[] = {" journal version ",
                                              " extended version ",
                                              " full version ",
                                              " full paper ",
                                              " conference version ",
                                              " workshop version ",
                                              " short version ",
                                              " shorter version ",
                                              " longer version ",
                                              " preliminary version ",
                                              " earlier version ",
                                              " previous version ",
                                              " expanded version ",
                                              " revised version ",
                                              " updated version ",
                                              " new version ",
                                              " abridged version ",
                                              " abbreviated version ",
                                              " improved version ",
                                              " extended abstract of ",
                                              " supersedes ",
                                              " superseded ",
                                              " replaces ",
                                              " replaced by ",
                                              " earlier preprint ",
                                              " extends our conference paper ",
                                              NULL};

/* A comment and the other paper's id as keys, each between spaces. */
typedef struct comment {
    pkin_i_buffer text;
    pkin_i_buffer id;
} comment;

static void comment_free(comment *c) {
    pkin_i_buffer_free(&c->text);
    pkin_i_buffer_free(&c->id);
}

static pkin_status append_key(const char *text, size_t n_max, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    size_t n_bytes = pkin_i_utf8_prefix(text, strnlen(text, n_max + 1), n_max);
    PKIN_TRY(pkin_i_buffer_char(out, ' '));
    PKIN_TRY(pkin_i_normalize_key(text, n_bytes, out));
    PKIN_TRY(pkin_i_buffer_char(out, ' '));
out:
    return status;
}

static int speaks_of(const char *text, const char *const *phrases) {
    for (; *phrases; phrases++) {
        if (strstr(text, *phrases)) return 1;
    }
    return 0;
}

/* The id as a run of whole words, a version suffix ("v2") behind it allowed; NULL where it does not stand there. */
static const char *find_id(const char *text, const char *id) {
    size_t n_bytes = strlen(id) - 1; /* without the space behind it */
    for (const char *at = text; (at = strchr(at, ' ')) != NULL; at++) {
        if (strncmp(at, id, n_bytes)) continue;
        const char *behind = at + n_bytes;
        if (*behind == 'v' && behind[1] >= '0' && behind[1] <= '9') behind += 1 + strspn(behind + 1, "0123456789");
        if (*behind == ' ') return at;
    }
    return NULL;
}

/* Whether one of the version phrases stands close before the id, or closely behind it. */
static int declares_version(const char *text, const char *id_at, size_t id_bytes) {
    for (const char *const *phrase = version_phrases; *phrase; phrase++) {
        size_t n_bytes = strlen(*phrase);
        for (const char *at = text; (at = strstr(at, *phrase)) != NULL; at++) {
            ptrdiff_t before = id_at - (at + n_bytes - 1), behind = at - (id_at + id_bytes - 1);
            if ((before >= 0 && before <= DECLARATION_REACH) || (behind >= 0 && behind <= DECLARATION_REACH / 2))
                return 1;
        }
    }
    return 0;
}

/* An id holds a digit and is long enough to be told from a word. */
static int is_distinctive(const char *id) {
    return strlen(id) >= MIN_ID_BYTES && strpbrk(id, "0123456789") != NULL;
}

static pkin_status read_comment(const char *text, const char *other_id, pkin_i_comment_features *out) {
    pkin_status status = PKIN_OK;
    comment c = {0};
    if (!*text) return PKIN_OK;
    PKIN_TRY(append_key(text, MAX_COMMENT_BYTES, &c.text));
    out->splits |= speaks_of(c.text.bytes, split_phrases);
    if (!is_distinctive(other_id)) goto out;
    PKIN_TRY(append_key(other_id, MAX_ID_BYTES, &c.id));
    const char *at = c.id.n_bytes > 2 ? find_id(c.text.bytes, c.id.bytes) : NULL;
    if (at) {
        out->names_other = 1;
        out->declares_version |= declares_version(c.text.bytes, at, c.id.n_bytes);
    }
out:
    comment_free(&c);
    return status;
}

pkin_status pkin_i_compare_comments(const pkin_paper *a, const pkin_paper *b, pkin_i_comment_features *out) {
    *out = (pkin_i_comment_features){0};
    pkin_status status = read_comment(a->comment, b->id, out);
    return status == PKIN_OK ? read_comment(b->comment, a->id, out) : status;
}

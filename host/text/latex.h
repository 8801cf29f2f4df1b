/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_LATEX_H
#define PKIN_TEXT_LATEX_H

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/* What becomes of a command. */
typedef enum pkin_i_latex_kind {
    PKIN_I_LATEX_NOTHING = 0, /* \textbf \mathrm \left: vanishes, its argument stays, glued to what stands before */
    PKIN_I_LATEX_SPACE,       /* \times \leq \quad: a gap between words */
    PKIN_I_LATEX_ARGUMENTS,   /* \frac: vanishes, its arguments stay as separate words */
    PKIN_I_LATEX_SYMBOL,      /* \alpha \infty: the character, set off from letters around it */
    PKIN_I_LATEX_LETTER,      /* \o \ss: the letter, glued; swallows the spaces behind it as TeX does */
    PKIN_I_LATEX_ACCENT,      /* \v \c: a combining mark for the next letter */
    PKIN_I_LATEX_DROP,        /* \cite \label \href: its first argument goes, further ones stay */
    PKIN_I_LATEX_LINK,        /* \url: the argument is a link */
    PKIN_I_LATEX_CODE_POINT   /* \unicode{x2013}: the character with that number */
} pkin_i_latex_kind;

typedef struct pkin_i_latex_command {
    const char *name;        /* without the backslash */
    const char *replacement; /* UTF-8, at most 3 bytes; for symbols, letters and accents */
    pkin_i_latex_kind kind;
} pkin_i_latex_command;

/* The table's entry, NULL where the command is not known. Sorted for the tests: `index` counts from 0, NULL at the end.
 */
const pkin_i_latex_command *pkin_i_latex_find(const char *name, size_t n_bytes);
const pkin_i_latex_command *pkin_i_latex_entry(size_t index);

/*
 * Appends `text` (UTF-8 of any quality) without its LaTeX to `out`: delimiters, braces, `_` and `^` vanish, so that
 * sub- and superscripts join the word they belong to; commands as pkin_i_latex_kind says, an unknown one becomes a
 * word. With `drop_links`, web addresses become a gap. Linear; the result holds no `\ $ { } ^ _ ~`. Unbalanced braces
 * and a backslash at the end are harmless.
 */
pkin_status pkin_i_latex_strip(const char *text, size_t n_bytes, int drop_links, pkin_i_buffer *out);

/* Length of the web address that begins at `text`, 0 where none does. */
size_t pkin_i_link_length(const char *text, size_t n_bytes);

PKIN_EXTERN_C_END

#endif

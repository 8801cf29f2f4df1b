/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_NPY_H
#define PKIN_VECTOR_NPY_H

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/*
 * One NumPy array file (`.npy`, versions 1.0 to 3.0): little-endian or one-byte numbers and strings of at most one
 * dimension. Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
 */
typedef struct pkin_i_npy {
    char kind; /* 'i', 'u', 'f', 'b' numbers; 'S', 'U' strings */
    size_t item_bytes;
    uint64_t n_items;  /* 1 for an array without dimensions */
    const char *items; /* borrowed, n_items * item_bytes, unaligned */
} pkin_i_npy;

/* Reads what stands in [bytes, bytes + n_bytes); `what` is what messages call it. */
pkin_status pkin_i_npy_parse(const char *bytes, size_t n_bytes, const char *what, pkin_i_npy *out);

/* Item k of an array of kind 'i', 'u' or 'b'; false where it is negative. */
bool pkin_i_npy_unsigned(const pkin_i_npy *array, uint64_t k, uint64_t *out);
/* Item k of an array of numbers. */
double pkin_i_npy_double(const pkin_i_npy *array, uint64_t k);

/* The header (version 1.0) of an array of `n_items` (n_dimensions 1, or 0 for a single item) of type `descr`. */
pkin_status pkin_i_npy_header(const char *descr, uint64_t n_items, int n_dimensions, pkin_i_buffer *out);

PKIN_EXTERN_C_END

#endif

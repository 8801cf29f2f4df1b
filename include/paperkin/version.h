/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_VERSION_H
#define PAPERKIN_VERSION_H

/* Version of the library and of this header. The command line, the store and every JSON output name it. */
#define PKIN_VERSION_MAJOR 0
#define PKIN_VERSION_MINOR 1
#define PKIN_VERSION_PATCH 0
#define PKIN_VERSION_STRING "0.1.0"

#if defined(__cplusplus)
#define PKIN_EXTERN_C_BEGIN extern "C" {
#define PKIN_EXTERN_C_END }
#else
#define PKIN_EXTERN_C_BEGIN
#define PKIN_EXTERN_C_END
#endif

#if defined(__GNUC__)
#define PKIN_API __attribute__((visibility("default")))
#define PKIN_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define PKIN_API
#define PKIN_PRINTF(format_index, first_argument)
#endif

PKIN_EXTERN_C_BEGIN

/* The version of the library that was linked, "major.minor.patch". Static storage. */
PKIN_API const char *pkin_version(void);

PKIN_EXTERN_C_END

#endif

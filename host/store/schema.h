/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_SCHEMA_H
#define PKIN_STORE_SCHEMA_H

#include <sqlite3.h>

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/* "pkin" in ASCII: in the file's header, where `file` and paperkin find it. */
#define PKIN_I_APPLICATION_ID 0x706b696e

/*
 * The schema as steps: step k (from 0) brings a database of version k to version k + 1. A released step never changes;
 * what comes later is another step.
 */
typedef struct pkin_i_schema {
    const char *const *steps;
    int version; /* number of steps */
} pkin_i_schema;

pkin_i_schema pkin_i_schema_current(void);

/* The version that the database has. */
pkin_status pkin_i_schema_read_version(sqlite3 *db, const char *path, int *version);

/*
 * Brings a database to the schema's version, all steps in one transaction. A newer one is PKIN_ERROR_STORE_VERSION, and
 * so is an older one with `read_only`; neither is changed.
 */
pkin_status pkin_i_schema_upgrade(sqlite3 *db, const char *path, const pkin_i_schema *schema, int read_only);

PKIN_EXTERN_C_END

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"

enum { MESSAGE_BYTES = 1024 };

static _Thread_local char last_error[MESSAGE_BYTES];

const char *pkin_version(void) {
    return PKIN_VERSION_STRING;
}

const char *pkin_status_name(pkin_status status) {
    switch (status) {
#define STATUS_NAME(name, code, message)                                                                               \
    case name:                                                                                                         \
        return #name;
        PKIN_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "PKIN_ERROR_UNKNOWN";
}

const char *pkin_status_message(pkin_status status) {
    switch (status) {
#define STATUS_MESSAGE(name, code, message)                                                                            \
    case name:                                                                                                         \
        return message;
        PKIN_STATUS_LIST(STATUS_MESSAGE)
#undef STATUS_MESSAGE
    }
    return "unknown status";
}

const char *pkin_last_error(void) {
    return last_error;
}

pkin_status pkin_i_fail(pkin_status status, const char *format, ...) {
    /* Written aside first: an argument may be the previous message itself. */
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(last_error, text, sizeof text);
    return status;
}

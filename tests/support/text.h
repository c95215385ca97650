/* Comparing texts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_SERVER_TEXT_H
#define AERO_TESTS_SERVER_TEXT_H

#include "test.h"

#define CHECK_TEXT(got, want)                                                 \
    do {                                                                      \
        const char *got_ = (got);                                             \
        const char *want_ = (want);                                           \
        if (strcmp(got_, want_) != 0) {                                       \
            test_failed(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, \
                        got_, want_);                                         \
        }                                                                     \
    } while (0)

#endif

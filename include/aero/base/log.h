/* Log lines of the core.  The core formats a line only if the level asks for
 * it and hands it to whoever owns the logger; it never writes anywhere.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_LOG_H
#define AERO_BASE_LOG_H

#include <stdatomic.h>

#include "aero/base/status.h"

typedef enum aero_log_level {
    AERO_LOG_OFF = -1,
    AERO_LOG_ERROR = 0,
    AERO_LOG_WARN = 1,
    AERO_LOG_INFO = 2,
    AERO_LOG_DEBUG = 3,
    AERO_LOG_TRACE = 4
} aero_log_level;

typedef struct aero_logger {
    atomic_int level; /* lines above it are not even formatted */
    /* Called from any thread, without locks of the core; must not block. */
    void (*write)(void *data, aero_log_level level, const char *func,
                  const char *file, int line, const char *text);
    void *data; /* borrowed */
} aero_logger;

void aero_log_write(aero_logger *logger, aero_log_level level,
                    const char *func, const char *file, int line,
                    const char *fmt, ...) AERO_PRINTF(6, 7);

/* `logger` may be NULL: nobody listens. */
#define AERO_LOG(logger, lvl, ...)                                            \
    do {                                                                      \
        aero_logger *logger_ = (logger);                                      \
        if (logger_ != NULL &&                                                \
            (int)(lvl) <= atomic_load_explicit(&logger_->level,               \
                                               memory_order_relaxed)) {       \
            aero_log_write(logger_, lvl, __func__, __FILE__, __LINE__,        \
                           __VA_ARGS__);                                      \
        }                                                                     \
    } while (0)

#endif

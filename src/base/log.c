/* Formatting of log lines.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/log.h"

void
aero_log_write(aero_logger *logger, aero_log_level level, const char *func,
               const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    logger->write(logger->data, level, func, file, line, text);
}

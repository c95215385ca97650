/* Which libuv this is.
 *
 * SPDX-License-Identifier: Apache-2.0 */

#include <uv.h>

#include "aero/drive/loop.h"

const char *
aero_loop_library(void)
{
    return uv_version_string();
}

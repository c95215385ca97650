/* Base64 (RFC 4648, with padding), as info texts carry it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_B64_H
#define AERO_BASE_B64_H

#include "aero/base/buf.h"

void aero_b64_put(aero_buf *out, aero_span bytes);

/* Decode into `out` (its old content stays in front).  False when `text` is
 * no base64; `out` may then hold a part. */
bool aero_b64_take(aero_span text, aero_buf *out);

#endif

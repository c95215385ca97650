/* Security messages, in frames of type 2:
 *
 *    0        1        2         3          4 .. 15
 *   +--------+--------+---------+----------+---------+
 *   | 0      | result | command | n fields | zero    |
 *   +--------+--------+---------+----------+---------+
 *   then the fields   | size u32, counts the id | id u8 | data |
 *
 * A reply to a query holds several such records; the last has result 50.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_ADMIN_H
#define AERO_WIRE_ADMIN_H

#include "aero/base/buf.h"
#include "aero/base/status.h"
#include "aero/wire/codes.h"
#include "aero/wire/msg.h"

enum {
    AERO_ADMIN_HEAD = 16
};

typedef struct aero_admin {
    uint8_t result;
    uint8_t command;
    uint8_t n_fields;
} aero_admin;

/* Put the head; gives its place for the patch.  The caller opens and closes
 * the frame. */
size_t aero_admin_put(aero_buf *out, const aero_admin *admin);
void aero_admin_patch_count(aero_buf *out, size_t at, uint8_t n_fields);
aero_rc aero_admin_take(aero_span *in, aero_admin *admin, aero_status *st);

/* Fields have the layout of a message's. */
void aero_admin_put_field(aero_buf *out, aero_admin_code id, aero_span data);
aero_rc aero_admin_take_field(aero_span *in, aero_field *field,
                              aero_status *st);

/* Lists of names: u8 count, then u8 length and bytes of each. */
void aero_admin_put_name(aero_buf *out, aero_span name);
aero_rc aero_admin_take_name(aero_span *in, aero_span *name, aero_status *st);

/* Privileges: u8 count, then u8 code and, for codes of 10 and above, u8
 * length + namespace and u8 length + set. */
typedef struct aero_privilege {
    uint8_t code;
    aero_span ns;
    aero_span set;
} aero_privilege;

enum {
    AERO_PRIVILEGE_SCOPED = 10 /* the first code that names a namespace */
};

void aero_admin_put_privilege(aero_buf *out, const aero_privilege *privilege);
aero_rc aero_admin_take_privilege(aero_span *in, aero_privilege *privilege,
                                  aero_status *st);

#endif

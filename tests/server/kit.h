/* A server's core without sockets, for tests: request bytes in, reply bytes
 * out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_SERVER_KIT_H
#define AERO_TESTS_SERVER_KIT_H

#include "../../src/server/command.h"
#include "../../src/server/info.h"
#include "../../src/server/security.h"
#include "../../src/server/serve.h"
#include "aero/lua/lua.h"
#include "aero/wire/frame.h"
#include "text.h"

typedef struct kit {
    srv_core core;
    srv_login who;
    unsigned node;
    char agent[SRV_AGENT_MAX];
    srv_info_hooks hooks;
    aero_buf ask; /* the body that is being built */
    size_t at;
    uint16_t n_fields;
    uint16_t n_ops;
    aero_buf out; /* whole frames that answered */
} kit;

static inline bool
kit_open_with(kit *k, const aero_server_config *config)
{
    aero_status st;

    memset(k, 0, sizeof *k);
    aero_status_clear(&st);
    if (!srv_core_init(&k->core, config, &st)) {
        srv_core_fini(&k->core);
        return false;
    }
    return true;
}

static inline bool
kit_open(kit *k)
{
    static const char *const namespaces[] = {"test", "bar"};
    aero_server_config config = {0};

    config.namespaces = namespaces;
    config.n_namespaces = 2;
    config.lua = aero_lua_get;
    return kit_open_with(k, &config);
}

static inline void
kit_close(kit *k)
{
    srv_core_fini(&k->core);
    aero_buf_fini(&k->ask);
    aero_buf_fini(&k->out);
}

static inline srv_call
kit_call(kit *k)
{
    srv_call call = {&k->core, &k->core.cluster.nodes[k->node], &k->who,
                     "127.0.0.1:1"};

    return call;
}

/* ---- asking ---- */

/* Serve a body; the answer's frames are in k->out.  Returns the result code
 * of the first message, -1 when there is none. */
static inline int
kit_serve(kit *k, aero_span body)
{
    srv_call call = kit_call(k);
    srv_stream *stream;

    aero_buf_reset(&k->out, SIZE_MAX);
    stream = srv_serve(&call, body, &k->out);
    if (stream != NULL) {
        uint32_t wait_ms;
        aero_rc rc = AERO_MORE;

        while (rc == AERO_MORE && !k->out.failed) {
            rc = stream->step(stream, &k->out, &wait_ms);
        }
        stream->close(stream);
    }
    return k->out.len < AERO_FRAME_HEAD + AERO_MSG_HEAD
               ? -1
               : k->out.ptr[AERO_FRAME_HEAD + 5];
}

static inline void
kit_begin(kit *k, uint8_t info1, uint8_t info2, uint8_t info3)
{
    aero_msg msg = {.info1 = info1, .info2 = info2, .info3 = info3};

    aero_buf_reset(&k->ask, SIZE_MAX);
    k->n_fields = 0;
    k->n_ops = 0;
    k->at = aero_msg_put(&k->ask, &msg);
}

static inline void
kit_field(kit *k, aero_field_type type, aero_span data)
{
    aero_field_put(&k->ask, type, data);
    k->n_fields++;
}

static inline void
kit_op(kit *k, aero_op_type op, uint8_t particle, const char *name,
       aero_span value)
{
    aero_op_put(&k->ask, op, particle, aero_span_str(name), value);
    k->n_ops++;
}

static inline void
kit_int_op(kit *k, aero_op_type op, const char *name, int64_t value)
{
    uint8_t wire[8];

    aero_set_u64(wire, (uint64_t)value);
    kit_op(k, op, AERO_PARTICLE_INTEGER, name, aero_span_of(wire, 8));
}

static inline void
kit_set_ttl(kit *k, uint32_t ttl)
{
    aero_set_u32(k->ask.ptr + k->at + 10, ttl);
}

static inline void
kit_set_generation(kit *k, uint32_t generation)
{
    aero_set_u32(k->ask.ptr + k->at + 6, generation);
}

static inline void
kit_end(kit *k)
{
    aero_msg_patch_counts(&k->ask, k->at, k->n_fields, k->n_ops);
}

static inline int
kit_send(kit *k)
{
    kit_end(k);
    return kit_serve(k, aero_buf_span(&k->ask));
}

/* Namespace test, a set, and the digest of a number in it. */
static inline void
kit_key(kit *k, const char *set, int64_t number)
{
    uint8_t wire[8];
    uint8_t digest[AERO_DIGEST_SIZE];

    aero_set_u64(wire, (uint64_t)number);
    aero_digest(aero_span_str(set), AERO_PARTICLE_INTEGER,
                aero_span_of(wire, 8), digest);
    kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    kit_field(k, AERO_FIELD_SET, aero_span_str(set));
    kit_field(k, AERO_FIELD_DIGEST, aero_span_of(digest, sizeof digest));
}

/* A record with bin "n". */
static inline int
kit_put(kit *k, const char *set, int64_t number, int64_t value, uint32_t ttl)
{
    kit_begin(k, 0, AERO_INFO2_WRITE, 0);
    kit_set_ttl(k, ttl);
    kit_key(k, set, number);
    kit_int_op(k, AERO_OP_WRITE, "n", value);
    return kit_send(k);
}

static inline int
kit_get(kit *k, const char *set, int64_t number)
{
    kit_begin(k, AERO_INFO1_READ | AERO_INFO1_GET_ALL, 0, 0);
    kit_key(k, set, number);
    return kit_send(k);
}

/* ---- looking at answers ---- */

/* The head of the first message. */
static inline aero_msg
kit_head(const kit *k)
{
    aero_msg msg = {0};
    aero_span in = aero_buf_span(&k->out);

    if (in.len >= AERO_FRAME_HEAD) {
        in = aero_span_skip(in, AERO_FRAME_HEAD);
        aero_msg_take(&in, &msg, NULL);
    }
    return msg;
}

typedef struct kit_counts {
    unsigned records;
    unsigned lasts;
    unsigned ops;
    int code; /* of the last message */
    uint8_t digests[8192][AERO_DIGEST_SIZE];
} kit_counts;

static inline bool
kit_count_parts(aero_span *body, const aero_msg *msg, kit_counts *counts)
{
    for (unsigned i = 0; i < msg->n_fields; i++) {
        aero_field field;

        if (aero_field_take(body, &field, NULL) != AERO_OK) {
            return false;
        }
        if (field.type == AERO_FIELD_DIGEST && counts->records < 8192) {
            memcpy(counts->digests[counts->records++], field.data.ptr,
                   AERO_DIGEST_SIZE);
        }
    }
    for (unsigned i = 0; i < msg->n_ops; i++) {
        aero_op op;

        if (aero_op_take(body, &op, NULL) != AERO_OK) {
            return false;
        }
        counts->ops++;
    }
    return true;
}

/* Read all frames of the answer; false when they are not well formed. */
static inline bool
kit_count(const kit *k, kit_counts *counts)
{
    aero_span in = aero_buf_span(&k->out);
    aero_frame frame;
    aero_span body;

    memset(counts, 0, sizeof *counts);
    while (in.len != 0) {
        if (aero_frame_take(&in, &frame, &body, NULL) != AERO_OK) {
            return false;
        }
        while (body.len != 0) {
            aero_msg msg;

            if (aero_msg_take(&body, &msg, NULL) != AERO_OK) {
                return false;
            }
            counts->code = msg.result;
            counts->lasts += (msg.info3 & AERO_INFO3_LAST) != 0;
            if (!kit_count_parts(&body, &msg, counts)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- info ---- */

/* The value that a command is answered with, NUL-terminated until the next
 * question. */
static inline const char *
kit_info(kit *k, const char *command)
{
    srv_call call = kit_call(k);
    srv_info info = {.call = &call, .hooks = &k->hooks};
    const char *tab;

    info.user_agent = aero_span_str(k->agent);
    info.agent_room = k->agent;
    aero_buf_reset(&k->ask, SIZE_MAX);
    aero_buf_printf(&k->ask, "%s\n", command);
    aero_buf_reset(&k->out, SIZE_MAX);
    srv_info_answer(&info, aero_buf_span(&k->ask), &k->out);
    aero_buf_put_u8(&k->out, 0);
    if (k->out.failed) {
        return "(no memory)";
    }
    if (k->out.len > AERO_FRAME_HEAD + 1) {
        k->out.ptr[k->out.len - 2] = '\0'; /* the newline */
    }
    tab = strchr((const char *)k->out.ptr + AERO_FRAME_HEAD, '\t');
    return tab != NULL ? tab + 1 : (const char *)k->out.ptr + AERO_FRAME_HEAD;
}

#endif

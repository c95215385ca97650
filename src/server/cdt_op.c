/* One list or map operation: read the envelope, find the container, read the
 * arguments, run the handler, put the new container where the old one was.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "args.h"
#include "cdt_internal.h"

/* What stands in front of the arguments. */
typedef struct call {
    uint64_t code;
    uint32_t n_args;
    aero_span args;
} call;

/* ---- answers ---- */

int
cdt_answer_int(cdt_op *op, int64_t value)
{
    aero_made_clear(op->reply);
    op->reply->present = true;
    op->reply->particle = AERO_PARTICLE_INTEGER;
    aero_buf_put_u64(&op->reply->bytes, (uint64_t)value);
    return AERO_ERR_OK;
}

int
cdt_answer_bool(cdt_op *op, bool value)
{
    aero_made_clear(op->reply);
    op->reply->present = true;
    op->reply->particle = AERO_PARTICLE_BOOL;
    aero_buf_put_u8(&op->reply->bytes, value);
    return AERO_ERR_OK;
}

int
cdt_answer_value(cdt_op *op, aero_span packed)
{
    return aero_cdt_unpack(packed, op->reply) ? AERO_ERR_OK : AERO_ERR_SERVER;
}

static aero_buf *
answer_container(cdt_op *op, bool is_map, uint8_t flags, uint32_t count)
{
    aero_made_clear(op->reply);
    op->reply->present = true;
    op->reply->particle = is_map ? AERO_PARTICLE_MAP : AERO_PARTICLE_LIST;
    cdt_put_head(&op->reply->bytes, is_map, flags, count);
    return &op->reply->bytes;
}

aero_buf *
cdt_answer_list(cdt_op *op, uint32_t count)
{
    return answer_container(op, false, 0, count);
}

aero_buf *
cdt_answer_map(cdt_op *op, uint8_t flags, uint32_t count)
{
    return answer_container(op, true, flags, count);
}

unsigned
cdt_flags_in(const cdt_op *op, uint32_t arg)
{
    return op->given > arg ? (unsigned)op->arg[arg].number : 0;
}

void
cdt_begin(cdt_op *op, uint32_t count)
{
    op->changed = true;
    cdt_put_head(op->out, op->box.is_map, op->box.flags, count);
}

/* ---- arguments ---- */

/* The flags a new container gets from an order argument: those it may have,
 * else none. */
static uint8_t
flags_for_new(const cdt_op *op, int64_t order)
{
    uint8_t flags = (uint8_t)order;
    uint8_t kept = cdt_flags_kept(op->box.is_map, flags);

    return (flags & ~AERO_CDT_PERSIST_INDEX) == kept ? kept : 0;
}

static bool
take_arg(cdt_op *op, char letter, bool stores, aero_span *in, cdt_arg *arg)
{
    aero_span ahead = *in;

    if (!aero_token_take_whole(in, &arg->packed)) {
        return false;
    }
    if (strchr("inrofst", letter) == NULL) {
        return !stores || (!op->special && cdt_is_storable(arg->packed));
    }
    if (!cdt_take_integer(&ahead, &arg->number)) {
        return false;
    }
    if (letter == 'o' && op->is_new) {
        op->box.flags = flags_for_new(op, arg->number);
    }
    return true;
}

/* Read the arguments that are there by the letters of the row; operations
 * without any do not look. */
static int
take_args(cdt_op *op, const char *letters, call *c)
{
    bool stores = strpbrk(letters, "rd") == NULL;
    bool optional = false;
    uint32_t n = 0;

    if (letters[0] == '\0') {
        return AERO_ERR_OK;
    }
    for (const char *at = letters; *at != '\0'; at++) {
        cdt_arg *arg = &op->arg[op->given];

        if (*at == '[' || *at == ']') {
            optional = true;
            continue;
        }
        if (n == c->n_args) {
            return optional ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
        }
        n++;
        if (!take_arg(op, *at, stores, &c->args, arg)) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if (*at == 'r') {
            op->returns = (uint32_t)arg->number;
        }
        else {
            op->given++;
        }
    }
    return n == c->n_args ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
}

/* ---- running ---- */

static int
run(cdt_op *op, call *c)
{
    const aero_cdt_row *row = aero_cdt_row_of(c->code);
    const cdt_handler *handler;
    int rc;

    if (row == NULL || row->later || row->modifies != op->modify) {
        return AERO_ERR_REQUEST_INVALID;
    }
    handler = &cdt_handlers[c->code];
    op->returns = handler->returns;
    op->many = handler->many;
    op->box.is_map = c->code >= AERO_CDT_MAPS;
    if (op->is_new && handler->missing == CDT_SKIP) {
        return AERO_ERR_OK;
    }
    if (op->is_new && handler->missing == CDT_NOT_FOUND) {
        return AERO_ERR_FAIL_ELEMENT_NOT_FOUND;
    }
    if (op->bin_missing && handler->missing == CDT_NEEDS_BIN) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    rc = take_args(op, row->args, c);
    if (rc == AERO_ERR_OK && handler->indexed) {
        rc = cdt_index(&op->box, op->arena);
    }
    return rc != AERO_ERR_OK ? rc : handler->run(op);
}

static bool
is_map_code(const call *c)
{
    return c->code >= AERO_CDT_MAPS;
}

static uint8_t
particle_of(const call *c)
{
    return is_map_code(c) ? AERO_PARTICLE_MAP : AERO_PARTICLE_LIST;
}

static int
run_on_bin(cdt_op *op, aero_val bin, call *c, aero_made *after)
{
    uint8_t kind = particle_of(c);
    const cdt_handler *handler;
    int rc;

    if (bin.particle == AERO_PARTICLE_NIL) {
        op->bin_missing = op->is_new = true;
    }
    else if (bin.particle != kind || !cdt_open(bin.bytes, &op->box)) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    op->out = &after->bytes;
    rc = run(op, c);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    handler = &cdt_handlers[c->code];
    if (op->is_new && !op->changed && handler->missing == CDT_RUN) {
        cdt_begin(op, 0);
    }
    after->present = op->changed;
    after->particle = kind;
    return AERO_ERR_OK;
}

/* ---- the envelope ---- */

/* [code, argument, ...] */
static bool
take_call(aero_span *in, call *c)
{
    uint32_t count;
    int64_t code;

    if (!take_head(in, &count) || count == 0 || !cdt_take_integer(in, &code)) {
        return false;
    }
    c->code = (uint64_t)code;
    c->n_args = count - 1;
    c->args = *in;
    return true;
}

/* The old form: u16 code, then perhaps a list of the arguments. */
static bool
take_old_call(aero_span in, call *c)
{
    aero_token token;

    if (in.len < 2) {
        return false;
    }
    c->code = aero_get_u16(in.ptr);
    c->n_args = 0;
    in = aero_span_skip(in, 2);
    if (in.len != 0) {
        if (!aero_token_take(&in, &token) || token.kind != AERO_TOKEN_LIST) {
            return false;
        }
        c->n_args = token.count;
    }
    c->args = in;
    return true;
}

/* [0xff, steps, call]: `c` is the outer one. */
static int
run_in_context(cdt_op *op, aero_val bin, call *c, aero_made *after)
{
    cdt_context cx = {.arena = op->arena};
    aero_buf leaf = AERO_BUF_INIT;
    call inner;
    int rc;

    if (c->n_args != 2) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = cdt_context_resolve(&cx, bin, op->modify, &c->args);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!take_call(&c->args, &inner)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (!cx.create && (!cdt_open(cx.leaf, &op->box) ||
                       op->box.is_map != is_map_code(&inner))) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    op->is_new = cx.create;
    op->special = cx.special;
    op->bin_missing = bin.particle == AERO_PARTICLE_NIL;
    op->out = &leaf;
    rc = run(op, &inner);
    if (rc == AERO_ERR_OK && op->changed) {
        rc = leaf.failed
                 ? AERO_ERR_SERVER
                 : cdt_context_unwind(&cx, aero_buf_span(&leaf), after);
    }
    aero_buf_fini(&leaf);
    return rc;
}

static int
dispatch(cdt_op *op, aero_val bin, aero_span payload, aero_made *after)
{
    aero_span in = payload;
    call c;

    if (payload.len != 0 && payload.ptr[0] == 0 ? !take_old_call(payload, &c)
                                                : !take_call(&in, &c)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    switch (c.code) {
    case AERO_CDT_PATH:
        return cdt_path_run(bin, op->modify, c.args, c.n_args, op->eval,
                            op->arena, op->reply, after);
    case AERO_CDT_CONTEXT:
        return run_in_context(op, bin, &c, after);
    default:
        return run_on_bin(op, bin, &c, after);
    }
}

int
aero_cdt_apply_path(aero_val bin, bool modify, aero_span payload,
                    const aero_path_eval *eval, aero_made *reply,
                    aero_made *after)
{
    aero_arena arena;
    cdt_op op = {.arena = &arena,
                 .eval = eval,
                 .modify = modify,
                 .payload_len = payload.len,
                 .reply = reply};
    int rc;

    aero_made_clear(reply);
    aero_made_clear(after);
    if (!modify && bin.particle == AERO_PARTICLE_NIL) {
        return AERO_ERR_OK; /* whatever the payload says */
    }
    aero_arena_init(&arena);
    rc = dispatch(&op, bin, payload, after);
    if (rc == AERO_ERR_OK && (reply->bytes.failed || after->bytes.failed)) {
        rc = AERO_ERR_SERVER;
    }
    aero_buf_fini(&op.stored);
    aero_arena_fini(&arena);
    return rc;
}

int
aero_cdt_apply(aero_val bin, bool modify, aero_span payload, aero_made *reply,
               aero_made *after)
{
    return aero_cdt_apply_path(bin, modify, payload, NULL, reply, after);
}

/* The record of a call, and the object `aerospike` that writes it.
 *
 * What a script sets is noted; `aerospike:create` and `aerospike:update` make
 * it the record's; the server stores the record once the script has ended
 * well.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "internal.h"

enum {
    SLOTS_MAX = 32767,
    NOT_THERE = -2 /* what an update of nothing answers */
};

/* ---- slots ---- */

static lua_slot *
find_slot(const lua_slots *slots, aero_span name)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        lua_slot *slot = &slots->list[i];

        if (slot->name_len == name.len &&
            (name.len == 0 || memcmp(slot->name, name.ptr, name.len) == 0)) {
            return slot;
        }
    }
    return NULL;
}

/* The slot of that name, which may be new; NULL: no memory, or too many. */
static lua_slot *
make_slot(lua_slots *slots, aero_span name)
{
    lua_slot *slot = find_slot(slots, name);

    if (slot != NULL) {
        return slot;
    }
    if (slots->count == SLOTS_MAX) {
        return NULL;
    }
    if (slots->count == slots->cap) {
        uint32_t cap = slots->cap == 0 ? 8 : slots->cap * 2;

        slot = aero_resize(slots->list, cap * sizeof *slot);
        if (slot == NULL) {
            return NULL;
        }
        slots->list = slot;
        slots->cap = cap;
    }
    slot = &slots->list[slots->count++];
    memset(slot, 0, sizeof *slot);
    slot->name_len = (uint8_t)name.len;
    if (name.len != 0) {
        memcpy(slot->name, name.ptr, name.len);
    }
    return slot;
}

static void
empty_slots(lua_slots *slots)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        aero_buf_fini(&slots->list[i].bytes);
    }
    slots->count = 0;
}

static void
drop_slot(lua_slots *slots, lua_slot *slot)
{
    aero_buf_fini(&slot->bytes);
    *slot = slots->list[--slots->count];
}

void
lua_record_init(lua_record *rec, const aero_lua_record *was, bool fixed)
{
    memset(rec, 0, sizeof *rec);
    rec->was = was;
    rec->fixed = fixed;
    rec->exists = was->exists;
}

void
lua_record_fini(lua_record *rec)
{
    empty_slots(&rec->bins);
    empty_slots(&rec->noted);
    aero_free(rec->bins.list);
    aero_free(rec->noted.list);
}

/* ---- reading ---- */

static lua_record *
check(lua_State *L, int at)
{
    lua_record **view = lua_check_type(L, at, LUA_TYPE_RECORD);

    if (*view == NULL) {
        luaL_error(L, "the record is no longer there");
    }
    return *view;
}

static const char view_key;

void
lua_push_record(lua_State *L, lua_record *rec)
{
    lua_record **view = lua_newuserdatauv(L, sizeof *view, 0);

    *view = rec;
    luaL_setmetatable(L, LUA_TYPE_RECORD);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &view_key);
    rec->view = view;
}

void
lua_cut_record(lua_record *rec)
{
    if (rec->view != NULL) {
        *rec->view = NULL;
        rec->view = NULL;
    }
}

static const aero_lua_bin *
find_bin(const aero_lua_record *was, aero_span name)
{
    for (uint32_t i = 0; i < was->n_bins; i++) {
        if (aero_span_equal(was->bins[i].name, name)) {
            return &was->bins[i];
        }
    }
    return NULL;
}

static void
push_slot(lua_State *L, const lua_slot *slot)
{
    const aero_lua_value value = {slot->particle, aero_buf_span(&slot->bytes)};

    lua_push_value(L, &value);
}

static int
on_index(lua_State *L)
{
    const lua_record *rec = check(L, 1);
    aero_span name = aero_span_str(luaL_checkstring(L, 2));
    const lua_slot *slot = find_slot(&rec->noted, name);
    const aero_lua_bin *bin;

    if (slot == NULL && rec->written) {
        slot = find_slot(&rec->bins, name);
    }
    if (slot != NULL) {
        push_slot(L, slot);
        return 1;
    }
    bin = rec->written || !rec->exists ? NULL : find_bin(rec->was, name);
    return bin != NULL && lua_push_value(L, &bin->value);
}

/* ---- setting ---- */

static int
on_newindex(lua_State *L)
{
    lua_record *rec = check(L, 1);
    aero_span name = aero_span_str(luaL_checkstring(L, 2));
    lua_slot *slot;

    if (lua_type(L, 3) == LUA_TUSERDATA && !lua_is_value(L, 3)) {
        rec->code = AERO_ERR_BIN_INCOMPATIBLE_TYPE;
        return luaL_error(L, "can't set bin %s", lua_tostring(L, 2));
    }
    if (!lua_is_value(L, 3)) {
        return luaL_error(L, "can't set bin %s to unsupported type",
                          lua_tostring(L, 2));
    }
    if (rec->fixed || name.len > AERO_BIN_NAME_MAX) {
        return 0; /* as on the real server, which says so in its log */
    }
    slot = make_slot(&rec->noted, name);
    if (slot == NULL) {
        return luaL_error(L, "too many bins");
    }
    rec->size -= slot->bytes.len;
    slot->bytes.len = 0;
    lua_take_particle(L, 3, &slot->particle, &slot->bytes);
    rec->size += slot->bytes.len;
    if (slot->bytes.failed || rec->size > LUA_BINS_MAX) {
        return luaL_error(L, "the record is too big");
    }
    return 0;
}

/* ---- the functions of `record` ---- */

static int
run_gen(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->was->generation);
    return 1;
}

static int
run_ttl(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->was->ttl);
    return 1;
}

static int
run_size(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->was->size);
    return 1;
}

/* Data lie in memory. */
static int
run_device_size(lua_State *L)
{
    check(L, 1);
    lua_pushinteger(L, 0);
    return 1;
}

static int
run_last_update_time(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L, 1)->was->last_update);
    return 1;
}

static uint32_t
count_bins(const lua_record *rec)
{
    return rec->written ? rec->bins.count : rec->exists ? rec->was->n_bins : 0;
}

static int
run_numbins(lua_State *L)
{
    lua_pushinteger(L, count_bins(check(L, 1)));
    return 1;
}

static int
run_bin_names(lua_State *L)
{
    const lua_record *rec = check(L, 1);
    uint32_t count = count_bins(rec);

    if (!rec->exists) {
        return luaL_error(L, "can't get bin names");
    }
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        if (rec->written) {
            lua_pushlstring(L, rec->bins.list[i].name,
                            rec->bins.list[i].name_len);
        }
        else {
            lua_pushlstring(L, (const char *)rec->was->bins[i].name.ptr,
                            rec->was->bins[i].name.len);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int
run_digest(lua_State *L)
{
    lua_new_bytes(L, AERO_PARTICLE_BLOB,
                  aero_span_of(check(L, 1)->was->digest, 20));
    return 1;
}

static int
run_setname(lua_State *L)
{
    aero_span set = check(L, 1)->was->set;

    if (set.len == 0) {
        return 0;
    }
    lua_pushlstring(L, (const char *)set.ptr, set.len);
    return 1;
}

static int
run_key(lua_State *L)
{
    return lua_push_value(L, &check(L, 1)->was->key);
}

static int
run_set_ttl(lua_State *L)
{
    lua_record *rec = check(L, 1);

    if (!lua_isnoneornil(L, 2)) {
        rec->ttl = (uint32_t)luaL_checkinteger(L, 2);
        rec->has_ttl = true;
    }
    return 0;
}

static int
run_drop_key(lua_State *L)
{
    check(L, 1)->drop_key = true;
    return 0;
}

/* ---- the methods of `aerospike` ---- */

static bool
copy_bin(lua_slots *slots, aero_span name, uint8_t particle, aero_span bytes)
{
    lua_slot *slot = make_slot(slots, name);

    if (slot == NULL) {
        return false;
    }
    slot->particle = particle;
    slot->bytes.len = 0;
    aero_buf_put_span(&slot->bytes, bytes);
    return !slot->bytes.failed;
}

/* From now on the record is what the slots say. */
static bool
begin_writing(lua_record *rec)
{
    bool good = true;

    if (rec->written) {
        return true;
    }
    for (uint32_t i = 0; good && rec->exists && i < rec->was->n_bins; i++) {
        const aero_lua_bin *bin = &rec->was->bins[i];

        good = copy_bin(&rec->bins, bin->name, bin->value.particle,
                        bin->value.bytes);
    }
    rec->written = true;
    return good;
}

static bool
apply_noted(lua_record *rec)
{
    bool good = begin_writing(rec);

    for (uint32_t i = 0; good && i < rec->noted.count; i++) {
        const lua_slot *noted = &rec->noted.list[i];
        aero_span name = aero_span_of(noted->name, noted->name_len);
        lua_slot *old = find_slot(&rec->bins, name);

        if (noted->particle != AERO_PARTICLE_NIL) {
            good = copy_bin(&rec->bins, name, noted->particle,
                            aero_buf_span(&noted->bytes));
        }
        else if (old != NULL) {
            drop_slot(&rec->bins, old);
        }
    }
    rec->size = 0;
    empty_slots(&rec->noted);
    return good;
}

static lua_record *
check_method(lua_State *L)
{
    lua_record **view;

    luaL_checktype(L, 1, LUA_TUSERDATA);
    view = luaL_testudata(L, 2, LUA_TYPE_RECORD);
    if (view == NULL) {
        luaL_typeerror(L, 2, LUA_TYPE_RECORD);
    }
    return check(L, 2);
}

static int
write_noted(lua_State *L, lua_record *rec)
{
    if (!apply_noted(rec)) {
        return luaL_error(L, "the record is too big");
    }
    lua_pushinteger(L, 0);
    return 1;
}

static int
run_create(lua_State *L)
{
    lua_record *rec = check_method(L);

    if (rec->exists || rec->fixed) {
        lua_pushinteger(L, 1);
        return 1;
    }
    write_noted(L, rec);
    rec->exists = true;
    return 1;
}

static int
run_update(lua_State *L)
{
    lua_record *rec = check_method(L);

    if (!rec->exists || rec->fixed) {
        lua_pushinteger(L, NOT_THERE);
        return 1;
    }
    return write_noted(L, rec);
}

static int
run_remove(lua_State *L)
{
    lua_record *rec = check_method(L);

    if (!rec->exists || rec->fixed) {
        lua_pushinteger(L, 1);
        return 1;
    }
    empty_slots(&rec->bins);
    empty_slots(&rec->noted);
    rec->size = 0;
    rec->written = true;
    rec->exists = false;
    lua_pushinteger(L, 0);
    return 1;
}

static int
run_exists(lua_State *L)
{
    lua_pushboolean(L, check_method(L)->exists);
    return 1;
}

/* Milliseconds. */
static int
run_get_current_time(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)(aero_clock_unix_ns() / AERO_NS_PER_MS));
    return 1;
}

static int
run_set_context(lua_State *L)
{
    check_method(L);
    return 0;
}

/* Nothing is configured that scripts could ask for. */
static int
run_get_config(lua_State *L)
{
    check_method(L);
    return 0;
}

/* ---- opening and closing ---- */

static void
open_aerospike(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"create", run_create},
        {"exists", run_exists},
        {"get_config", run_get_config},
        {"get_current_time", run_get_current_time},
        {"remove", run_remove},
        {"set_context", run_set_context},
        {"update", run_update},
        {NULL, NULL},
    };

    lua_newuserdatauv(L, 0, 0);
    luaL_newmetatable(L, "Aerospike");
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "locked");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setglobal(L, "aerospike");
}

void
lua_open_record(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"bin_names", run_bin_names},
        {"device_size", run_device_size},
        {"digest", run_digest},
        {"drop_key", run_drop_key},
        {"gen", run_gen},
        {"key", run_key},
        {"last_update_time", run_last_update_time},
        {"memory_size", run_size},
        {"numbins", run_numbins},
        {"set_ttl", run_set_ttl},
        {"setname", run_setname},
        {"size", run_size},
        {"ttl", run_ttl},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__index", on_index}, {"__newindex", on_newindex}, {NULL, NULL}};

    lua_open_type(L, "record", LUA_TYPE_RECORD, functions, metamethods, NULL);
    open_aerospike(L);
}

int
lua_record_close(const lua_record *rec, aero_lua_result *result)
{
    result->has_ttl = rec->has_ttl;
    result->ttl = rec->ttl;
    result->drop_key = rec->drop_key;
    result->change = AERO_LUA_KEPT;
    if (!rec->written) {
        return AERO_ERR_OK;
    }
    if (!rec->exists || rec->bins.count == 0) {
        result->change = AERO_LUA_REMOVED;
        return rec->exists && !rec->was->exists ? AERO_ERR_RECORD_NOT_FOUND
                                                : AERO_ERR_OK;
    }
    result->change = AERO_LUA_WRITTEN;
    result->n_bins = rec->bins.count;
    for (uint32_t i = 0; i < rec->bins.count; i++) {
        const lua_slot *slot = &rec->bins.list[i];

        aero_buf_put_u8(&result->bins, slot->name_len);
        aero_buf_put(&result->bins, slot->name, slot->name_len);
        aero_buf_put_u8(&result->bins, slot->particle);
        aero_buf_put_u32(&result->bins, (uint32_t)slot->bytes.len);
        aero_buf_put_span(&result->bins, aero_buf_span(&slot->bytes));
    }
    return result->bins.failed ? AERO_ERR_SERVER : AERO_ERR_OK;
}

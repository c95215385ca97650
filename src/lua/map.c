/* Maps: pairs in the order of their keys, which are integers, strings and
 * bytes.
 *
 * The user value is a table from encoded keys to values.  An encoded key is a
 * string that sorts as the key does:
 *
 *   integer  1 | eight bytes, big-endian, the sign turned over
 *   string   2 | bytes
 *   bytes    3 | particle type | bytes
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "internal.h"

enum {
    KEY_INTEGER = 1,
    KEY_STRING = 2,
    KEY_BYTES = 3
};

#define SIGN (UINT64_C(1) << 63)

/* What stands in the table for nil. */
static const char nil_mark;

static void
check(lua_State *L, int at)
{
    lua_check_type(L, at, LUA_TYPE_MAP);
}

void
lua_new_map(lua_State *L)
{
    lua_newuserdatauv(L, 0, 1);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, LUA_TYPE_MAP);
}

/* ---- keys ---- */

static void
push_prefixed(lua_State *L, const char *prefix, size_t prefix_len,
              const void *bytes, size_t len)
{
    lua_pushlstring(L, prefix, prefix_len);
    lua_pushlstring(L, len != 0 ? bytes : "", len);
    lua_concat(L, 2);
}

/* Push the key at `at` encoded; false: it cannot be one, nothing is pushed.
 */
static bool
push_encoded(lua_State *L, int at)
{
    const lua_bytes *bytes;
    char prefix[2] = {KEY_BYTES, 0};
    uint8_t wire[9] = {KEY_INTEGER};

    if (lua_type(L, at) == LUA_TNUMBER) {
        if (!lua_isinteger(L, at)) {
            return false;
        }
        aero_set_u64(wire + 1, (uint64_t)lua_tointeger(L, at) ^ SIGN);
        lua_pushlstring(L, (const char *)wire, sizeof wire);
        return true;
    }
    if (lua_type(L, at) == LUA_TSTRING) {
        const char *text = lua_tostring(L, at);

        push_prefixed(L, "\2", 1, text, strlen(text));
        return true;
    }
    bytes = luaL_testudata(L, at, LUA_TYPE_BYTES);
    if (bytes == NULL) {
        return false;
    }
    prefix[1] = (char)bytes->type;
    push_prefixed(L, prefix, 2, bytes->data, bytes->len);
    return true;
}

void
lua_map_decode_key(lua_State *L)
{
    size_t len;
    const char *key = lua_tolstring(L, -1, &len);

    switch (key[0]) {
    case KEY_INTEGER:
        lua_pushinteger(
            L, (lua_Integer)(aero_get_u64((const uint8_t *)key + 1) ^ SIGN));
        break;
    case KEY_STRING:
        lua_pushlstring(L, key + 1, len - 1);
        break;
    default:
        lua_new_bytes(L, (uint8_t)key[1], aero_span_of(key + 2, len - 2));
    }
    lua_remove(L, -2);
}

void
lua_map_get_encoded(lua_State *L, int at)
{
    at = lua_absindex(L, at);
    lua_getiuservalue(L, at, 1);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (lua_touserdata(L, -1) == &nil_mark) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

typedef struct key_at {
    const char *bytes;
    size_t len;
} key_at;

static int
compare(const void *a, const void *b)
{
    const key_at *left = a;
    const key_at *right = b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->bytes, right->bytes, len);

    return order != 0 ? order
                      : (left->len > right->len) - (left->len < right->len);
}

lua_Integer
lua_map_size(lua_State *L, int at)
{
    lua_Integer count = 0;

    lua_getiuservalue(L, at, 1);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        count++;
    }
    lua_pop(L, 1);
    return count;
}

lua_Integer
lua_map_keys(lua_State *L, int at)
{
    lua_Integer count;
    lua_Integer i = 0;
    key_at *keys;

    at = lua_absindex(L, at);
    count = lua_map_size(L, at);
    lua_createtable(L, (int)count, 0);
    keys = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *keys, 0);
    lua_getiuservalue(L, at, 1);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        keys[i].bytes = lua_tolstring(L, -1, &keys[i].len);
        i++;
    }
    qsort(keys, (size_t)count, sizeof *keys, compare);
    for (i = 0; i < count; i++) {
        lua_pushlstring(L, keys[i].bytes, keys[i].len);
        lua_rawseti(L, -4, i + 1);
    }
    lua_pop(L, 2);
    return count;
}

/* ---- pairs ---- */

void
lua_map_put(lua_State *L, int at)
{
    at = lua_absindex(L, at);
    if (!lua_is_value(L, -1) || !push_encoded(L, lua_gettop(L) - 1)) {
        lua_pop(L, 2);
        return;
    }
    /* key value encoded */
    lua_insert(L, -2);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushlightuserdata(L, (void *)&nil_mark);
    }
    lua_getiuservalue(L, at, 1);
    lua_insert(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

/* Add the pairs of one map to the map at `to`, all or only those whose key is
 * not in `unless` (0: all). */
static void
add_pairs(lua_State *L, int from, int to, int unless)
{
    lua_Integer count = lua_map_keys(L, from);

    for (lua_Integer i = 1; i <= count; i++) {
        if (unless != 0) {
            int type;

            lua_getiuservalue(L, unless, 1);
            lua_rawgeti(L, -2, i);
            type = lua_rawget(L, -2);
            lua_pop(L, 2);
            if (type != LUA_TNIL) {
                continue;
            }
        }
        lua_rawgeti(L, -1, i);
        lua_map_decode_key(L);
        lua_rawgeti(L, -2, i);
        lua_map_get_encoded(L, from);
        lua_map_put(L, to);
    }
    lua_pop(L, 1);
}

/* Call the function at `fn` for values of keys that both have. */
static void
join_pairs(lua_State *L, int from, int to, int fn)
{
    lua_Integer count = lua_map_keys(L, from);

    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_map_decode_key(L);
        lua_rawgeti(L, -2, i);
        lua_map_get_encoded(L, to);
        if (!lua_isnil(L, -1)) {
            lua_pushvalue(L, fn);
            lua_insert(L, -2);
            lua_rawgeti(L, -4, i);
            lua_map_get_encoded(L, from);
            lua_call(L, 2, 1);
        }
        else {
            lua_pop(L, 1);
            lua_rawgeti(L, -2, i);
            lua_map_get_encoded(L, from);
        }
        lua_map_put(L, to);
    }
    lua_pop(L, 1);
}

/* ---- functions ---- */

static int
make(lua_State *L)
{
    lua_settop(L, 2);
    lua_new_map(L);
    if (lua_istable(L, 2)) {
        lua_pushnil(L);
        while (lua_next(L, 2) != 0) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_map_put(L, 3);
        }
    }
    return 1;
}

static int
run_new(lua_State *L)
{
    lua_new_map(L);
    return 1;
}

static int
run_size(lua_State *L)
{
    check(L, 1);
    lua_pushinteger(L, lua_map_size(L, 1));
    return 1;
}

static int
run_remove(lua_State *L)
{
    check(L, 1);
    lua_settop(L, 2);
    if (push_encoded(L, 2)) {
        lua_getiuservalue(L, 1, 1);
        lua_insert(L, -2);
        lua_pushnil(L);
        lua_rawset(L, -3);
    }
    return 0;
}

static int
run_clone(lua_State *L)
{
    check(L, 1);
    lua_settop(L, 1);
    lua_new_map(L);
    add_pairs(L, 1, 2, 0);
    return 1;
}

static int
run_merge(lua_State *L)
{
    check(L, 1);
    check(L, 2);
    lua_settop(L, 3);
    lua_new_map(L);
    add_pairs(L, 1, 4, 0);
    if (lua_isfunction(L, 3)) {
        join_pairs(L, 2, 4, 3);
    }
    else {
        add_pairs(L, 2, 4, 0);
    }
    return 1;
}

/* What only one of them has. */
static int
run_diff(lua_State *L)
{
    check(L, 1);
    check(L, 2);
    lua_settop(L, 2);
    lua_new_map(L);
    add_pairs(L, 1, 3, 2);
    add_pairs(L, 2, 3, 1);
    return 1;
}

enum {
    GIVE_PAIRS,
    GIVE_KEYS,
    GIVE_VALUES
};

/* Upvalues: the map, its keys when the loop began, the place, what is given.
 */
static int
step(lua_State *L)
{
    int at = lua_upvalueindex(1);
    lua_Integer give = lua_tointeger(L, lua_upvalueindex(4));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;

    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    if (lua_rawgeti(L, lua_upvalueindex(2), i) == LUA_TNIL) {
        return 1;
    }
    lua_pushvalue(L, -1);
    if (give != GIVE_VALUES) {
        lua_map_decode_key(L);
    }
    else {
        lua_map_get_encoded(L, at);
    }
    if (give != GIVE_PAIRS) {
        return 1;
    }
    lua_insert(L, -2);
    lua_map_get_encoded(L, at);
    return 2;
}

static int
iterate(lua_State *L, int give)
{
    check(L, 1);
    lua_settop(L, 1);
    lua_map_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, give);
    lua_pushcclosure(L, step, 4);
    return 1;
}

static int
run_pairs(lua_State *L)
{
    return iterate(L, GIVE_PAIRS);
}

static int
run_keys(lua_State *L)
{
    return iterate(L, GIVE_KEYS);
}

static int
run_values(lua_State *L)
{
    return iterate(L, GIVE_VALUES);
}

static int
run_nbytes(lua_State *L)
{
    check(L, 1);
    lua_pushinteger(L, lua_packed_size(L, 1));
    return 1;
}

/* ---- metamethods ---- */

static int
on_index(lua_State *L)
{
    check(L, 1);
    lua_settop(L, 2);
    if (!push_encoded(L, 2)) {
        return 0;
    }
    lua_map_get_encoded(L, 1);
    return 1;
}

static int
on_newindex(lua_State *L)
{
    check(L, 1);
    lua_settop(L, 3);
    lua_map_put(L, 1);
    return 0;
}

static int
on_tostring(lua_State *L)
{
    check(L, 1);
    lua_push_text(L, 1);
    return 1;
}

void
lua_open_map(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"clone", run_clone},   {"create", run_new}, {"diff", run_diff},
        {"iterator", run_keys}, {"keys", run_keys},  {"merge", run_merge},
        {"nbytes", run_nbytes}, {"new", run_new},    {"pairs", run_pairs},
        {"remove", run_remove}, {"size", run_size},  {"tostring", on_tostring},
        {"values", run_values}, {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__index", on_index}, {"__newindex", on_newindex},
        {"__len", run_size},   {"__tostring", on_tostring},
        {NULL, NULL},
    };

    lua_open_type(L, "map", LUA_TYPE_MAP, functions, metamethods, make);
}

/* Bytes: a buffer that grows where it is written, from 1.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

enum {
    BYTES_MAX = 16 << 20,
    VAR_INT_MAX = 5 /* bytes */
};

static lua_bytes *
check(lua_State *L, int at)
{
    return lua_check_type(L, at, LUA_TYPE_BYTES);
}

/* Make the buffer at `at` hold `len` bytes; new ones are 0. */
static void
grow(lua_State *L, int at, size_t len)
{
    lua_bytes *bytes = lua_touserdata(L, at);
    size_t cap = bytes->cap * 2 > len ? bytes->cap * 2 : len;
    uint8_t *data;

    at = lua_absindex(L, at);
    if (len > BYTES_MAX) {
        luaL_error(L, "bytes are more than %d", BYTES_MAX);
    }
    if (len > bytes->cap) {
        data = lua_newuserdatauv(L, cap, 0);
        if (bytes->len != 0) {
            memcpy(data, bytes->data, bytes->len);
        }
        lua_setiuservalue(L, at, 1);
        bytes->data = data;
        bytes->cap = cap;
    }
    if (len > bytes->len) {
        memset(bytes->data + bytes->len, 0, len - bytes->len);
        bytes->len = len;
    }
}

lua_bytes *
lua_new_bytes(lua_State *L, uint8_t type, aero_span from)
{
    lua_bytes *bytes = lua_newuserdatauv(L, sizeof *bytes, 1);

    memset(bytes, 0, sizeof *bytes);
    bytes->type = type;
    luaL_setmetatable(L, LUA_TYPE_BYTES);
    if (from.len != 0) {
        grow(L, -1, from.len);
        memcpy(bytes->data, from.ptr, from.len);
    }
    return bytes;
}

/* Write at place `i`, from 1; false: there is no such place. */
static int
put(lua_State *L, lua_Integer i, const void *from, size_t len)
{
    lua_bytes *bytes = lua_touserdata(L, 1);
    bool good = i >= 1 && i <= BYTES_MAX;

    if (good && len != 0) {
        size_t end = (size_t)i - 1 + len;

        if (end > bytes->len) {
            grow(L, 1, end);
        }
        memcpy(bytes->data + i - 1, from, len);
    }
    lua_pushboolean(L, good);
    return 1;
}

/* Whether `len` bytes stand at place `i`. */
static bool
has(const lua_bytes *bytes, lua_Integer i, size_t len)
{
    return i >= 1 && (lua_Unsigned)i <= bytes->len &&
           len <= bytes->len - ((size_t)i - 1);
}

/* ---- integers ---- */

static void
write_integer(uint8_t *to, size_t size, bool little, lua_Integer value)
{
    for (size_t k = 0; k < size; k++) {
        size_t shift = 8 * (little ? k : size - 1 - k);

        to[k] = (uint8_t)((lua_Unsigned)value >> shift);
    }
}

static lua_Integer
read_integer(const uint8_t *from, size_t size, bool little)
{
    lua_Unsigned value = 0;
    unsigned unused = 64 - 8 * (unsigned)size;

    for (size_t k = 0; k < size; k++) {
        value = value << 8 | from[little ? size - 1 - k : k];
    }
    return size == 1 ? (lua_Integer)value
                     : (lua_Integer)(value << unused) >> unused;
}

/* Upvalues of the three: the size in bytes, whether the least comes first. */
static int
get_integer(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    size_t size = (size_t)lua_tointeger(L, lua_upvalueindex(1));

    if (!has(bytes, i, size)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, read_integer(bytes->data + i - 1, size,
                                    lua_toboolean(L, lua_upvalueindex(2))));
    return 1;
}

static int
put_integer(lua_State *L, lua_Integer i, lua_Integer value)
{
    size_t size = (size_t)lua_tointeger(L, lua_upvalueindex(1));
    uint8_t wire[8];

    if (size == 1 && (value < 0 || value > UINT8_MAX)) {
        lua_pushboolean(L, false);
        return 1;
    }
    write_integer(wire, size, lua_toboolean(L, lua_upvalueindex(2)), value);
    return put(L, i, wire, size);
}

static int
set_integer(lua_State *L)
{
    lua_Integer i = (check(L, 1), luaL_checkinteger(L, 2));

    return put_integer(L, i, luaL_checkinteger(L, 3));
}

static int
append_integer(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);

    return put_integer(L, (lua_Integer)bytes->len + 1,
                       luaL_checkinteger(L, 2));
}

static void
add_integer(lua_State *L, const char *name, int size, bool little)
{
    static const struct {
        const char *verb;
        lua_CFunction run;
    } verbs[] = {{"get", get_integer},
                 {"set", set_integer},
                 {"append", append_integer}};

    for (int i = 0; i < 3; i++) {
        lua_pushfstring(L, "%s_%s", verbs[i].verb, name);
        lua_pushinteger(L, size);
        lua_pushboolean(L, little);
        lua_pushcclosure(L, verbs[i].run, 2);
        lua_settable(L, -3);
    }
}

/* ---- integers of seven bits a byte, the least first ---- */

static int
put_var_int(lua_State *L, lua_Integer i, lua_Integer value)
{
    uint32_t rest = (uint32_t)value;
    uint8_t wire[VAR_INT_MAX];
    size_t len = 0;

    do {
        wire[len] = (uint8_t)(rest & 0x7f);
        rest >>= 7;
        wire[len++] |= rest != 0 ? 0x80 : 0;
    } while (rest != 0);
    put(L, i, wire, len);
    lua_pushinteger(L, lua_toboolean(L, -1) ? (lua_Integer)len : 0);
    return 1;
}

static int
set_var_int(lua_State *L)
{
    lua_Integer i = (check(L, 1), luaL_checkinteger(L, 2));

    return put_var_int(L, i, luaL_checkinteger(L, 3));
}

static int
append_var_int(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);

    return put_var_int(L, (lua_Integer)bytes->len + 1,
                       luaL_checkinteger(L, 2));
}

/* The number, and how many bytes it takes. */
static int
get_var_int(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    uint32_t value = 0;
    size_t len = 0;

    while (len < VAR_INT_MAX && has(bytes, i + (lua_Integer)len, 1)) {
        uint8_t byte = bytes->data[(size_t)i - 1 + len];

        value |= (uint32_t)(byte & 0x7f) << 7 * len;
        len++;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    lua_pushinteger(L, value);
    lua_pushinteger(L, (lua_Integer)len);
    return 2;
}

/* ---- runs of bytes ---- */

/* How many of `len` bytes from place `i` there are. */
static size_t
clamp(const lua_bytes *bytes, lua_Integer i, lua_Integer len)
{
    size_t left = has(bytes, i, 0) ? bytes->len - ((size_t)i - 1) : 0;

    return len <= 0 ? 0 : (lua_Unsigned)len < left ? (size_t)len : left;
}

static int
get_string(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    size_t len = clamp(bytes, i, luaL_checkinteger(L, 3));

    if (!has(bytes, i, 0)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, (const char *)bytes->data + i - 1, len);
    return 1;
}

static int
get_bytes(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    size_t len = clamp(bytes, i, luaL_checkinteger(L, 3));

    if (!has(bytes, i, 0)) {
        lua_pushnil(L);
        return 1;
    }
    lua_new_bytes(L, AERO_PARTICLE_BLOB,
                  aero_span_of(bytes->data + i - 1, len));
    return 1;
}

static int
put_string(lua_State *L, lua_Integer i, int at)
{
    size_t len;
    const char *text = luaL_checklstring(L, at, &len);

    return put(L, i, text, len);
}

static int
set_string(lua_State *L)
{
    lua_Integer i = (check(L, 1), luaL_checkinteger(L, 2));

    return put_string(L, i, 3);
}

static int
append_string(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);

    return put_string(L, (lua_Integer)bytes->len + 1, 2);
}

/* At most so many bytes of another, which may be itself. */
static int
put_bytes(lua_State *L, lua_Integer i, int at)
{
    const lua_bytes *from = check(L, at);
    lua_Integer most = luaL_optinteger(L, at + 1, (lua_Integer)from->len);
    size_t len = most < 0                         ? 0
                 : (lua_Unsigned)most < from->len ? (size_t)most
                                                  : from->len;

    lua_pushlstring(L, len != 0 ? (const char *)from->data : "", len);
    return put(L, i, lua_tostring(L, -1), len);
}

static int
set_bytes(lua_State *L)
{
    lua_Integer i = (check(L, 1), luaL_checkinteger(L, 2));

    return put_bytes(L, i, 3);
}

static int
append_bytes(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);

    return put_bytes(L, (lua_Integer)bytes->len + 1, 2);
}

/* ---- the whole ---- */

static int
make(lua_State *L)
{
    if (!lua_isnone(L, 2)) {
        luaL_checkinteger(L, 2); /* a size it may grow to; it does anyhow */
    }
    lua_new_bytes(L, AERO_PARTICLE_BLOB, aero_span_of(NULL, 0));
    return 1;
}

static int
run_size(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L, 1)->len);
    return 1;
}

/* It can only become shorter, or as long as it ever was. */
static int
set_size(lua_State *L)
{
    lua_bytes *bytes = check(L, 1);
    lua_Integer size = luaL_checkinteger(L, 2);
    bool good = size >= 0 && (lua_Unsigned)size <= bytes->cap;

    if (good && (size_t)size < bytes->len) {
        bytes->len = (size_t)size;
    }
    lua_pushboolean(L, good);
    return 1;
}

static int
get_type(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->type);
    return 1;
}

/* Only what is opaque to the server: a blob of some language. */
static int
set_type(lua_State *L)
{
    lua_bytes *bytes = check(L, 1);
    lua_Integer type = luaL_checkinteger(L, 2);
    bool good = type == AERO_PARTICLE_BLOB || (type >= 7 && type <= 12) ||
                type == AERO_PARTICLE_HLL;

    if (good) {
        bytes->type = (uint8_t)type;
    }
    lua_pushboolean(L, good);
    return 1;
}

/* ---- metamethods ---- */

static int
on_index(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);

    if (!has(bytes, i, 1)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, bytes->data[i - 1]);
    return 1;
}

static int
on_newindex(lua_State *L)
{
    lua_Integer i = (check(L, 1), luaL_checkinteger(L, 2));
    lua_Integer value = luaL_checkinteger(L, 3);
    uint8_t byte = (uint8_t)value;

    if (value >= 0 && value <= UINT8_MAX) {
        put(L, i, &byte, 1);
    }
    return 0;
}

static int
on_tostring(lua_State *L)
{
    const lua_bytes *bytes = check(L, 1);
    luaL_Buffer text;

    if (bytes->len == 0) {
        lua_pushliteral(L, "Bytes()");
        return 1;
    }
    luaL_buffinit(L, &text);
    for (size_t i = 0; i < bytes->len; i++) {
        const char *digits = "0123456789ABCDEF";

        if (i != 0) {
            luaL_addchar(&text, ' ');
        }
        luaL_addchar(&text, digits[bytes->data[i] >> 4]);
        luaL_addchar(&text, digits[bytes->data[i] & 15]);
    }
    luaL_pushresult(&text);
    return 1;
}

static const struct {
    const char *name;
    int size;
    bool little;
} integers[] = {
    {"byte", 1, false},    {"int16", 2, false}, {"int16_be", 2, false},
    {"int16_le", 2, true}, {"int32", 4, false}, {"int32_be", 4, false},
    {"int32_le", 4, true}, {"int64", 8, false}, {"int64_be", 8, false},
    {"int64_le", 8, true},
};

void
lua_open_bytes(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"append_bytes", append_bytes},
        {"append_string", append_string},
        {"append_var_int", append_var_int},
        {"get_bytes", get_bytes},
        {"get_string", get_string},
        {"get_type", get_type},
        {"get_var_int", get_var_int},
        {"set_bytes", set_bytes},
        {"set_size", set_size},
        {"set_string", set_string},
        {"set_type", set_type},
        {"set_var_int", set_var_int},
        {"size", run_size},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__index", on_index}, {"__newindex", on_newindex},
        {"__len", run_size},   {"__tostring", on_tostring},
        {NULL, NULL},
    };

    lua_open_type(L, "bytes", LUA_TYPE_BYTES, functions, metamethods, make);
    lua_getglobal(L, "bytes");
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        add_integer(L, integers[i].name, integers[i].size, integers[i].little);
    }
    lua_pop(L, 1);
}

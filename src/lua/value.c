/* Values between particles, packed items and Lua.
 *
 *   integer float bool string   as Lua has them
 *   blob list map geojson       userdata of types of their own
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/value.h"
#include "internal.h"

void *
lua_check_type(lua_State *L, int at, const char *type)
{
    void *found = luaL_testudata(L, at, type);

    if (found == NULL) {
        luaL_typeerror(L, at, lua_isuserdata(L, at) ? type : "userdata");
    }
    return found;
}

void
lua_open_type(lua_State *L, const char *name, const char *type,
              const luaL_Reg *functions, const luaL_Reg *metamethods,
              lua_CFunction make)
{
    luaL_newmetatable(L, type);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushliteral(L, "locked"); /* scripts cannot reach it */
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    if (make != NULL) {
        lua_newtable(L);
        lua_pushcfunction(L, make); /* its first argument is the table */
        lua_setfield(L, -2, "__call");
        lua_setmetatable(L, -2);
    }
    lua_setglobal(L, name);
}

/* ---- in ---- */

static int
geojson_text(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
    lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
    return 1;
}

static void push_geojson(lua_State *L, aero_span text);

static int
make_geojson(lua_State *L)
{
    push_geojson(L, aero_span_str(luaL_checkstring(L, 2)));
    return 1;
}

void
lua_open_geojson(lua_State *L)
{
    static const luaL_Reg functions[] = {{NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__tostring", geojson_text},
                                           {NULL, NULL}};

    lua_open_type(L, "geojson", LUA_TYPE_GEOJSON, functions, metamethods,
                  make_geojson);
}

static void
push_geojson(lua_State *L, aero_span text)
{
    lua_newuserdatauv(L, 0, 1);
    lua_pushlstring(L, (const char *)text.ptr, text.len);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, LUA_TYPE_GEOJSON);
}

static void
push_span(lua_State *L, aero_span span)
{
    lua_pushlstring(L, span.len != 0 ? (const char *)span.ptr : "", span.len);
}

static bool
push_raw(lua_State *L, aero_span bytes)
{
    uint8_t particle = bytes.len != 0 ? bytes.ptr[0] : 0;
    aero_span rest = aero_span_skip(bytes, bytes.len != 0);

    if (particle == AERO_PARTICLE_STRING) {
        push_span(L, rest);
    }
    else if (particle == AERO_PARTICLE_GEOJSON) {
        push_geojson(L, rest);
    }
    else {
        lua_new_bytes(L, particle, rest);
    }
    return true;
}

static bool
push_list(lua_State *L, aero_span *in, uint32_t count, unsigned depth)
{
    uint8_t flags;

    lua_new_list(L);
    if (!aero_token_take_flags(in, false, &count, &flags)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!lua_push_packed(L, in, depth + 1)) {
            lua_pop(L, 1);
            return false;
        }
        lua_list_put(L, -2);
    }
    return true;
}

static bool
push_map(lua_State *L, aero_span *in, uint32_t count, unsigned depth)
{
    uint8_t flags;

    lua_new_map(L);
    if (!aero_token_take_flags(in, true, &count, &flags)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!lua_push_packed(L, in, depth + 1)) {
            lua_pop(L, 1);
            return false;
        }
        if (!lua_push_packed(L, in, depth + 1)) {
            lua_pop(L, 2);
            return false;
        }
        lua_map_put(L, -3);
    }
    return true;
}

bool
lua_push_packed(lua_State *L, aero_span *in, unsigned depth)
{
    aero_token token;

    luaL_checkstack(L, 8, "a value is nested too deep");
    if (depth > LUA_DEPTH_MAX) {
        luaL_error(L, "a value is nested deeper than %d", LUA_DEPTH_MAX);
    }
    if (!aero_token_take(in, &token)) {
        lua_pushnil(L);
        return false;
    }
    switch (token.kind) {
    case AERO_TOKEN_BOOL:
        lua_pushboolean(L, token.truth);
        return true;
    case AERO_TOKEN_INT:
        lua_pushinteger(L, token.number);
        return true;
    case AERO_TOKEN_UINT:
        lua_pushinteger(L, (lua_Integer)token.big);
        return true;
    case AERO_TOKEN_DOUBLE:
        lua_pushnumber(L, token.real);
        return true;
    case AERO_TOKEN_RAW:
        return push_raw(L, token.bytes);
    case AERO_TOKEN_LIST:
        return push_list(L, in, token.count, depth);
    case AERO_TOKEN_MAP:
        return push_map(L, in, token.count, depth);
    default:
        lua_pushnil(L);
        return true;
    }
}

static double
real_of(aero_span bytes)
{
    uint64_t bits = aero_get_u64(bytes.ptr);
    double real;

    memcpy(&real, &bits, sizeof real);
    return real;
}

bool
lua_push_value(lua_State *L, const aero_lua_value *value)
{
    aero_span bytes = value->bytes;
    aero_span text;

    if ((value->particle == AERO_PARTICLE_INTEGER ||
         value->particle == AERO_PARTICLE_FLOAT) &&
        bytes.len != 8) {
        lua_pushnil(L);
        return false;
    }
    switch (value->particle) {
    case AERO_PARTICLE_NIL:
        lua_pushnil(L);
        return true;
    case AERO_PARTICLE_INTEGER:
        lua_pushinteger(L, (lua_Integer)aero_get_u64(bytes.ptr));
        return true;
    case AERO_PARTICLE_FLOAT:
        lua_pushnumber(L, real_of(bytes));
        return true;
    case AERO_PARTICLE_BOOL:
        lua_pushboolean(L, bytes.len != 0 && bytes.ptr[0] != 0);
        return true;
    case AERO_PARTICLE_STRING:
        push_span(L, bytes);
        return true;
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
        return lua_push_packed(L, &bytes, 0);
    case AERO_PARTICLE_GEOJSON:
        if (aero_geojson_take(bytes, &text)) {
            push_geojson(L, text);
            return true;
        }
        lua_pushnil(L);
        return false;
    default:
        lua_new_bytes(L, value->particle, bytes);
        return true;
    }
}

/* ---- out ---- */

/* Strings end at their first zero, as they do on the real server. */
static aero_span
text_at(lua_State *L, int at)
{
    return aero_span_str(lua_tostring(L, at));
}

static aero_span
geojson_at(lua_State *L, int at)
{
    aero_span text;
    size_t len;

    lua_getiuservalue(L, at, 1);
    text.ptr = (const uint8_t *)lua_tolstring(L, -1, &len);
    text.len = len;
    lua_pop(L, 1); /* the userdata keeps it */
    return text;
}

bool
lua_is_value(lua_State *L, int at)
{
    switch (lua_type(L, at)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        return true;
    case LUA_TUSERDATA:
        return luaL_testudata(L, at, LUA_TYPE_RECORD) == NULL &&
               luaL_getmetafield(L, at, "__name") != LUA_TNIL &&
               (lua_pop(L, 1), true);
    default:
        return false;
    }
}

static void
take_list(lua_State *L, int at, aero_buf *out, unsigned depth)
{
    const lua_list *list = lua_touserdata(L, at);
    lua_Integer count = list->count;

    lua_cage_look(L);
    aero_pack_list(out, (uint32_t)count);
    lua_getiuservalue(L, at, 1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_take_packed(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void
take_map(lua_State *L, int at, aero_buf *out, unsigned depth)
{
    lua_Integer count = lua_map_keys(L, at);

    lua_cage_look(L);
    aero_pack_map(out, (uint32_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_pushvalue(L, -1);
        lua_map_decode_key(L);
        lua_take_packed(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
        lua_map_get_encoded(L, at);
        lua_take_packed(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void
take_packed_userdata(lua_State *L, int at, aero_buf *out, unsigned depth)
{
    const lua_bytes *bytes = luaL_testudata(L, at, LUA_TYPE_BYTES);

    if (bytes != NULL) {
        aero_pack_raw(out, bytes->type, aero_span_of(bytes->data, bytes->len));
    }
    else if (luaL_testudata(L, at, LUA_TYPE_LIST) != NULL) {
        take_list(L, at, out, depth);
    }
    else if (luaL_testudata(L, at, LUA_TYPE_MAP) != NULL) {
        take_map(L, at, out, depth);
    }
    else if (luaL_testudata(L, at, LUA_TYPE_GEOJSON) != NULL) {
        aero_pack_raw(out, AERO_PARTICLE_GEOJSON, geojson_at(L, at));
    }
    else {
        aero_pack_nil(out);
    }
}

void
lua_take_packed(lua_State *L, int at, aero_buf *out, unsigned depth)
{
    luaL_checkstack(L, 8, "a value is nested too deep");
    if (depth > LUA_DEPTH_MAX) {
        luaL_error(L, "a value is nested deeper than %d", LUA_DEPTH_MAX);
    }
    if (out->failed || out->len > LUA_VALUE_MAX) {
        luaL_error(L, "a value is too large");
    }
    switch (lua_type(L, at)) {
    case LUA_TBOOLEAN:
        aero_pack_bool(out, lua_toboolean(L, at));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, at)) {
            aero_pack_int(out, lua_tointeger(L, at));
        }
        else {
            aero_pack_double(out, lua_tonumber(L, at));
        }
        break;
    case LUA_TSTRING:
        aero_pack_raw(out, AERO_PARTICLE_STRING, text_at(L, at));
        break;
    case LUA_TUSERDATA:
        take_packed_userdata(L, at, out, depth);
        break;
    default:
        aero_pack_nil(out);
    }
}

lua_Integer
lua_packed_size(lua_State *L, int at)
{
    aero_buf *scratch = &lua_cage_of(L)->scratch;

    aero_buf_reset(scratch, LUA_LOG_MAX);
    lua_take_packed(L, at, scratch, 0);
    return (lua_Integer)scratch->len;
}

static bool
take_userdata(lua_State *L, int at, uint8_t *particle, aero_buf *out)
{
    const lua_bytes *bytes = luaL_testudata(L, at, LUA_TYPE_BYTES);

    if (bytes != NULL) {
        *particle = bytes->type;
        aero_buf_put(out, bytes->data, bytes->len);
    }
    else if (luaL_testudata(L, at, LUA_TYPE_GEOJSON) != NULL) {
        *particle = AERO_PARTICLE_GEOJSON;
        aero_geojson_put(out, geojson_at(L, at));
    }
    else if (luaL_testudata(L, at, LUA_TYPE_LIST) != NULL ||
             luaL_testudata(L, at, LUA_TYPE_MAP) != NULL) {
        *particle = luaL_testudata(L, at, LUA_TYPE_LIST) != NULL
                        ? AERO_PARTICLE_LIST
                        : AERO_PARTICLE_MAP;
        lua_take_packed(L, at, out, 0);
    }
    else {
        return false;
    }
    return true;
}

bool
lua_take_particle(lua_State *L, int at, uint8_t *particle, aero_buf *out)
{
    at = lua_absindex(L, at);
    *particle = AERO_PARTICLE_NIL;
    switch (lua_type(L, at)) {
    case LUA_TNIL:
        return true;
    case LUA_TBOOLEAN:
        *particle = AERO_PARTICLE_BOOL;
        aero_buf_put_u8(out, (uint8_t)lua_toboolean(L, at));
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, at)) {
            *particle = AERO_PARTICLE_INTEGER;
            aero_buf_put_u64(out, (uint64_t)lua_tointeger(L, at));
        }
        else {
            *particle = AERO_PARTICLE_FLOAT;
            aero_buf_put_f64(out, lua_tonumber(L, at));
        }
        return true;
    case LUA_TSTRING:
        *particle = AERO_PARTICLE_STRING;
        aero_buf_put_span(out, text_at(L, at));
        return true;
    case LUA_TUSERDATA:
        return take_userdata(L, at, particle, out);
    default:
        return false;
    }
}

void
lua_take_value(lua_State *L, int at, aero_buf *out)
{
    size_t head = out->len;
    size_t mark;
    uint8_t particle;

    aero_buf_put_u8(out, AERO_PARTICLE_NIL);
    mark = aero_buf_mark_u32(out);
    lua_take_particle(L, at, &particle, out);
    aero_buf_patch_u32(out, mark);
    if (out->failed) {
        luaL_error(L, "not enough memory");
    }
    out->ptr[head] = particle;
}

/* ---- texts ---- */

static void
put_list_text(lua_State *L, luaL_Buffer *out, int at, unsigned depth)
{
    const lua_list *list = lua_touserdata(L, at);
    const char *mark = "";

    luaL_addchar(out, '[');
    for (lua_Integer i = 1; i <= list->count; i++) {
        luaL_addstring(out, mark);
        lua_getiuservalue(L, at, 1);
        lua_rawgeti(L, -1, i);
        lua_remove(L, -2);
        lua_put_text(L, out, lua_gettop(L), depth + 1);
        mark = ", ";
    }
    luaL_addchar(out, ']');
}

/* The keys lie at `keys`, below the buffer's own place on the stack. */
static void
put_map_text(lua_State *L, luaL_Buffer *out, int at, int keys, unsigned depth)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, keys);
    const char *mark = "";

    luaL_addchar(out, '{');
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_addstring(out, mark);
        lua_rawgeti(L, keys, i);
        lua_map_decode_key(L);
        lua_put_text(L, out, lua_gettop(L), depth + 1);
        luaL_addchar(out, ':');
        lua_rawgeti(L, keys, i);
        lua_map_get_encoded(L, at);
        lua_put_text(L, out, lua_gettop(L), depth + 1);
        mark = ", ";
    }
    luaL_addchar(out, '}');
}

/* A buffer may keep something on the stack, so what is nested is turned into
 * a text of its own first. */
static void
push_nested(lua_State *L, int at, unsigned depth)
{
    luaL_Buffer inner;
    int keys;

    lua_cage_look(L);
    if (luaL_testudata(L, at, LUA_TYPE_LIST) != NULL) {
        luaL_buffinit(L, &inner);
        put_list_text(L, &inner, at, depth);
    }
    else {
        lua_map_keys(L, at);
        keys = lua_gettop(L);
        luaL_buffinit(L, &inner);
        put_map_text(L, &inner, at, keys, depth);
    }
    luaL_pushresult(&inner);
}

/* The value on top of the stack (at `at`) becomes a text and is added. */
void
lua_put_text(lua_State *L, luaL_Buffer *out, int at, unsigned depth)
{
    luaL_checkstack(L, 16, "a value is nested too deep");
    if (depth > LUA_DEPTH_MAX) {
        luaL_error(L, "a value is nested deeper than %d", LUA_DEPTH_MAX);
    }
    if (luaL_testudata(L, at, LUA_TYPE_LIST) != NULL ||
        luaL_testudata(L, at, LUA_TYPE_MAP) != NULL) {
        push_nested(L, at, depth);
    }
    else if (lua_type(L, at) == LUA_TSTRING) {
        lua_pushfstring(L, "\"%s\"", lua_tostring(L, at));
    }
    else {
        luaL_tolstring(L, at, NULL);
    }
    lua_replace(L, at);
    lua_settop(L, at);
    luaL_addvalue(out);
}

void
lua_push_text(lua_State *L, int at)
{
    push_nested(L, lua_absindex(L, at), 0);
}

/* Lists: items from 1, with gaps that are nil.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

enum {
    LIST_MAX = 1 << 24 /* items */
};

static lua_list *
check(lua_State *L, int at)
{
    return lua_check_type(L, at, LUA_TYPE_LIST);
}

lua_list *
lua_new_list(lua_State *L)
{
    lua_list *list = lua_newuserdatauv(L, sizeof *list, 1);

    list->count = 0;
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, LUA_TYPE_LIST);
    return list;
}

/* Push item `i`. */
static void
get(lua_State *L, int at, lua_Integer i)
{
    lua_getiuservalue(L, at, 1);
    lua_rawgeti(L, -1, i);
    lua_remove(L, -2);
}

/* Set item `i` to the value on top, which is popped; what no list can hold
 * becomes nil. */
static void
set(lua_State *L, int at, lua_Integer i)
{
    lua_list *list = lua_touserdata(L, at);

    at = lua_absindex(L, at);
    if (i > LIST_MAX) {
        luaL_error(L, "a list has more than %d items", LIST_MAX);
    }
    if (!lua_is_value(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_getiuservalue(L, at, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, i);
    lua_pop(L, 1);
    if (i > list->count) {
        list->count = i;
    }
}

void
lua_list_put(lua_State *L, int at)
{
    const lua_list *list = lua_touserdata(L, at);

    set(L, at, list->count + 1);
}

/* Move the items from `from` on by `by` places. */
static void
move(lua_State *L, int at, lua_Integer from, lua_Integer by)
{
    lua_list *list = lua_touserdata(L, at);
    lua_Integer n = list->count;

    if (n + by > LIST_MAX) {
        luaL_error(L, "a list has more than %d items", LIST_MAX);
    }
    lua_getiuservalue(L, at, 1);
    for (lua_Integer k = 0; k <= n - from; k++) {
        lua_Integer i = by > 0 ? n - k : from + k;

        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + by);
    }
    for (lua_Integer i = n + by + 1; i <= n; i++) {
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 1);
    list->count = n + by;
}

/* Add the items from `from` to `to` of one list to the list on top. */
static void
copy(lua_State *L, int at, lua_Integer from, lua_Integer to)
{
    for (lua_Integer i = from; i <= to; i++) {
        get(L, at, i);
        lua_list_put(L, -2);
    }
}

/* ---- functions ---- */

static int
make(lua_State *L)
{
    lua_Integer count;

    lua_new_list(L);
    if (lua_istable(L, 2)) {
        count = (lua_Integer)lua_rawlen(L, 2);
        for (lua_Integer i = 1; i <= count; i++) {
            if (lua_rawgeti(L, 2, i) == LUA_TNIL) {
                lua_pop(L, 2);
            }
            else {
                lua_list_put(L, -2);
            }
        }
    }
    return 1;
}

static int
run_new(lua_State *L)
{
    lua_new_list(L);
    return 1;
}

static int
run_size(lua_State *L)
{
    lua_pushinteger(L, check(L, 1)->count);
    return 1;
}

static int
run_append(lua_State *L)
{
    check(L, 1);
    lua_settop(L, 2);
    lua_list_put(L, 1);
    return 0;
}

static int
run_insert(lua_State *L)
{
    const lua_list *list = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);

    lua_settop(L, 3);
    if (i >= 1) {
        if (i <= list->count) {
            move(L, 1, i, 1);
        }
        set(L, 1, i);
    }
    return 0;
}

static int
run_prepend(lua_State *L)
{
    const lua_list *list = check(L, 1);

    lua_settop(L, 2);
    if (list->count > 0) {
        move(L, 1, 1, 1);
    }
    set(L, 1, 1);
    return 0;
}

static int
run_remove(lua_State *L)
{
    const lua_list *list = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);

    if (i >= 1 && i <= list->count) {
        move(L, 1, i + 1, -1);
    }
    return 0;
}

/* Items from a place on go. */
static int
run_trim(lua_State *L)
{
    lua_list *list = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);

    if (i >= 1 && i <= list->count) {
        lua_getiuservalue(L, 1, 1);
        for (lua_Integer k = i; k <= list->count; k++) {
            lua_pushnil(L);
            lua_rawseti(L, -2, k);
        }
        list->count = i - 1;
    }
    return 0;
}

static int
run_take(lua_State *L)
{
    const lua_list *list = check(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);

    if (n <= 0) {
        return 0;
    }
    lua_new_list(L);
    copy(L, 1, 1, n < list->count ? n : list->count);
    return 1;
}

static int
run_drop(lua_State *L)
{
    const lua_list *list = check(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);

    if (n < 0) {
        return 0;
    }
    lua_new_list(L);
    if (n < list->count) {
        copy(L, 1, n + 1, list->count);
    }
    return 1;
}

static int
run_concat(lua_State *L)
{
    lua_Integer count;

    check(L, 1);
    count = check(L, 2)->count;
    lua_pushvalue(L, 1);
    copy(L, 2, 1, count);
    return 0;
}

static int
run_clone(lua_State *L)
{
    const lua_list *list = check(L, 1);

    lua_new_list(L);
    copy(L, 1, 1, list->count);
    return 1;
}

static int
run_merge(lua_State *L)
{
    const lua_list *list = check(L, 1);
    const lua_list *other = check(L, 2);

    lua_new_list(L);
    copy(L, 1, 1, list->count);
    copy(L, 2, 1, other->count);
    return 1;
}

/* The list and the place are upvalues.  Nil would end the loop of a script,
 * so gaps are left out. */
static int
step(lua_State *L)
{
    int at = lua_upvalueindex(1);
    const lua_list *list = lua_touserdata(L, at);
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));

    lua_pushnil(L);
    while (lua_isnil(L, -1) && i < list->count) {
        lua_pop(L, 1);
        get(L, at, ++i);
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(2));
    return 1;
}

static int
run_iterator(lua_State *L)
{
    check(L, 1);
    lua_settop(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step, 2);
    return 1;
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
    const lua_list *list = check(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);

    if (i < 1 || i > list->count) {
        return 0;
    }
    get(L, 1, i);
    return 1;
}

static int
on_newindex(lua_State *L)
{
    lua_Integer i = (check(L, 1), luaL_checkinteger(L, 2));

    lua_settop(L, 3);
    if (i >= 1 && lua_is_value(L, 3)) {
        set(L, 1, i);
    }
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
lua_open_list(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"append", run_append},
        {"clone", run_clone},
        {"concat", run_concat},
        {"create", run_new},
        {"drop", run_drop},
        {"insert", run_insert},
        {"iterator", run_iterator},
        {"merge", run_merge},
        {"nbytes", run_nbytes},
        {"new", run_new},
        {"prepend", run_prepend},
        {"remove", run_remove},
        {"size", run_size},
        {"take", run_take},
        {"tostring", on_tostring},
        {"trim", run_trim},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__index", on_index}, {"__newindex", on_newindex},
        {"__len", run_size},   {"__tostring", on_tostring},
        {NULL, NULL},
    };

    lua_open_type(L, "list", LUA_TYPE_LIST, functions, metamethods, make);
}

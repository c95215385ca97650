/* The cage: how much a script may take, and what it can reach.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "internal.h"

enum {
    LOOK_EVERY = 10000 /* instructions between two looks at the clock */
};

/* ---- memory ---- */

static void *
resize(void *data, void *ptr, size_t old, size_t size)
{
    lua_cage *cage = data;
    void *now;

    if (ptr == NULL) {
        old = 0; /* then it says what kind of object it is */
    }
    if (size == 0) {
        aero_free(ptr);
        cage->used -= old;
        return NULL;
    }
    if (size > old && size - old > cage->most - cage->used) {
        return NULL;
    }
    now = aero_resize(ptr, size);
    if (now != NULL) {
        cage->used += size - old;
    }
    return now;
}

lua_cage *
lua_cage_of(lua_State *L)
{
    void *data;

    lua_getallocf(L, &data);
    return data;
}

/* ---- time ---- */

/* Once time is over, every instruction is an error, so that no handler of
 * errors can go on. */
static void
on_count(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_cage_look(L);
}

void
lua_cage_look(lua_State *L)
{
    if (aero_clock_now() >= lua_cage_of(L)->ends_ns) {
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
        luaL_error(L, "the script ran too long");
    }
}

void
lua_cage_start(lua_cage *cage, uint32_t ms)
{
    cage->ends_ns =
        aero_clock_after(aero_clock_now(), ms != 0 ? ms : AERO_LUA_MS);
    aero_buf_reset(&cage->log, LUA_LOG_MAX);
    lua_sethook(cage->L, on_count, LUA_MASKCOUNT, LOOK_EVERY);
}

/* ---- modules ---- */

static aero_span
without_suffix(aero_span name)
{
    if (name.len > 4 && memcmp(name.ptr + name.len - 4, ".lua", 4) == 0) {
        name.len -= 4;
    }
    return name;
}

lua_module *
lua_cage_find(const lua_cage *cage, aero_span name)
{
    name = without_suffix(name);
    for (lua_module *m = cage->modules; m != NULL; m = m->next) {
        if (aero_span_is(name, m->name)) {
            return m;
        }
    }
    return NULL;
}

static void
free_module(lua_module *m)
{
    aero_free(m->name);
    aero_free(m->source);
    aero_free(m);
}

static void
drop_module(lua_cage *cage, lua_module *module)
{
    lua_module **link = &cage->modules;

    while (*link != module) {
        link = &(*link)->next;
    }
    *link = module->next;
    free_module(module);
}

bool
lua_cage_add(lua_cage *cage, aero_span name, aero_span source)
{
    lua_module *old = lua_cage_find(cage, name);
    lua_module *m = aero_zalloc(sizeof *m);

    name = without_suffix(name);
    if (m == NULL) {
        return false;
    }
    m->name = aero_strndup(name.ptr, name.len);
    m->source = aero_strndup(source.ptr, source.len);
    m->len = source.len;
    if (m->name == NULL || m->source == NULL) {
        free_module(m);
        return false;
    }
    if (old != NULL) {
        drop_module(cage, old);
    }
    m->next = cage->modules;
    cage->modules = m;
    return true;
}

/* What was loaded is kept in a table of the registry, by name. */
static const char loaded_key;

void
lua_cage_require(lua_State *L, const char *name)
{
    lua_module *m = lua_cage_find(lua_cage_of(L), aero_span_str(name));

    if (m == NULL) {
        luaL_error(L, "module '%s' not found", name);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    if (lua_getfield(L, -1, m->name) != LUA_TNIL) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, 1);
    lua_pushfstring(L, "@%s.lua", m->name);
    if (luaL_loadbufferx(L, m->source, m->len, lua_tostring(L, -1), "t") !=
        LUA_OK) {
        lua_error(L);
    }
    lua_remove(L, -2);
    lua_pushboolean(L, true); /* for a module that requires itself */
    lua_setfield(L, -3, m->name);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, true);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, m->name);
    lua_remove(L, -2);
}

static int
run_require(lua_State *L)
{
    lua_cage_require(L, luaL_checkstring(L, 1));
    return 1;
}

/* ---- what scripts reach ---- */

/* Finalizers run where no hook is called, so there are none. */
static int
run_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2,
                     "nil or table");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_error(L, "a finalizer cannot be set");
        }
        lua_pop(L, 1);
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
        return luaL_error(L, "cannot change a protected metatable");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* Texts only: a binary chunk can do anything. */
static int
run_load(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *name = luaL_optstring(L, 2, text);
    bool has_env = !lua_isnone(L, 4);

    if (luaL_loadbufferx(L, text, len, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_env) {
        lua_pushvalue(L, 4);
        lua_setupvalue(L, -2, 1);
    }
    return 1;
}

static int
run_collectgarbage(lua_State *L)
{
    static const char *const may[] = {"collect", "count", "step", NULL};

    switch (luaL_checkoption(L, 1, "collect", may)) {
    case 1:
        lua_pushnumber(L, (lua_Number)lua_cage_of(L)->used / 1024);
        break;
    case 2:
        lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0));
        break;
    default:
        lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT));
    }
    return 1;
}

/* ---- what they say ---- */

static void
say(lua_State *L, int level, const char *text)
{
    aero_buf *log = &lua_cage_of(L)->log;

    if (log->len < LUA_LOG_MAX) {
        aero_buf_put_u8(log, (uint8_t)level);
        aero_buf_put(log, text, strlen(text) + 1);
    }
}

/* info("%s", what) and its like: the level is an upvalue. */
static int
run_say(lua_State *L)
{
    int level = (int)lua_tointeger(L, lua_upvalueindex(1));

    lua_pushvalue(L, lua_upvalueindex(2)); /* string.format */
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    say(L, level, lua_tostring(L, -1));
    return 0;
}

static int
run_print(lua_State *L)
{
    luaL_Buffer text;
    int count = lua_gettop(L);

    luaL_buffinit(L, &text);
    for (int i = 1; i <= count; i++) {
        if (i > 1) {
            luaL_addchar(&text, '\t');
        }
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    say(L, 2, lua_tostring(L, -1));
    return 0;
}

/* aerospike:log(level, text) */
static int
run_log(lua_State *L)
{
    say(L, (int)luaL_optinteger(L, 2, 1), luaL_optstring(L, 3, ""));
    return 0;
}

static void
open_logs(lua_State *L)
{
    static const char *const names[] = {"warn", "info", "debug", "trace"};

    for (int i = 0; i < 4; i++) {
        lua_pushinteger(L, i + 1);
        lua_getglobal(L, "string");
        lua_getfield(L, -1, "format");
        lua_remove(L, -2);
        lua_pushcclosure(L, run_say, 2);
        lua_setglobal(L, names[i]);
    }
    lua_getglobal(L, "aerospike");
    luaL_getmetafield(L, -1, "__index");
    lua_pushcfunction(L, run_log);
    lua_setfield(L, -2, "log");
    lua_pop(L, 2);
}

static void
keep_fields(lua_State *L, const char *name, const char *const *keep)
{
    lua_getglobal(L, name);
    lua_newtable(L);
    for (; *keep != NULL; keep++) {
        lua_getfield(L, -2, *keep);
        lua_setfield(L, -2, *keep);
    }
    lua_setglobal(L, name);
    lua_pop(L, 1);
}

static void
close_doors(lua_State *L)
{
    static const char *const gone[] = {"dofile", "loadfile", "package"};
    static const char *const of_os[] = {"clock", "date", "difftime", "time",
                                        NULL};
    static const luaL_Reg ours[] = {
        {"require", run_require}, {"setmetatable", run_setmetatable},
        {"load", run_load},       {"collectgarbage", run_collectgarbage},
        {"print", run_print},     {NULL, NULL},
    };

    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        lua_pushnil(L);
        lua_setglobal(L, gone[i]);
    }
    keep_fields(L, "os", of_os);
    lua_getglobal(L, "string");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
    lua_pushglobaltable(L);
    luaL_setfuncs(L, ours, 0);
    lua_pop(L, 1);
}

static int
open_all(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},          {LUA_TABLIBNAME, luaopen_table},
        {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},    {LUA_OSLIBNAME, luaopen_os},
        {LUA_COLIBNAME, luaopen_coroutine},
    };

    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    close_doors(L);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_open_list(L);
    lua_open_map(L);
    lua_open_bytes(L);
    lua_open_geojson(L);
    lua_open_record(L);
    open_logs(L);
    if (luaL_loadbufferx(L, lua_prelude, strlen(lua_prelude), "@aerospike.lua",
                         "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 0);
    return 0;
}

/* The default would end the process; this is never reached, since all runs
 * protected. */
static int
on_panic(lua_State *L)
{
    (void)L;
    return 0;
}

bool
lua_cage_init(lua_cage *cage, size_t most)
{
    memset(cage, 0, sizeof *cage);
    cage->most = most != 0 ? most : AERO_LUA_MEMORY;
    cage->L = lua_newstate(resize, cage);
    if (cage->L == NULL) {
        return false;
    }
    lua_atpanic(cage->L, on_panic);
    lua_pushcfunction(cage->L, open_all);
    if (lua_pcall(cage->L, 0, 0, 0) != LUA_OK) {
        lua_cage_fini(cage);
        return false;
    }
    return true;
}

void
lua_cage_fini(lua_cage *cage)
{
    if (cage->L != NULL) {
        lua_close(cage->L);
        cage->L = NULL;
    }
    while (cage->modules != NULL) {
        lua_module *m = cage->modules;

        cage->modules = m->next;
        free_module(m);
    }
    aero_buf_fini(&cage->log);
    aero_buf_fini(&cage->scratch);
}

/* Calls: from what is asked to what became of it.  All of it runs protected,
 * on the cage's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "aero/wire/value.h"
#include "internal.h"

enum {
    TRACE_LEVEL = 1
};

typedef struct run {
    lua_cage *cage;
    const aero_lua_call *call;
    aero_lua_result *result;
    lua_record record; /* of a record function, or the one a stream is at */
    size_t at;         /* in the input of a stream */
} run;

static const aero_lua_record no_record;

/* ---- errors ---- */

static bool
ends_with_number(const char *text)
{
    size_t len = strlen(text);
    size_t digits = 0;

    while (digits < len && isdigit((unsigned char)text[len - 1 - digits])) {
        digits++;
    }
    return digits != 0 && digits < len && text[len - 1 - digits] == ':';
}

/* Adds a traceback, unless the text ends with a number behind a colon: then
 * clients read that as a code. */
static int
on_error(lua_State *L)
{
    const char *text = lua_tostring(L, 1);

    if (text == NULL || lua_type(L, 1) != LUA_TSTRING ||
        ends_with_number(text)) {
        return 1;
    }
    luaL_traceback(L, L, text, TRACE_LEVEL);
    if (strstr(lua_tostring(L, -1), ".lua:") == NULL) {
        lua_settop(L, 1); /* no script was there yet */
    }
    return 1;
}

/* A traceback that is too long loses its end, a text never. */
static void
put_text(aero_lua_result *result, const char *text)
{
    size_t len = strlen(text);

    if (len >= sizeof result->text) {
        len = sizeof result->text - 1;
    }
    memcpy(result->text, text, len);
    result->text[len] = '\0';
}

static void
fail(run *r)
{
    lua_State *L = r->cage->L;

    r->result->code = AERO_ERR_UDF;
    r->result->change = AERO_LUA_KEPT;
    put_text(r->result, lua_type(L, -1) == LUA_TSTRING
                            ? lua_tostring(L, -1)
                            : "result value type unexpected");
    lua_pop(L, 1);
}

/* ---- functions and arguments ---- */

/* Push the function; an error when there is none. */
static void
push_function(run *r)
{
    lua_State *L = r->cage->L;
    lua_module *module = lua_cage_find(r->cage, r->call->module);

    if (module == NULL) {
        luaL_error(L, "UDF: Execution Error 1");
        return;
    }
    lua_cage_require(L, module->name);
    lua_pop(L, 1);
    lua_pushglobaltable(L);
    lua_pushlstring(L, (const char *)r->call->function.ptr,
                    r->call->function.len);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_isfunction(L, -1)) {
        lua_pushliteral(L, "function not found");
        lua_error(L);
    }
}

/* Push each argument; how many. */
static int
push_args(run *r)
{
    lua_State *L = r->cage->L;
    aero_span in = r->call->args;
    aero_token head;
    uint8_t flags;

    if (!aero_token_take(&in, &head) || head.kind != AERO_TOKEN_LIST ||
        !aero_token_take_flags(&in, false, &head.count, &flags)) {
        return 0;
    }
    luaL_checkstack(L, (int)head.count + 16, "too many arguments");
    for (uint32_t i = 0; i < head.count; i++) {
        if (!lua_push_packed(L, &in, 0)) {
            luaL_error(L, "argument %d is cut", (int)i + 1);
        }
    }
    return (int)head.count;
}

/* ---- record functions ---- */

static int
run_record(lua_State *L)
{
    run *r = lua_touserdata(L, 1);

    push_function(r);
    lua_push_record(L, &r->record);
    lua_call(L, push_args(r) + 1, 1);
    lua_take_value(L, -1, &r->result->values);
    r->result->n_values = 1;
    return 0;
}

/* ---- streams ---- */

static int
pull_record(lua_State *L)
{
    run *r = lua_touserdata(L, lua_upvalueindex(1));

    lua_cut_record(&r->record);
    lua_record_fini(&r->record);
    if (r->at == r->call->n_records) {
        lua_record_init(&r->record, &no_record, true);
        return 0;
    }
    lua_record_init(&r->record, &r->call->records[r->at++], true);
    lua_push_record(L, &r->record);
    return 1;
}

static int
pull_value(lua_State *L)
{
    run *r = lua_touserdata(L, lua_upvalueindex(1));

    lua_pushnil(L);
    while (lua_isnil(L, -1) && r->at < r->call->n_values) {
        lua_pop(L, 1);
        lua_push_value(L, &r->call->values[r->at++]);
    }
    return 1;
}

static int
push_result(lua_State *L)
{
    run *r = lua_touserdata(L, lua_upvalueindex(1));

    lua_take_value(L, 1, &r->result->values);
    r->result->n_values++;
    return 0;
}

static int
run_stream(lua_State *L)
{
    run *r = lua_touserdata(L, 1);
    bool on_server = r->call->stream == AERO_LUA_STREAM_SERVER;

    lua_getglobal(L, "run_stream");
    lua_pushboolean(L, on_server);
    push_function(r);
    lua_pushlightuserdata(L, r);
    lua_pushcclosure(L, on_server ? pull_record : pull_value, 1);
    lua_pushlightuserdata(L, r);
    lua_pushcclosure(L, push_result, 1);
    lua_call(L, push_args(r) + 4, 0);
    return 0;
}

/* ---- calls ---- */

void
lua_run_call(lua_cage *cage, const aero_lua_call *call,
             aero_lua_result *result)
{
    lua_State *L = cage->L;
    run r = {.cage = cage, .call = call, .result = result};
    bool is_stream = call->stream != AERO_LUA_STREAM_NONE;
    int status;

    lua_cage_start(cage, call->ms);
    lua_record_init(&r.record,
                    call->n_records != 0 && !is_stream ? call->records
                                                       : &no_record,
                    false);
    lua_settop(L, 0);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, is_stream ? run_stream : run_record);
    lua_pushlightuserdata(L, &r);
    status = lua_pcall(L, 1, 0, 1);
    if (status == LUA_OK) {
        result->code =
            is_stream ? AERO_ERR_OK : lua_record_close(&r.record, result);
    }
    else {
        fail(&r);
    }
    if (r.record.code != AERO_ERR_OK) {
        result->code = r.record.code;
        result->change = AERO_LUA_KEPT;
    }
    lua_cut_record(&r.record);
    lua_record_fini(&r.record);
    lua_settop(L, 0);
    aero_buf_put_span(&result->log, aero_buf_span(&cage->log));
}

/* ---- checking ---- */

static int
load_module(lua_State *L)
{
    lua_cage_require(L, lua_tostring(L, 1));
    return 0;
}

/* "file:line: text", as Lua begins its errors. */
static void
take_fault(const char *text, aero_lua_fault *fault)
{
    const char *colon = strchr(text, ':');
    char *end = NULL;
    long line = colon != NULL ? strtol(colon + 1, &end, 10) : 0;

    if (line > 0 && end[0] == ':' && end[1] == ' ' &&
        (size_t)(colon - text) < sizeof fault->file) {
        memcpy(fault->file, text, (size_t)(colon - text));
        fault->file[colon - text] = '\0';
        fault->line = (int)line;
        text = end + 2;
    }
    snprintf(fault->text, sizeof fault->text, "%s", text);
}

bool
lua_run_check(lua_cage *cage, aero_span name, aero_lua_fault *fault)
{
    lua_State *L = cage->L;
    lua_module *module = lua_cage_find(cage, name);
    bool good;

    memset(fault, 0, sizeof *fault);
    if (module == NULL) {
        snprintf(fault->text, sizeof fault->text, "there is no such module");
        return false;
    }
    lua_cage_start(cage, 0);
    lua_settop(L, 0);
    lua_pushcfunction(L, load_module);
    lua_pushstring(L, module->name);
    good = lua_pcall(L, 1, 0, 0) == LUA_OK;
    if (!good) {
        take_fault(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1)
                                                  : "unexpected error",
                   fault);
    }
    lua_settop(L, 0);
    return good;
}

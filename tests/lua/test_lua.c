/* Scripts in their cage.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/lua/lua.h"
#include "aero/wire/value.h"
#include "text.h"

static const aero_lua_api *api;

static aero_lua *
open_with(const char *source)
{
    aero_lua *lua;

    api = aero_lua_get();
    lua = api->open(0);
    if (lua != NULL) {
        api->add(lua, aero_span_str("m.lua"), aero_span_str(source));
    }
    return lua;
}

/* More than any script here takes that ends by itself, on any machine. */
enum {
    LONG_MS = 30000
};

/* Call f of the module on a record, or on one that is not there. */
static void
call_for(aero_lua *lua, const aero_lua_record *rec, uint32_t ms,
         aero_lua_result *result)
{
    static const aero_lua_record none;
    static const uint8_t no_args[] = {0x90};
    aero_lua_call call = {0};

    call.module = aero_span_str("m");
    call.function = aero_span_str("f");
    call.args = aero_span_of(no_args, 1);
    call.records = rec != NULL ? rec : &none;
    call.n_records = 1;
    call.ms = ms;
    api->call(lua, &call, result);
}

static void
call_on(aero_lua *lua, const aero_lua_record *rec, aero_lua_result *result)
{
    call_for(lua, rec, LONG_MS, result);
}

/* What `return <text>` gives, as the text of it; or the error. */
static const char *
value_of(const char *text)
{
    static char out[AERO_LUA_TEXT_MAX];
    aero_lua_result result = {0};
    aero_buf source = AERO_BUF_INIT;
    aero_lua *lua;

    aero_buf_printf(&source, "function f(rec) return tostring(%s) end", text);
    aero_buf_put_u8(&source, 0);
    lua = open_with((const char *)source.ptr);
    call_on(lua, NULL, &result);
    if (result.code != AERO_ERR_OK) {
        snprintf(out, sizeof out, "%s", result.text);
        out[strcspn(out, "\n")] = '\0';
    }
    else {
        snprintf(out, sizeof out, "%.*s", (int)(result.values.len - 5),
                 (const char *)result.values.ptr + 5);
    }
    api->result_fini(&result);
    api->close(lua);
    aero_buf_fini(&source);
    return out;
}

TEST(lists_do_what_the_documents_say)
{
    CHECK_TEXT(value_of("list{1, 'z', list{2.5}, true}"),
               "[1, \"z\", [2.5], true]");
    CHECK_TEXT(value_of("#list{1, 2}"), "2");
    CHECK_TEXT(value_of("(function() local l = list{1} l[3] = 9 return l "
                        "end)()"),
               "[1, nil, 9]");
    CHECK_TEXT(value_of("(function() local l = list{1, 2, 3} "
                        "list.insert(l, 2, 9) list.remove(l, 1) "
                        "list.prepend(l, 0) list.append(l, 7) "
                        "list.trim(l, 5) return l end)()"),
               "[0, 9, 2, 3]");
    CHECK_TEXT(value_of("list.take(list{1, 2, 3}, 2)"), "[1, 2]");
    CHECK_TEXT(value_of("list.drop(list{1, 2, 3}, 2)"), "[3]");
    CHECK_TEXT(value_of("list.merge(list{1}, list{2})"), "[1, 2]");
    CHECK_TEXT(value_of("(function() local s = 0 for v in "
                        "list.iterator(list{1, 2, 3}) do s = s + v end "
                        "return s end)()"),
               "6");
    CHECK_TEXT(value_of("list{1}.x"),
               "m.lua:1: bad argument #2 to 'index' (number expected, got "
               "string)");
}

TEST(maps_are_in_the_order_of_their_keys)
{
    CHECK_TEXT(value_of("map{z = 1, a = list{}, [5] = 2.5, [-3] = 'x'}"),
               "{-3:\"x\", 5:2.5, \"a\":[], \"z\":1}");
    CHECK_TEXT(value_of("(function() local m = map{a = 1, b = 2} m.a = nil "
                        "map.remove(m, 'b') return m end)()"),
               "{\"a\":nil}");
    CHECK_TEXT(value_of("map.merge(map{a = 1}, map{a = 2, b = 3})"),
               "{\"a\":2, \"b\":3}");
    CHECK_TEXT(value_of("map.merge(map{a = 1}, map{a = 2, b = 3}, "
                        "function(x, y) return x + y end)"),
               "{\"a\":3, \"b\":3}");
    CHECK_TEXT(value_of("map.diff(map{a = 1, b = 2}, map{b = 3, c = 4})"),
               "{\"a\":1, \"c\":4}");
    CHECK_TEXT(value_of("(function() local s = '' for k, v in "
                        "map.pairs(map{b = 2, a = 1}) do s = s .. k .. v end "
                        "return s end)()"),
               "a1b2");
}

TEST(bytes_grow_where_they_are_written)
{
    CHECK_TEXT(value_of("bytes(4)"), "Bytes()");
    CHECK_TEXT(value_of("(function() local b = bytes(0) "
                        "bytes.append_int16(b, 258) "
                        "bytes.append_int16_le(b, 258) "
                        "bytes.set_string(b, 6, 'A') return b end)()"),
               "01 02 02 01 00 41");
    CHECK_TEXT(value_of("(function() local b = bytes(0) "
                        "bytes.append_int32_be(b, -2) "
                        "return bytes.get_int32(b, 1) end)()"),
               "-2");
    CHECK_TEXT(value_of("(function() local b = bytes(0) "
                        "bytes.append_var_int(b, 300) "
                        "return list{bytes.get_var_int(b, 1)} end)()"),
               "[300, 2]");
    CHECK_TEXT(value_of("bytes.get_byte(bytes(4), 1)"), "nil");
}

TEST(errors_say_where_and_how_one_came_there)
{
    aero_lua_result result = {0};
    aero_lua *lua = open_with("local function deep() error('boom') end\n"
                              "function f(rec) deep() end\n");

    call_on(lua, NULL, &result);
    CHECK_INT(result.code, AERO_ERR_UDF);
    CHECK(strncmp(result.text, "m.lua:1: boom\nstack traceback:", 30) == 0);
    CHECK(strstr(result.text, "m.lua:2:") != NULL);
    api->close(lua);
    lua = open_with("function f(rec) error('code:1234') end\n");
    call_on(lua, NULL, &result);
    CHECK_TEXT(result.text, "m.lua:1: code:1234");
    api->close(lua);
    api->result_fini(&result);
}

/* ---- records ---- */

static aero_lua_bin bins[2];

static aero_lua_record
sample(void)
{
    static const uint8_t one[] = {0, 0, 0, 0, 0, 0, 0, 1};
    aero_lua_record rec = {.exists = true, .generation = 3};

    bins[0].name = aero_span_str("a");
    bins[0].value.particle = AERO_PARTICLE_INTEGER;
    bins[0].value.bytes = aero_span_of(one, 8);
    bins[1].name = aero_span_str("b");
    bins[1].value.particle = AERO_PARTICLE_STRING;
    bins[1].value.bytes = aero_span_str("x");
    rec.bins = bins;
    rec.n_bins = 2;
    rec.set = aero_span_str("s");
    return rec;
}

TEST(what_is_set_counts_once_it_is_updated)
{
    aero_lua_record rec = sample();
    aero_lua_result result = {0};
    aero_lua *lua = open_with("function f(rec) rec.a = 5 rec.c = true "
                              "return record.numbins(rec) end");

    call_on(lua, &rec, &result);
    CHECK_INT(result.code, AERO_ERR_OK);
    CHECK_INT(result.change, AERO_LUA_KEPT);
    CHECK_HEX(aero_buf_span(&result.values), "01 00000008 0000000000000002");
    api->close(lua);
    lua = open_with("function f(rec) rec.a = 5 rec.b = nil "
                    "record.set_ttl(rec, 9) return aerospike:update(rec) end");
    call_on(lua, &rec, &result);
    CHECK_INT(result.change, AERO_LUA_WRITTEN);
    CHECK(result.has_ttl);
    CHECK_INT(result.ttl, 9);
    CHECK_HEX(aero_buf_span(&result.bins),
              "01 61 01 00000008 0000000000000005");
    api->close(lua);
    lua = open_with("function f(rec) return aerospike:remove(rec) end");
    call_on(lua, &rec, &result);
    CHECK_INT(result.change, AERO_LUA_REMOVED);
    call_on(lua, NULL, &result);
    CHECK_INT(result.change, AERO_LUA_KEPT);
    CHECK_HEX(aero_buf_span(&result.values), "01 00000008 0000000000000001");
    api->close(lua);
    api->result_fini(&result);
}

TEST(a_record_cannot_be_kept_for_later)
{
    aero_lua_record rec = sample();
    aero_lua_result result = {0};
    aero_lua *lua = open_with("function f(rec) local was = kept kept = rec "
                              "if was then return was.a end end");

    call_on(lua, &rec, &result);
    CHECK_INT(result.code, AERO_ERR_OK);
    call_on(lua, &rec, &result);
    CHECK_INT(result.code, AERO_ERR_UDF);
    api->close(lua);
    api->result_fini(&result);
}

/* ---- the cage ---- */

TEST(files_processes_and_binaries_cannot_be_reached)
{
    static const char *const gone[] = {
        "io",           "package",     "dofile",          "loadfile",
        "os.execute",   "os.getenv",   "os.remove",       "os.exit",
        "os.tmpname",   "string.dump", "load('\\27Lua')", "debug.getregistry",
        "debug.sethook"};

    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        const char *value;
        char text[128];

        snprintf(text, sizeof text,
                 "(function() local _, x = pcall(function() return %s end) "
                 "return type(x) == 'string' or x end)()",
                 gone[i]);
        value = value_of(text);
        CHECK(strcmp(value, "nil") == 0 || strcmp(value, "true") == 0);
    }
    CHECK_TEXT(value_of("os.time() > 0"), "true");
    CHECK_TEXT(value_of("getmetatable(list())"), "locked");
    CHECK_TEXT(value_of("pcall(setmetatable, {}, {__gc = print})"), "false");
    CHECK_TEXT(value_of("require('nothing')"),
               "m.lua:1: module 'nothing' not found");
}

TEST(a_script_that_does_not_end_is_ended)
{
    static const char *const sources[] = {
        "function f() while true do end end",
        "function f() while true do pcall(function() while true do end end) "
        "end end",
        "function f() coroutine.wrap(function() while true do end end)() end",
        "local function r() return pcall(r) or r() end function f() r() end",
    };

    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        aero_lua_result result = {0};
        aero_lua *lua = open_with(sources[i]);

        call_for(lua, NULL, 100, &result);
        CHECK_INT(result.code, AERO_ERR_UDF);
        CHECK(strstr(result.text, "the script ran too long") != NULL);
        CHECK(!result.lost);
        api->result_fini(&result);
        api->close(lua);
    }
}

TEST(memory_is_bounded)
{
    const char *value;

    CHECK_TEXT(value_of("(function() local t = {} for i = 1, 1e9 do t[i] = i "
                        "end end)()"),
               "not enough memory");
    CHECK_TEXT(value_of("string.rep('x', 1 << 30)"), "not enough memory");
    value = value_of("(function() local l = list() for i = 1, 40 do l = "
                     "list{l, l} end return list.nbytes(l) end)()");
    CHECK(strstr(value, "too large") != NULL ||
          strstr(value, "too long") != NULL);
    CHECK(strstr(value_of("(function() local l = list() list.append(l, l) "
                          "return l end)()"),
                 "nested deeper") != NULL);
}

TEST(modules_require_each_other_and_say_what_is_wrong_with_them)
{
    aero_lua_result result = {0};
    aero_lua_fault fault;
    aero_lua *lua = open_with("local o = require('o')\n"
                              "function f() return o.seven() end");

    api->add(lua, aero_span_str("o"),
             aero_span_str("return {seven = function() return 7 end}"));
    CHECK(api->check(lua, aero_span_str("m.lua"), &fault));
    call_on(lua, NULL, &result);
    CHECK_HEX(aero_buf_span(&result.values), "01 00000008 0000000000000007");
    api->add(lua, aero_span_str("bad.lua"), aero_span_str("x = 1\ny = = 2"));
    CHECK(!api->check(lua, aero_span_str("bad.lua"), &fault));
    CHECK_TEXT(fault.file, "bad.lua");
    CHECK_INT(fault.line, 2);
    CHECK_TEXT(fault.text, "unexpected symbol near '='");
    api->result_fini(&result);
    api->close(lua);
}

/* ---- streams ---- */

static const char sums[] =
    "local function big(rec) return rec.a >= 1 end\n"
    "local function number(rec) return rec.a end\n"
    "function f(stream, add)\n"
    "  return stream : filter(big) : map(number)\n"
    "    : aggregate(0, function(sum, n) return sum + n + add end)\n"
    "    : reduce(math.sum) : map(function(n) return n * 100 end)\n"
    "end\n";

TEST(a_stream_is_reduced_on_the_server_and_finished_on_the_client)
{
    static const uint8_t args[] = {0x91, 0x0a};
    static const uint8_t eleven[] = {0, 0, 0, 0, 0, 0, 0, 11};
    aero_lua_record records[3];
    aero_lua_value values[2];
    aero_lua_result result = {0};
    aero_lua_call call = {0};
    aero_lua *lua = open_with(sums);

    for (int i = 0; i < 3; i++) {
        records[i] = sample();
    }
    call.module = aero_span_str("m");
    call.function = aero_span_str("f");
    call.args = aero_span_of(args, sizeof args);
    call.stream = AERO_LUA_STREAM_SERVER;
    call.records = records;
    call.n_records = 3;
    api->call(lua, &call, &result);
    CHECK_INT(result.code, AERO_ERR_OK);
    CHECK_HEX(aero_buf_span(&result.values), "01 00000008 0000000000000021");
    call.stream = AERO_LUA_STREAM_CLIENT;
    call.n_records = 0;
    values[0].particle = AERO_PARTICLE_INTEGER;
    values[0].bytes = aero_span_of(eleven, 8);
    values[1] = values[0];
    call.values = values;
    call.n_values = 2;
    api->call(lua, &call, &result);
    CHECK_HEX(aero_buf_span(&result.values), "01 00000008 0000000000000898");
    api->result_fini(&result);
    api->close(lua);
}

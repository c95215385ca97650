/* Modules, and their functions on records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/b64.h"
#include "aero/wire/value.h"
#include "kit.h"
#include "script.h"

static const char module[] =
    "local function store(rec)\n"
    "  if aerospike:exists(rec) then return aerospike:update(rec) end\n"
    "  return aerospike:create(rec)\n"
    "end\n"
    "function get(rec) return rec.n end\n"
    "function set(rec, value) rec.n = value return store(rec) end\n"
    "function only_note(rec) rec.n = 99 end\n"
    "function remove(rec) return aerospike:remove(rec) end\n"
    "function live(rec, ttl) record.set_ttl(rec, ttl) return store(rec) end\n"
    "function fail(rec) rec.n = 7 store(rec) error('on purpose') end\n"
    "function many(rec) rec.l = list{1, map{a = bytes(0)}} rec.n = nil\n"
    "  rec.s = 'x' return store(rec) end\n"
    "function huge(rec) rec.s = string.rep('x', 2000000) return store(rec)\n"
    "  end\n"
    "function generation(rec) return record.gen(rec) end\n"
    "function big_id(rec) return record.setname(rec) end\n";

TEST(a_function_reads_writes_and_removes_the_record)
{
    kit k;

    REQUIRE(script_open(&k, module));
    CHECK_INT(script_apply_int(&k, "set", 1, 5), AERO_ERR_OK);
    CHECK_TEXT(script_answer(&k), "SUCCESS 01 0000000000000000");
    CHECK_INT(kit_head(&k).generation, 1);
    CHECK_INT(script_apply(&k, "get", 1), AERO_ERR_OK);
    CHECK_TEXT(script_answer(&k), "SUCCESS 01 0000000000000005");
    CHECK_INT(script_apply(&k, "only_note", 1), AERO_ERR_OK);
    CHECK_TEXT(script_answer(&k), "SUCCESS 00 ");
    CHECK_INT(kit_head(&k).generation, 1);
    CHECK_INT(script_apply_int(&k, "set", 1, 6), AERO_ERR_OK);
    CHECK_INT(kit_head(&k).generation, 2);
    CHECK_INT(script_apply(&k, "generation", 1), AERO_ERR_OK);
    CHECK_TEXT(script_answer(&k), "SUCCESS 01 0000000000000002");
    CHECK_INT(script_apply(&k, "remove", 1), AERO_ERR_OK);
    CHECK_INT(kit_get(&k, "s", 1), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(script_apply(&k, "remove", 1), AERO_ERR_OK);
    CHECK_TEXT(script_answer(&k), "SUCCESS 01 0000000000000001");
    kit_close(&k);
}

TEST(a_function_that_fails_has_written_nothing)
{
    kit k;

    REQUIRE(script_open(&k, module));
    kit_put(&k, "s", 1, 5, 0);
    CHECK_INT(script_apply(&k, "fail", 1), AERO_ERR_UDF);
    CHECK(strncmp(script_failure(&k), "m.lua:10: on purpose\n", 21) == 0);
    CHECK_INT(kit_head(&k).generation, 1);
    script_apply(&k, "get", 1);
    CHECK_TEXT(script_answer(&k), "SUCCESS 01 0000000000000005");
    CHECK_INT(script_apply(&k, "huge", 1), AERO_ERR_RECORD_TOO_BIG);
    CHECK_INT(script_apply(&k, "nothing", 1), AERO_ERR_UDF);
    CHECK_TEXT(script_failure(&k), "function not found");
    CHECK_TEXT(kit_info(&k, "udf-remove:filename=m.lua;"), "ok");
    CHECK_INT(script_apply(&k, "get", 1), AERO_ERR_UDF);
    CHECK_TEXT(script_failure(&k), "UDF: Execution Error 1");
    kit_close(&k);
}

TEST(what_a_function_writes_is_indexed_and_lives_as_long_as_it_says)
{
    kit k;

    REQUIRE(script_open(&k, module));
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=i;bin=s;"
                            "type=string"),
               "ok");
    kit_put(&k, "s", 1, 5, 0);
    CHECK_INT(script_apply(&k, "many", 1), AERO_ERR_OK);
    CHECK(strncmp(kit_info(&k, "sindex-stat:ns=test;indexname=i"),
                  "entries=1;", 10) == 0);
    CHECK_INT(script_apply_int(&k, "live", 1, 100), AERO_ERR_OK);
    CHECK(kit_head(&k).ttl > srv_clock_s(&k.core.clock) + 90);
    k.core.clock.ahead_ms = 200000;
    CHECK_INT(kit_get(&k, "s", 1), AERO_ERR_RECORD_NOT_FOUND);
    kit_close(&k);
}

TEST(filters_and_flags_are_looked_at_before_the_script)
{
    /* [1, [81, 2, "n"], 9]: bin n is 9 */
    aero_span filter = test_hex("93 01 93 51 02 a1 6e 09");
    kit k;

    REQUIRE(script_open(&k, module));
    kit_put(&k, "s", 1, 5, 0);
    script_begin(&k, "get", 1);
    kit_field(&k, AERO_FIELD_FILTER, filter);
    CHECK_INT(kit_send(&k), AERO_ERR_FILTERED_OUT);
    script_begin(&k, "get", 1);
    k.ask.ptr[2] |= AERO_INFO2_GENERATION;
    CHECK_INT(kit_send(&k), AERO_ERR_REQUEST_INVALID);
    script_begin(&k, "remove", 1);
    k.ask.ptr[2] |= AERO_INFO2_DURABLE_DELETE;
    CHECK_INT(kit_send(&k), AERO_ERR_ENTERPRISE_ONLY);
    CHECK_INT(kit_get(&k, "s", 1), AERO_ERR_OK);
    kit_close(&k);
}

TEST(modules_are_registered_listed_and_given_back)
{
    kit k;

    REQUIRE(kit_open(&k));
    CHECK_TEXT(kit_info(&k, "udf-put:filename=a;content=YQ==;content-len=4"),
               "error=invalid_filename");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=../a.lua;content=YQ==;"
                            "content-len=4"),
               "error=invalid_filename");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=a.lua;content=YQ==;"
                            "content-len=5"),
               "error=invalid_content_len");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=a.lua;content=YQ==;"
                            "content-len=8"),
               "error=invalid_content");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=a.lua;content=Y!==;"
                            "content-len=4"),
               "error=invalid_base64_content");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=a.lua;content=YQ==;"
                            "content-len=4;udf-type=PY"),
               "error=invalid_udf_type");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=a.lua;content=YQ==;"
                            "content-len=4;udf-type=LUA"),
               "error=compile_error;file=a.lua;line=1;message="
               "c3ludGF4IGVycm9yIG5lYXIgPGVvZj4=");
    CHECK_TEXT(kit_info(&k, "udf-put:filename=eng_a.lua;content=ZnVuY3Rpb24g"
                            "ZihyKSByZXR1cm4gMiBlbmQ=;content-len=36;"
                            "udf-type=LUA;"),
               "ok");
    CHECK_TEXT(kit_info(&k, "udf-list"),
               "filename=eng_a.lua,hash="
               "33ac31ff5a2b40d9bce784b3f41be1c53cfcefae,type=LUA;");
    CHECK_TEXT(kit_info(&k, "udf-get:filename=eng_a.lua"),
               "type=LUA;content=ZnVuY3Rpb24gZihyKSByZXR1cm4gMiBlbmQ=;");
    CHECK_TEXT(kit_info(&k, "udf-get:filename=b.lua"), "error=not_found");
    CHECK_TEXT(kit_info(&k, "udf-remove:filename=b.lua"), "ok");
    CHECK_TEXT(kit_info(&k, "udf-remove:filename=eng_a.lua"), "ok");
    CHECK_TEXT(kit_info(&k, "udf-list"), "");
    kit_close(&k);
}

TEST(a_server_without_lua_says_so)
{
    aero_server_config config = {0};
    kit k;

    config.lua_library = "/nonexistent/lua.so";
    REQUIRE(kit_open_with(&k, &config));
    CHECK_INT(script_apply(&k, "get", 1), AERO_ERR_UDF);
    CHECK(strstr(script_failure(&k), "Lua cannot be loaded") != NULL);
    kit_close(&k);
}

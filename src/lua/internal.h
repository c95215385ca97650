/* What the files of the Lua room share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_LUA_INTERNAL_H
#define AERO_LUA_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>

#include "aero/base/arena.h"
#include "aero/lua/lua.h"

enum {
    LUA_DEPTH_MAX = 100,       /* of lists and maps that go in or out */
    LUA_VALUE_MAX = 128 << 20, /* bytes of all that a call gives */
    LUA_BINS_MAX = 16 << 20,   /* bytes of all bins that a script has set */
    LUA_LOG_MAX = 64 << 10
};

/* ---- the cage (cage.c) ---- */

typedef struct lua_module {
    struct lua_module *next;
    char *name; /* without ".lua"; owned */
    char *source;
    size_t len;
} lua_module;

typedef struct lua_cage {
    lua_State *L;
    size_t used; /* bytes */
    size_t most;
    lua_module *modules; /* owned */
    uint64_t ends_ns;    /* of the call that runs */
    aero_buf log;        /* | level u8 | text | 0 | */
    aero_buf scratch;    /* of one function at a time */
} lua_cage;

bool lua_cage_init(lua_cage *cage, size_t most);
void lua_cage_fini(lua_cage *cage);
bool lua_cage_add(lua_cage *cage, aero_span name, aero_span source);
lua_module *lua_cage_find(const lua_cage *cage, aero_span name);
/* Push what the module's main part gives; an error is left to the caller. */
void lua_cage_require(lua_State *L, const char *name);
lua_cage *lua_cage_of(lua_State *L);
/* A call begins that may take so long. */
void lua_cage_start(lua_cage *cage, uint32_t ms);
/* An error when the time is over; for functions that may take long. */
void lua_cage_look(lua_State *L);

/* ---- values (value.c) ---- */

/* Push a value; false: it is no value that scripts know, and nil is pushed. */
bool lua_push_value(lua_State *L, const aero_lua_value *value);
/* Push one packed item and step over it. */
bool lua_push_packed(lua_State *L, aero_span *in, unsigned depth);
/* Append | particle | size | bytes |.  What is no value becomes nil. */
void lua_take_value(lua_State *L, int at, aero_buf *out);
/* The value alone; false: a function, a table and the like. */
bool lua_take_particle(lua_State *L, int at, uint8_t *particle, aero_buf *out);
void lua_take_packed(lua_State *L, int at, aero_buf *out, unsigned depth);
/* Whether lists and maps may hold it. */
bool lua_is_value(lua_State *L, int at);
/* Add the text that tostring gives for it inside a list. */
void lua_put_text(lua_State *L, luaL_Buffer *out, int at, unsigned depth);
/* How many bytes a list or map takes when it is packed. */
lua_Integer lua_packed_size(lua_State *L, int at);
/* Push the text of a list or map. */
void lua_push_text(lua_State *L, int at);
/* Make the table on top callable under a name: `make` makes the type. */
void lua_open_type(lua_State *L, const char *name, const char *type,
                   const luaL_Reg *functions, const luaL_Reg *metamethods,
                   lua_CFunction make);

/* A userdata of one of our types, or an error that names the argument. */
void *lua_check_type(lua_State *L, int at, const char *type);

void lua_open_geojson(lua_State *L);

#define LUA_TYPE_LIST    "List"
#define LUA_TYPE_MAP     "Map"
#define LUA_TYPE_BYTES   "Bytes"
#define LUA_TYPE_GEOJSON "GeoJSON"
#define LUA_TYPE_RECORD  "Record"

/* ---- lists (list.c) ---- */

typedef struct lua_list {
    lua_Integer count; /* the items are in the user value, a table */
} lua_list;

void lua_open_list(lua_State *L);
lua_list *lua_new_list(lua_State *L); /* pushed */
/* Put the value on top behind the last item of the list at `at`; popped. */
void lua_list_put(lua_State *L, int at);

/* ---- maps (map.c) ---- */

void lua_open_map(lua_State *L);
void lua_new_map(lua_State *L); /* pushed */
/* Set the pair on top; both are popped.  Keys that cannot be are left out. */
void lua_map_put(lua_State *L, int at);
/* Push a table with the encoded keys in order; how many. */
lua_Integer lua_map_keys(lua_State *L, int at);
/* Push the key that is encoded on top, in its place. */
void lua_map_decode_key(lua_State *L);
/* Push the value of the encoded key on top, in its place. */
void lua_map_get_encoded(lua_State *L, int at);
lua_Integer lua_map_size(lua_State *L, int at);

/* ---- bytes (bytes.c) ---- */

typedef struct lua_bytes {
    uint8_t type; /* a particle type */
    size_t len;
    size_t cap;
    uint8_t *data; /* in the user value */
} lua_bytes;

void lua_open_bytes(lua_State *L);
lua_bytes *lua_new_bytes(lua_State *L, uint8_t type, aero_span bytes);

/* ---- records (record.c) ---- */

/* A bin that a script has set; particle NIL: removed. */
typedef struct lua_slot {
    uint8_t name_len;
    uint8_t particle;
    char name[AERO_BIN_NAME_MAX];
    aero_buf bytes; /* owned */
} lua_slot;

typedef struct lua_slots {
    lua_slot *list; /* owned */
    uint32_t count;
    uint32_t cap;
} lua_slots;

/* The record of a call: what it was, what was written, what is only noted. */
typedef struct lua_record {
    const aero_lua_record *was;
    struct lua_record **view; /* what scripts hold; kept in the registry */
    bool fixed;               /* of a stream: nothing can be set */
    bool exists;
    bool written;
    lua_slots bins; /* filled when something is written first */
    lua_slots noted;
    size_t size; /* of all slots */
    bool has_ttl;
    uint32_t ttl;
    bool drop_key;
    int code; /* a result code that the call ends with; 0: none */
} lua_record;

void lua_record_init(lua_record *rec, const aero_lua_record *was, bool fixed);
void lua_record_fini(lua_record *rec);
/* Push a script's view of it; the other cuts it off, after which the script
 * can do nothing with what it may have kept. */
void lua_push_record(lua_State *L, lua_record *rec);
void lua_cut_record(lua_record *rec);
void lua_open_record(lua_State *L);
/* What the call has changed; a result code. */
int lua_record_close(const lua_record *rec, aero_lua_result *result);

/* ---- running (run.c) ---- */

/* On the cage's thread. */
void lua_run_call(lua_cage *cage, const aero_lua_call *call,
                  aero_lua_result *result);
bool lua_run_check(lua_cage *cage, aero_span name, aero_lua_fault *fault);

/* Functions on streams, in Lua (prelude.c). */
extern const char lua_prelude[];

#endif

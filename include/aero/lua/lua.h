/* Lua in a cage: record functions, and functions on streams of values.
 *
 * Whoever wants Lua loads the shared object `aerospike_py._lua` at first use
 * and asks it for its table: from C with `dlsym(.., "aero_lua_get")`, from an
 * extension module with PyCapsule_Import("aerospike_py._lua.api"), which holds
 * an `aero_lua_api *`.  Nothing else of it is visible, and nothing of it needs
 * Python: all calls may be made without the GIL, and should be, since each
 * waits for the script.
 *
 * The final part of an aggregation, on the client:
 *
 *     aero_lua *lua = api->open(NULL);
 *     api->add(lua, "sums", source);       each module it may require
 *     call.module = "sums"; call.function = "total"; call.args = packed list
 *     call.stream = AERO_LUA_STREAM_CLIENT;
 *     call.values = what the servers' SUCCESS answers held; call.n_values
 *     api->call(lua, &call, &result);
 *     ... result.values: | particle u8 | size u32 | bytes |, n_values of them
 *     api->result_fini(&result);
 *     api->close(lua);
 *
 * A cage is one Lua state with a thread of its own.  A script that takes more
 * memory than it may gets an error; one that takes more time is stopped, and
 * if it cannot be stopped (it is inside one long library function) the call
 * returns all the same with `lost`, and the cage is good for nothing but to be
 * closed.  A cage is used by one thread at a time.
 *
 * Scripts see no files, no processes, no environment, no binary chunks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_LUA_LUA_H
#define AERO_LUA_LUA_H

#include "aero/base/buf.h"
#include "aero/wire/codes.h"

enum {
    AERO_LUA_VERSION = 1,
    AERO_LUA_MS = 1000,         /* of a call that names no limit */
    AERO_LUA_MEMORY = 64 << 20, /* of a cage that names none */
    AERO_LUA_TEXT_MAX = 2048    /* of an error, with its traceback */
};

typedef struct aero_lua aero_lua;

/* A value as a bin holds it; borrowed. */
typedef struct aero_lua_value {
    uint8_t particle;
    aero_span bytes;
} aero_lua_value;

typedef struct aero_lua_bin {
    aero_span name;
    aero_lua_value value;
} aero_lua_bin;

/* A record as a script sees it; all borrowed for the time of the call. */
typedef struct aero_lua_record {
    bool exists;
    uint16_t generation;
    uint32_t ttl;         /* seconds; 0: it lives for ever */
    uint32_t size;        /* bytes */
    uint64_t last_update; /* milliseconds since 2010 */
    uint8_t digest[20];
    aero_span set;
    aero_lua_value key; /* particle NIL: it is not known */
    const aero_lua_bin *bins;
    uint32_t n_bins;
} aero_lua_record;

typedef enum aero_lua_stream {
    AERO_LUA_STREAM_NONE,   /* a record function */
    AERO_LUA_STREAM_SERVER, /* a stream function up to its first reduce */
    AERO_LUA_STREAM_CLIENT  /* the same from there on */
} aero_lua_stream;

typedef struct aero_lua_call {
    aero_span module; /* as it was added, with or without ".lua" */
    aero_span function;
    aero_span args; /* a packed list */
    aero_lua_stream stream;
    const aero_lua_record *records; /* one; of a server's stream: any number */
    size_t n_records;
    const aero_lua_value *values; /* of a client's stream */
    size_t n_values;
    uint32_t ms; /* 0: AERO_LUA_MS */
} aero_lua_call;

typedef enum aero_lua_change {
    AERO_LUA_KEPT,    /* nothing was written */
    AERO_LUA_WRITTEN, /* the record has the bins in `bins` */
    AERO_LUA_REMOVED
} aero_lua_change;

/* What became of a call; owned by the caller, who may use it again. */
typedef struct aero_lua_result {
    /* 0; 100 with a text in `text`; another result code of the protocol. */
    int code;
    bool lost; /* see above */
    char text[AERO_LUA_TEXT_MAX];
    aero_buf values; /* | particle u8 | size u32 | bytes |; of a record
                        function: exactly one */
    size_t n_values;
    aero_lua_change change;
    aero_buf bins; /* | name length u8 | name | particle u8 | size u32 | ... */
    uint32_t n_bins;
    bool has_ttl; /* the script has set `ttl`, as a write would say it */
    uint32_t ttl;
    bool drop_key;
    aero_buf log; /* what it said: | level u8, 1 warning to 4 detail | text | 0
                   */
} aero_lua_result;

/* Why a module cannot be used: as the server tells those who register it. */
typedef struct aero_lua_fault {
    char file[128];
    int line;
    char text[512];
} aero_lua_fault;

typedef struct aero_lua_api {
    int version; /* AERO_LUA_VERSION */
    /* Gives a cage whose state may take so much memory (0: the usual); NULL:
     * none, or no thread. */
    aero_lua *(*open)(size_t memory);
    void (*close)(aero_lua *lua); /* takes; NULL is fine */
    /* Make a module known (copied); one of the same name is forgotten.
     * False: no memory. */
    bool (*add)(aero_lua *lua, aero_span name, aero_span source);
    /* Run the module's main part.  False, and why. */
    bool (*check)(aero_lua *lua, aero_span name, aero_lua_fault *fault);
    void (*call)(aero_lua *lua, const aero_lua_call *call,
                 aero_lua_result *result);
    void (*result_fini)(aero_lua_result *result);
} aero_lua_api;

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const aero_lua_api *
aero_lua_get(void);

#endif

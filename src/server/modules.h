/* Modules of functions: their sources, and the cages they run in.
 *
 * The machinery for scripts is no part of the server: it is loaded when the
 * first module is registered or called (aero/lua/lua.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_MODULES_H
#define SRV_MODULES_H

#include "aero/base/buf.h"
#include "aero/base/status.h"
#include "aero/lua/lua.h"

enum {
    SRV_MODULE_NAME_MAX = 127,
    SRV_MODULE_MAX = 1 << 20 /* bytes of a source */
};

typedef struct srv_module {
    struct srv_module *next;
    char name[SRV_MODULE_NAME_MAX + 1]; /* with its suffix */
    aero_buf content;                   /* owned: base64, as it came */
    aero_buf source;                    /* owned */
    aero_lua *lua; /* owned; NULL: not called since something changed */
} srv_module;

typedef struct srv_modules {
    srv_module *first; /* owned, in the order of registration */
    const aero_lua_api *api;
    void *library; /* owned */
    char path[512];
    const aero_lua_api *(*linked)(void);
    aero_lua_result result; /* of the last call */
} srv_modules;

void srv_modules_fini(srv_modules *modules);

/* The machinery; NULL with the reason. */
const aero_lua_api *srv_modules_api(srv_modules *modules, aero_status *st);

srv_module *srv_modules_find(const srv_modules *modules, aero_span name);
/* Register; `content` is base64 of `source`.  False: no memory. */
bool srv_modules_put(srv_modules *modules, aero_span name, aero_span content,
                     aero_span source);
void srv_modules_remove(srv_modules *modules, srv_module *module);
/* Whether the source can be run, with all modules that are there. */
bool srv_modules_check(srv_modules *modules, aero_span name, aero_span source,
                       aero_lua_fault *fault);

/* Call a function of the module `package`, which may not be there.  What
 * became of it is borrowed until the next call; never NULL. */
aero_lua_result *srv_modules_call(srv_modules *modules, aero_lua_call *call,
                                  aero_span package);

#endif

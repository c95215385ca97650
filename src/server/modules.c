/* Modules come and go, and are called.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdio.h>

#include "aero/base/alloc.h"
#include "modules.h"

/* ---- the machinery ---- */

static aero_rc
load(srv_modules *m, aero_status *st)
{
    typedef const aero_lua_api *(*get_fn)(void);
    void *symbol;
    get_fn get;

    m->library = dlopen(m->path, RTLD_LAZY | RTLD_LOCAL);
    if (m->library == NULL) {
        return aero_fail(st, AERO_ERR_UDF, "Lua cannot be loaded: %s",
                         dlerror());
    }
    symbol = dlsym(m->library, "aero_lua_get");
    if (symbol == NULL) {
        return aero_fail(st, AERO_ERR_UDF,
                         "Lua cannot be loaded: '%s' is "
                         "something else",
                         m->path);
    }
    memcpy(&get, &symbol, sizeof get);
    m->api = get();
    return AERO_OK;
}

const aero_lua_api *
srv_modules_api(srv_modules *m, aero_status *st)
{
    if (m->api == NULL && m->linked != NULL) {
        m->api = m->linked();
    }
    if (m->api == NULL && m->path[0] == '\0') {
        aero_fail(st, AERO_ERR_UDF, "the server was started without Lua");
        return NULL;
    }
    if (m->api == NULL && load(m, st) != AERO_OK) {
        return NULL;
    }
    if (m->api->version != AERO_LUA_VERSION) {
        aero_fail(st, AERO_ERR_UDF, "Lua's extension is of another version");
        return NULL;
    }
    return m->api;
}

/* ---- cages ---- */

static void
close_lua(srv_modules *m, srv_module *module)
{
    if (module->lua != NULL) {
        m->api->close(module->lua);
        module->lua = NULL;
    }
}

/* Any module may have been required by any other. */
static void
close_all(srv_modules *m)
{
    for (srv_module *module = m->first; module != NULL;
         module = module->next) {
        close_lua(m, module);
    }
}

/* Gives a cage that knows all modules. */
static aero_lua *
open_lua(srv_modules *m)
{
    aero_lua *lua = m->api->open(0);

    for (srv_module *module = m->first; lua != NULL && module != NULL;
         module = module->next) {
        if (!m->api->add(lua, aero_span_str(module->name),
                         aero_buf_span(&module->source))) {
            m->api->close(lua);
            lua = NULL;
        }
    }
    return lua;
}

/* ---- which there are ---- */

srv_module *
srv_modules_find(const srv_modules *m, aero_span name)
{
    for (srv_module *module = m->first; module != NULL;
         module = module->next) {
        if (aero_span_is(name, module->name)) {
            return module;
        }
    }
    return NULL;
}

static void
free_module(srv_module *module)
{
    aero_buf_fini(&module->content);
    aero_buf_fini(&module->source);
    aero_free(module);
}

bool
srv_modules_put(srv_modules *m, aero_span name, aero_span content,
                aero_span source)
{
    srv_module *fresh = aero_zalloc(sizeof *fresh);
    srv_module **link = &m->first;
    srv_module *old;

    if (fresh == NULL) {
        return false;
    }
    memcpy(fresh->name, name.ptr, name.len);
    aero_buf_put_span(&fresh->content, content);
    aero_buf_put_span(&fresh->source, source);
    if (fresh->content.failed || fresh->source.failed) {
        free_module(fresh);
        return false;
    }
    close_all(m);
    while (*link != NULL && !aero_span_is(name, (*link)->name)) {
        link = &(*link)->next;
    }
    old = *link;
    fresh->next = old != NULL ? old->next : NULL;
    *link = fresh;
    if (old != NULL) {
        free_module(old);
    }
    return true;
}

void
srv_modules_remove(srv_modules *m, srv_module *module)
{
    srv_module **link = &m->first;

    close_all(m);
    while (*link != module) {
        link = &(*link)->next;
    }
    *link = module->next;
    free_module(module);
}

void
srv_modules_fini(srv_modules *m)
{
    while (m->first != NULL) {
        srv_modules_remove(m, m->first);
    }
    if (m->api != NULL) {
        m->api->result_fini(&m->result);
    }
    /* The library stays: a script that could not be ended may run in it. */
    m->api = NULL;
}

bool
srv_modules_check(srv_modules *m, aero_span name, aero_span source,
                  aero_lua_fault *fault)
{
    aero_status st;
    aero_lua *lua;
    bool good;

    memset(fault, 0, sizeof *fault);
    aero_status_clear(&st);
    if (srv_modules_api(m, &st) == NULL) {
        snprintf(fault->text, sizeof fault->text, "%.*s",
                 (int)sizeof fault->text - 1, st.text);
        return false;
    }
    lua = open_lua(m);
    if (lua == NULL || !m->api->add(lua, name, source)) {
        snprintf(fault->text, sizeof fault->text, "no memory for Lua");
        m->api->close(lua);
        return false;
    }
    good = m->api->check(lua, name, fault);
    m->api->close(lua);
    return good;
}

/* ---- calls ---- */

static aero_lua_result *
refuse(srv_modules *m, const char *text)
{
    m->result.code = AERO_ERR_UDF;
    m->result.change = AERO_LUA_KEPT;
    snprintf(m->result.text, sizeof m->result.text, "%s", text);
    return &m->result;
}

aero_lua_result *
srv_modules_call(srv_modules *m, aero_lua_call *call, aero_span package)
{
    char name[SRV_MODULE_NAME_MAX + 1];
    srv_module *module;
    aero_status st;

    aero_status_clear(&st);
    if (srv_modules_api(m, &st) == NULL) {
        return refuse(m, st.text);
    }
    snprintf(name, sizeof name, "%.*s.lua", (int)package.len,
             (const char *)package.ptr);
    module = srv_modules_find(m, aero_span_str(name));
    if (module == NULL) {
        return refuse(m, "UDF: Execution Error 1");
    }
    if (module->lua == NULL) {
        module->lua = open_lua(m);
    }
    if (module->lua == NULL) {
        return refuse(m, "no memory for Lua");
    }
    call->module = package;
    m->api->call(module->lua, call, &m->result);
    if (m->result.lost) {
        close_lua(m, module);
    }
    return &m->result;
}

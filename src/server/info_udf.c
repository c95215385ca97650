/* Info commands about modules.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>

#include "aero/base/b64.h"
#include "info.h"

enum {
    HASH_LEN = 20
};

static bool
refuse(srv_info *info, const char *why)
{
    aero_buf_printf(info->out, "error=%s", why);
    return false;
}

static bool
take(srv_info *info, const char *name, aero_span *value)
{
    value->ptr = NULL;
    value->len = 0;
    return aero_info_pair(info->params, ';', name, value) && value->len != 0;
}

static bool
take_file(srv_info *info, aero_span *name)
{
    return take(info, "filename", name) || refuse(info, "invalid_filename");
}

/* A name to register has a suffix and does not lead elsewhere. */
static bool
is_new_name(aero_span name)
{
    return name.len <= SRV_MODULE_NAME_MAX && name.ptr[0] != '.' &&
           memchr(name.ptr, '.', name.len) != NULL;
}

/* ---- udf-put ---- */

static void
put_fault(srv_info *info, const aero_lua_fault *fault)
{
    aero_buf_printf(info->out, "error=compile_error;file=%s;line=%d;message=",
                    fault->file, fault->line);
    aero_b64_put(info->out, aero_span_str(fault->text));
}

static bool
take_content(srv_info *info, aero_span *content, aero_buf *source)
{
    bool has_content = aero_info_pair(info->params, ';', "content", content);
    aero_span text;
    uint64_t len;

    if (!take(info, "content-len", &text) || !srv_info_u64(text, &len) ||
        len % 4 != 0) {
        return refuse(info, "invalid_content_len");
    }
    if (take(info, "udf-type", &text) && !aero_span_is(text, "LUA")) {
        return refuse(info, "invalid_udf_type");
    }
    if (!has_content || content->len != len) {
        return refuse(info, "invalid_content");
    }
    if (content->len == 0 || !aero_b64_take(*content, source)) {
        return refuse(info, "invalid_base64_content");
    }
    return source->len <= SRV_MODULE_MAX ||
           refuse(info, "invalid_udf_content_len,>1M");
}

static void
put_module(srv_info *info, aero_buf *source)
{
    srv_modules *modules = &info->call->core->modules;
    aero_lua_fault fault;
    aero_span content;
    aero_span name;

    if (!take(info, "filename", &name) || !is_new_name(name)) {
        refuse(info, "invalid_filename");
        return;
    }
    if (!take_content(info, &content, source)) {
        return;
    }
    if (!srv_modules_check(modules, name, aero_buf_span(source), &fault)) {
        put_fault(info, &fault);
    }
    else if (srv_modules_put(modules, name, content, aero_buf_span(source))) {
        srv_info_ok(info);
    }
    else {
        refuse(info, "no_memory");
    }
}

void
srv_info_udf_put(srv_info *info)
{
    aero_buf source = AERO_BUF_INIT;

    put_module(info, &source);
    aero_buf_fini(&source);
}

/* ---- the others ---- */

void
srv_info_udf_get(srv_info *info)
{
    const srv_module *module;
    aero_span name;

    if (!take_file(info, &name)) {
        return;
    }
    module = srv_modules_find(&info->call->core->modules, name);
    if (module == NULL) {
        refuse(info, "not_found");
        return;
    }
    aero_buf_put_str(info->out, "type=LUA;content=");
    aero_buf_put_span(info->out, aero_buf_span(&module->content));
    aero_buf_put_str(info->out, ";");
}

void
srv_info_udf_remove(srv_info *info)
{
    srv_modules *modules = &info->call->core->modules;
    srv_module *module;
    aero_span name;

    if (take_file(info, &name)) {
        module = srv_modules_find(modules, name);
        if (module != NULL) {
            srv_modules_remove(modules, module);
        }
        srv_info_ok(info);
    }
}

/* The hash is that of the text under which the real server keeps a module. */
static void
put_hash(const srv_module *module, aero_buf *out)
{
    uint8_t hash[EVP_MAX_MD_SIZE] = {0};
    aero_buf kept = AERO_BUF_INIT;

    aero_buf_put_str(&kept, "{\"content64\": \"");
    aero_buf_put_span(&kept, aero_buf_span(&module->content));
    aero_buf_printf(&kept, "\", \"type\": \"LUA\", \"name\": \"%s\"}",
                    module->name);
    if (!kept.failed) {
        EVP_Digest(kept.ptr, kept.len, hash, NULL, EVP_sha1(), NULL);
    }
    for (int i = 0; i < HASH_LEN; i++) {
        aero_buf_printf(out, "%02x", hash[i]);
    }
    aero_buf_fini(&kept);
}

void
srv_info_udf_list(srv_info *info)
{
    for (const srv_module *module = info->call->core->modules.first;
         module != NULL; module = module->next) {
        aero_buf_printf(info->out, "filename=%s,hash=", module->name);
        put_hash(module, info->out);
        aero_buf_put_str(info->out, ",type=LUA;");
    }
}

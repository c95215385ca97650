/* What this extension was built with, and what it runs with.
 *
 * SPDX-License-Identifier: Apache-2.0 */

#include <Python.h>

#include <openssl/crypto.h>
#include <zlib.h>

#include "aero/drive/loop.h"
#include "state.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define SANITIZER "thread"
#else
#define SANITIZER ""
#endif

PyObject *
module_versions(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
#ifdef __OPTIMIZE__
    bool optimized = true;
#else
    bool optimized = false;
#endif

    return Py_BuildValue("{s:s,s:s,s:s,s:s,s:s,s:N}", "openssl",
                         OpenSSL_version(OPENSSL_VERSION), "libuv",
                         aero_loop_library(), "zlib", zlibVersion(),
                         "compiler", COMPILER, "sanitizer", SANITIZER,
                         "optimized", PyBool_FromLong(optimized));
}

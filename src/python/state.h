/* Everything one interpreter's copy of the module knows.
 *
 * Objects keep a pointer to it (`state`), which their type keeps alive; there
 * is no global and no static type.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_STATE_H
#define AERO_PYTHON_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "aero/base/log.h"
#include "aero/client/policy.h"

/* The exception classes, in the order of the table. */
typedef enum exc_id {
#define EXC(name, bases)                    EXC_##name,
#define EXC_BOTH(name, bases)               EXC_##name,
#define EXC_OFFICIAL(name, bases, official) EXC_##name,
#define EXC_HIDDEN(name, bases, shown)      EXC_##name,
#define EXC_ALIAS(alias, name, deprecated)
#include "aero/wire/tables/exception.def"
#undef EXC
#undef EXC_BOTH
#undef EXC_OFFICIAL
#undef EXC_HIDDEN
#undef EXC_ALIAS
    EXC_COUNT
} exc_id;

/* Strings that are made once. */
#define INTERNED(X)                                                           \
    X(gen)                                                                    \
    X(ttl)                                                                    \
    X(op)                                                                     \
    X(bin)                                                                    \
    X(val)                                                                    \
    X(key)                                                                    \
    X(code)                                                                   \
    X(msg)                                                                    \
    X(file)                                                                   \
    X(line)                                                                   \
    X(in_doubt)                                                               \
    X(result_code)                                                            \
    X(subcode)                                                                \
    X(node)                                                                   \
    X(attempts)                                                               \
    X(_text)                                                                  \
    X(throw)                                                                  \
    X(name)                                                                   \
    X(get_debug)                                                              \
    X(__asyncio_running_event_loop__)                                         \
    X(call_later)                                                             \
    X(call_soon)                                                              \
    X(call_soon_threadsafe)                                                   \
    X(add_reader)                                                             \
    X(remove_reader)                                                          \
    X(is_closed)                                                              \
    X(cancel)                                                                 \
    X(func)                                                                   \
    X(module)                                                                 \
    X(geo_data)                                                               \
    X(_read)                                                                  \
    X(dtype)                                                                  \
    X(item)                                                                   \
    X(exists)                                                                 \
    X(commit_level)                                                           \
    X(durable_delete)                                                         \
    X(address)                                                                \
    X(port)                                                                   \
    X(node_name)                                                              \
    X(index)                                                                  \
    X(count)                                                                  \
    X(rank)                                                                   \
    X(return_type)                                                            \
    X(val_end)                                                                \
    X(map_key)                                                                \
    X(list_policy)                                                            \
    X(map_policy)                                                             \
    X(hll_policy)                                                             \
    X(bit_policy)                                                             \
    X(policy)                                                                 \
    X(str_policy)                                                             \
    X(index_bit_count)                                                        \
    X(minhash_bit_count)                                                      \
    X(mh_bit_count)                                                           \
    X(byte_size)                                                              \
    X(byte_offset)                                                            \
    X(bit_offset)                                                             \
    X(bit_size)                                                               \
    X(shift)                                                                  \
    X(signed)                                                                 \
    X(sign)                                                                   \
    X(action)                                                                 \
    X(resize_flags)                                                           \
    X(value)                                                                  \
    X(value_list)                                                             \
    X(value_begin)                                                            \
    X(value_end)                                                              \
    X(value_byte_size)                                                        \
    X(sort_flags)                                                             \
    X(list_order)                                                             \
    X(map_order)                                                              \
    X(order)                                                                  \
    X(flags)                                                                  \
    X(write_flags)                                                            \
    X(write_mode)                                                             \
    X(map_write_flags)                                                        \
    X(persist_index)                                                          \
    X(bit_write_flags)                                                        \
    X(pad)                                                                    \
    X(separator)                                                              \
    X(range)                                                                  \
    X(inverted)                                                               \
    X(invert_size)                                                            \
    X(ctx)                                                                    \
    X(expr)                                                                   \
    X(expr_flags)                                                             \
    X(cdt_flags)                                                              \
    X(mod_exp)                                                                \
    X(start)                                                                  \
    X(end)                                                                    \
    X(needle)                                                                 \
    X(occurrence)                                                             \
    X(prefix)                                                                 \
    X(suffix)                                                                 \
    X(numeric_type)                                                           \
    X(pattern)                                                                \
    X(regex_flags)                                                            \
    X(replacement)                                                            \
    X(target_length)                                                          \
    X(pad_string)                                                             \
    X(id)                                                                     \
    X(extra_args)                                                             \
    X(order_key)                                                              \
    X(pad_key)                                                                \
    X(filter_expr)                                                            \
    X(__expr__)                                                               \
    X(exp_type)                                                               \
    X(modulo)                                                                 \
    X(left)                                                                   \
    X(right)                                                                  \
    X(exprs)                                                                  \
    X(regex)                                                                  \
    X(regex_options)                                                          \
    X(value_type)                                                             \
    X(result)                                                                 \
    X(message)                                                                \
    X(record)                                                                 \
    X(batch_records)                                                          \
    X(_type)                                                                  \
    X(meta)                                                                   \
    X(ops)                                                                    \
    X(read_all_bins)                                                          \
    X(function)                                                               \
    X(args)                                                                   \
    X(_op)                                                                    \
    X(partial)                                                                \
    X(_rt)                                                                    \
    X(_fixed)                                                                 \
    X(_children)

/* Classes that are written in Python (aerospike_py/types.py, _values.py) and
 * made or recognised here. */
#define PYTHON_CLASSES(X)                                                     \
    X(types, AerospikeKey)                                                    \
    X(types, Record)                                                          \
    X(types, RecordMetadata)                                                  \
    X(types, ExistsResult)                                                    \
    X(types, BinTuple)                                                        \
    X(types, OperateOrderedResult)                                            \
    X(types, InfoNodeResult)                                                  \
    X(types, InfoResults)                                                     \
    X(types, NodeName)                                                        \
    X(types, BatchRecord)                                                     \
    X(types, BatchRetryInfo)                                                  \
    X(types, BatchWriteResult)                                                \
    X(_values, GeoJSON)                                                       \
    X(_values, Geospatial)                                                    \
    X(_values, KeyOrderedDict)                                                \
    X(_values, HyperLogLog)                                                   \
    X(_values, null)                                                          \
    X(_values, CDTInfinite)                                                   \
    X(_values, CDTWildcard)

enum {
    QUERY_TYPES = 6,
    NAME_CACHE = 512,  /* slots; a power of two */
    META_CACHE = 16,   /* generations */
    KEY_CACHE = 2048,  /* so too */
    KEY_KEPT_MAX = 32, /* bytes of a key that is kept */
    ENTRY_SLOTS = 256  /* a power of two, far more than there are entries */
};

/* A key of maps of replies, and how often another wanted its place since it
 * was last seen. */
typedef struct KeptKey {
    PyObject *text; /* owned, ASCII; NULL: none */
    unsigned missed;
} KeptKey;

typedef struct LogQueue LogQueue;
typedef struct Metrics Metrics;

typedef struct ModState {
    PyObject *module;         /* borrowed: it owns this */
    PyObject *exc[EXC_COUNT]; /* owned classes */
    PyTypeObject *ClientType; /* owned */
    PyTypeObject *StrictClientType;
    PyTypeObject *AsyncClientType;
    PyTypeObject *MethodType;
    PyTypeObject *OpType;
    PyTypeObject *PumpType;
    PyTypeObject *ReplyType;
    PyTypeObject *ExpressionType;
    PyTypeObject *NodeType;
    PyTypeObject *TransactionType;
    PyTypeObject *LazyType;
    PyTypeObject *RowIterType;
    PyObject *official_exc; /* classes of the strict face, by the main one's */
    PyObject *batch_module; /* helpers.batch.records; taken at first use */
    PyObject *numpy_module; /* numpy_batch; the same */
    PyTypeObject *QueryTypes[QUERY_TYPES]; /* in the order of query_type.c */
    PyTypeObject *StreamType;
    PyTypeObject *AsyncStreamType;
    PyTypeObject *ReadyType;
    PyObject *op_entries; /* dict: names of an operation's entries */
    uint8_t entry_slots[ENTRY_SLOTS]; /* the same by address, 0: free */
    PyObject *expr_builders;          /* dict: name of a builder to its row */
    PyObject *get_running_loop;       /* asyncio's; taken at first use */
    PyObject *InvalidStateError;
    PyObject *CancelledError;
    PyObject *context_name; /* ("context",) */
#define X(from, name) PyTypeObject *name;
    PYTHON_CLASSES(X)
#undef X
#define X(name) PyObject *str_##name;
    INTERNED(X)
#undef X
    PyObject **param_names;  /* owned array of owned strings */
    PyObject *policy_index;  /* dict: name to row of policy.def */
    PyObject *config_module; /* aerospike_py._config */
    /* Process-wide (de)serializers of the strict face; NULL: none. */
    PyObject *serializer;
    PyObject *deserializer;
    LogQueue *log;
    Metrics *metrics; /* owned */
    /* Bin names seen in replies.  A slot is filled once and never changed. */
    _Atomic(PyObject *) names[NAME_CACHE];
    /* Metadata of records that live for ever, by generation; the same. */
    _Atomic(PyObject *) metas[META_CACHE];
#ifndef Py_GIL_DISABLED
    KeptKey keys[KEY_CACHE];
#endif
} ModState;

/* One of the two public faces: what differs is data. */
typedef struct Face {
    bool strict; /* aerospike_py.official */
    uint8_t index;
    /* Numbers of the constants to our own; 0xff: no such number. */
    uint8_t replica[8];
    uint8_t exists[8];
} Face;

extern const Face main_face;
extern const Face strict_face;
extern const Face compat_face; /* shapes of the one, numbers of the other */

extern PyModuleDef aerospike_module;

/* The state of the module behind a type, or behind one it derives from. */
ModState *state_of_type(PyTypeObject *type);

int module_add_constants(PyObject *module);

/* The module's function `versions`. */
PyObject *module_versions(PyObject *module, PyObject *none);
/* And `dump`. */
extern const char dump_doc[];
PyObject *module_dump(PyObject *module, PyObject *data);
int errors_setup(PyObject *module, ModState *state);
int policy_setup(ModState *state);
int client_setup_types(PyObject *module);
int transaction_setup_type(PyObject *module);
int query_setup_types(PyObject *module);
int query_intern_params(ModState *state);
int async_setup_types(PyObject *module);
int log_setup(ModState *state);
void log_teardown(ModState *state);
aero_logger *log_logger(ModState *state);
void log_flush(ModState *state);
void log_close(ModState *state);
unsigned long log_dropped(ModState *state);

/* What Python 3.10 to 3.12 lack. */
#if PY_VERSION_HEX < 0x030d0000
#define PyLong_AsInt _PyLong_AsInt
#endif

/* A lock around what only threads with the interpreter's lock touch: where
 * there is one, it is enough. */
#ifdef Py_GIL_DISABLED
#define OWN_LOCK(lock)   ((void)pthread_mutex_lock(lock))
#define OWN_UNLOCK(lock) ((void)pthread_mutex_unlock(lock))
#else
#define OWN_LOCK(lock)   ((void)(lock))
#define OWN_UNLOCK(lock) ((void)(lock))
#endif

/* What one object has in itself, without the interpreter's lock. */
#if PY_VERSION_HEX < 0x030d0000
#define STATE_LOCK(obj)                                                       \
    {                                                                         \
        (void)(obj)
#define STATE_UNLOCK() }
#else
#define STATE_LOCK(obj) Py_BEGIN_CRITICAL_SECTION(obj)
#define STATE_UNLOCK()  Py_END_CRITICAL_SECTION()
#endif

#endif

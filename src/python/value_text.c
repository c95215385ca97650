/* Text of replies: names of bins, keys of maps, strings.
 *
 * Names and keys repeat from record to record: those seen before are kept,
 * with their hashes, and found again by their bytes.  Knows no packing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "errors.h"
#include "value_out.h"

static inline uint64_t
load_8(const uint8_t *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

static inline uint32_t
load_4(const uint8_t *from)
{
    uint32_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

/* Every letter counts, the last ones too: they are in the upper bits. */
static inline size_t
mix(uint64_t words)
{
    words = (words ^ words >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(words >> 40);
}

/* Names have at most 15 bytes: their first and their last word, which may
 * overlap, are all of it. */
static inline size_t
hash_name(aero_span name)
{
    uint64_t words = name.len;

    if (name.len >= 8) {
        words += load_8(name.ptr) ^ load_8(name.ptr + name.len - 8) << 1;
    }
    else if (name.len >= 4) {
        words +=
            (uint64_t)load_4(name.ptr) << 32 | load_4(name.ptr + name.len - 4);
    }
    else {
        for (size_t i = 0; i < name.len; i++) {
            words = words << 8 | name.ptr[i];
        }
    }
    return mix(words);
}

/* Keys that are kept have at most 32 bytes: two words and the last two. */
static inline size_t
hash_key(aero_span key)
{
    const uint8_t *end = key.ptr + key.len;
    uint64_t words;

    if (key.len <= 16) {
        return hash_name(key);
    }
    words = load_8(key.ptr) ^ load_8(end - 8) << 1;
    return mix(words + (load_8(key.ptr + 8) ^ load_8(end - 16) << 1) * 31 +
               key.len);
}

static inline bool
same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len > 16) {
        return memcmp(a, b, len) == 0;
    }
    if (len >= 8) {
        return load_8(a) == load_8(b) &&
               load_8(a + len - 8) == load_8(b + len - 8);
    }
    if (len >= 4) {
        return load_4(a) == load_4(b) &&
               load_4(a + len - 4) == load_4(b + len - 4);
    }
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* Kept strings are compact and ASCII. */
static inline bool
is_text(PyObject *known, aero_span text)
{
    return (size_t)PyUnicode_GET_LENGTH(known) == text.len &&
           same_bytes(PyUnicode_1BYTE_DATA(known), text.ptr, text.len);
}

PyObject *
value_name(ModState *state, aero_span name)
{
    _Atomic(PyObject *) *slot =
        &state->names[hash_name(name) & (NAME_CACHE - 1)];
    PyObject *known = atomic_load_explicit(slot, memory_order_acquire);
    PyObject *made;

    if (known != NULL && is_text(known, name)) {
        return Py_NewRef(known);
    }
    made = PyUnicode_DecodeUTF8((const char *)name.ptr, (Py_ssize_t)name.len,
                                "replace");
    if (made == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&made);
    if (known == NULL && PyUnicode_IS_COMPACT_ASCII(made)) {
        PyObject *nobody = NULL;

        Py_INCREF(made);
        if (!atomic_compare_exchange_strong(slot, &nobody, made)) {
            Py_DECREF(made);
        }
    }
    return made;
}

/* ---- strings ---- */

static inline bool
is_ascii(aero_span text)
{
    const uint8_t *p = text.ptr;
    size_t len = text.len;
    uint64_t seen = 0;

    if (len >= 8) {
        for (size_t i = 0; i + 8 <= len; i += 8) {
            seen |= load_8(p + i);
        }
        seen |= load_8(p + len - 8);
    }
    else if (len >= 4) {
        seen = load_4(p) | load_4(p + len - 4);
    }
    else {
        for (size_t i = 0; i < len; i++) {
            seen |= p[i];
        }
    }
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

PyObject *
value_text(const Decoder *dec, aero_span bytes)
{
    PyObject *text;

    /* The interpreter has strings of one letter already. */
    if (bytes.len > 1 && is_ascii(bytes)) {
        text = PyUnicode_New((Py_ssize_t)bytes.len, 0x7f);
        if (text != NULL) {
            memcpy(PyUnicode_1BYTE_DATA(text), bytes.ptr, bytes.len);
        }
        return text;
    }
    text = PyUnicode_DecodeUTF8((const char *)bytes.ptr, (Py_ssize_t)bytes.len,
                                NULL);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return raise_error(dec->state, EXC_ClientError,
                           "a string of the record is not UTF-8");
    }
    return text;
}

#ifdef Py_GIL_DISABLED

/* What is replaced can be found by no other thread without a lock, which
 * would cost what is saved. */
PyObject *
value_key(const Decoder *dec, aero_span bytes)
{
    return value_text(dec, bytes);
}

#else

PyObject *
value_key(const Decoder *dec, aero_span bytes)
{
    KeptKey *kept;
    PyObject *made;

    if (bytes.len < 2 || bytes.len > KEY_KEPT_MAX) {
        return value_text(dec, bytes);
    }
    kept = &dec->state->keys[hash_key(bytes) & (KEY_CACHE - 1)];
    if (kept->text != NULL && is_text(kept->text, bytes)) {
        kept->missed = 0;
        return Py_NewRef(kept->text);
    }
    made = value_text(dec, bytes);
    /* One that is still asked for stays: two that take turns would drive
     * each other out. */
    if (made != NULL && (kept->text == NULL || kept->missed++ != 0) &&
        PyUnicode_IS_COMPACT_ASCII(made)) {
        kept->missed = 0;
        Py_XSETREF(kept->text, Py_NewRef(made));
    }
    return made;
}

#endif

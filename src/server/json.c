/* A strict reader of JSON texts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "json.h"

enum {
    DEPTH_MAX = 2048,
    NUMBER_MAX = 400 /* characters of a number that are looked at */
};

/* ---- characters ---- */

static int
peek(const aero_span *in)
{
    return in->len == 0 ? -1 : in->ptr[0];
}

static bool
take_char(aero_span *in, int c)
{
    if (peek(in) != c) {
        return false;
    }
    *in = aero_span_skip(*in, 1);
    return true;
}

static void
skip_blanks(aero_span *in)
{
    int c;

    while ((c = peek(in)) == ' ' || c == '\t' || c == '\n' || c == '\r') {
        *in = aero_span_skip(*in, 1);
    }
}

static size_t
skip_digits(aero_span *in)
{
    size_t count = 0;

    while (peek(in) >= '0' && peek(in) <= '9') {
        *in = aero_span_skip(*in, 1);
        count++;
    }
    return count;
}

/* ---- strings ---- */

static int
hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind \u. */
static bool
take_unit(aero_span *in, uint32_t *unit)
{
    *unit = 0;
    if (in->len < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(in->ptr[i]);

        if (digit < 0) {
            return false;
        }
        *unit = *unit << 4 | (uint32_t)digit;
    }
    *in = aero_span_skip(*in, 4);
    return true;
}

/* What stands behind a backslash. */
static bool
take_escape(aero_span *in, uint32_t *code)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    int c = peek(in);
    const char *at = c <= 0 ? NULL : strchr(from, c);
    uint32_t low;

    if (at != NULL) {
        *code = (uint32_t)to[at - from];
        *in = aero_span_skip(*in, 1);
        return true;
    }
    if (!take_char(in, 'u') || !take_unit(in, code) || *code == 0) {
        return false;
    }
    if (*code < 0xd800 || *code > 0xdfff) {
        return true;
    }
    if (*code > 0xdbff || !take_char(in, '\\') || !take_char(in, 'u') ||
        !take_unit(in, &low) || low < 0xdc00 || low > 0xdfff) {
        return false;
    }
    *code = 0x10000 + ((*code - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

/* One character of UTF-8 that is more than a byte. */
static bool
take_utf8(aero_span *in, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = in->ptr[0];
    size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    if (lead < 0xc2 || lead > 0xf4 || in->len < len) {
        return false;
    }
    *code = lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((in->ptr[i] & 0xc0) != 0x80) {
            return false;
        }
        *code = *code << 6 | (in->ptr[i] & 0x3fu);
    }
    *in = aero_span_skip(*in, len);
    return *code >= least[len] && *code <= 0x10ffff &&
           (*code < 0xd800 || *code > 0xdfff);
}

/* The next character inside a string, or 0 at its end, which is taken. */
static bool
take_in_string(aero_span *in, uint32_t *code)
{
    int c = peek(in);

    if (c < 0x20) { /* also the end of the text */
        return false;
    }
    if (c >= 0x80) {
        return take_utf8(in, code);
    }
    *in = aero_span_skip(*in, 1);
    *code = c == '"' ? 0 : (uint32_t)c;
    return c != '\\' || take_escape(in, code);
}

static bool
take_string(aero_span *in)
{
    uint32_t code = 1;

    if (!take_char(in, '"')) {
        return false;
    }
    while (code != 0) {
        if (!take_in_string(in, &code)) {
            return false;
        }
    }
    return true;
}

/* ---- numbers and words ---- */

/* Convert the text of a number.  False when it has no room. */
static bool
number_of(aero_span text, bool real, double *out)
{
    char copy[NUMBER_MAX + 1];
    char *dot;

    if (text.len > NUMBER_MAX) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    errno = 0;
    if (!real) {
        *out = (double)strtoll(copy, NULL, 10);
        return errno == 0;
    }
    dot = strchr(copy, '.');
    if (dot != NULL) {
        *dot = localeconv()->decimal_point[0];
    }
    *out = strtod(copy, NULL);
    return !isinf(*out);
}

static bool
take_number(aero_span *in, double *out)
{
    aero_span from = *in;
    bool zero;
    bool real = false;
    size_t digits;

    take_char(in, '-');
    zero = peek(in) == '0';
    digits = skip_digits(in);
    if (digits == 0 || (zero && digits > 1)) {
        return false;
    }
    if (take_char(in, '.')) {
        real = true;
        if (skip_digits(in) == 0) {
            return false;
        }
    }
    if (take_char(in, 'e') || take_char(in, 'E')) {
        real = true;
        if (!take_char(in, '-')) {
            take_char(in, '+');
        }
        if (skip_digits(in) == 0) {
            return false;
        }
    }
    return number_of(aero_span_of(from.ptr, from.len - in->len), real, out);
}

static bool
take_word(aero_span *in)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);

        if (in->len >= len && memcmp(in->ptr, words[i], len) == 0) {
            *in = aero_span_skip(*in, len);
            return true;
        }
    }
    return false;
}

static bool
take_scalar(aero_span *in)
{
    int c = peek(in);
    double number;

    if (c == '"') {
        return take_string(in);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return take_number(in, &number);
    }
    return take_word(in);
}

/* ---- the whole ---- */

typedef struct checker {
    aero_span in;
    int depth;
    uint8_t objects[DEPTH_MAX / 8]; /* which levels are objects */
} checker;

static bool
in_object(const checker *c)
{
    return (c->objects[(c->depth - 1) / 8] >> (c->depth - 1) % 8 & 1) != 0;
}

static bool
take_key(checker *c)
{
    skip_blanks(&c->in);
    if (!take_string(&c->in)) {
        return false;
    }
    skip_blanks(&c->in);
    return take_char(&c->in, ':');
}

/* Step into a container; an empty one is done at once. */
static bool
enter(checker *c, bool *done)
{
    bool object = peek(&c->in) == '{';
    int level = c->depth++;
    uint8_t bit = (uint8_t)(1u << level % 8);

    if (level == DEPTH_MAX) {
        return false;
    }
    c->in = aero_span_skip(c->in, 1);
    c->objects[level / 8] = (uint8_t)(object ? c->objects[level / 8] | bit
                                             : c->objects[level / 8] & ~bit);
    skip_blanks(&c->in);
    *done = take_char(&c->in, object ? '}' : ']');
    if (*done) {
        c->depth--;
        return true;
    }
    return !object || take_key(c);
}

/* Behind a value: close what ends here, up to the next value's start. */
static bool
leave(checker *c)
{
    while (c->depth != 0) {
        bool object = in_object(c);

        skip_blanks(&c->in);
        if (take_char(&c->in, ',')) {
            return !object || take_key(c);
        }
        if (!take_char(&c->in, object ? '}' : ']')) {
            return false;
        }
        c->depth--;
    }
    return true;
}

bool
json_check(aero_span text, aero_span *value)
{
    checker c = {.in = text};

    skip_blanks(&c.in);
    *value = c.in;
    do {
        bool done = true;
        int first;

        skip_blanks(&c.in);
        first = peek(&c.in);
        if (first == '{' || first == '[') {
            if (!enter(&c, &done)) {
                return false;
            }
        }
        else if (!take_scalar(&c.in)) {
            return false;
        }
        if (done && !leave(&c)) {
            return false;
        }
    } while (c.depth != 0);
    value->len -= c.in.len;
    skip_blanks(&c.in);
    return c.in.len == 0;
}

/* ---- cursors over what was checked ---- */

/* Step over one value. */
static aero_span
skip_value(aero_span *in)
{
    aero_span from;
    size_t depth = 0;

    skip_blanks(in);
    from = *in;
    do {
        int c = peek(in);

        if (c == '"') {
            take_string(in);
        }
        else if (c == '{' || c == '[') {
            depth++;
            *in = aero_span_skip(*in, 1);
        }
        else if (c == '}' || c == ']') {
            depth--;
            *in = aero_span_skip(*in, 1);
        }
        else if (depth == 0) {
            take_scalar(in);
        }
        else {
            *in = aero_span_skip(*in, 1);
        }
    } while (depth != 0);
    from.len -= in->len;
    return from;
}

static aero_span
inside(aero_span container)
{
    return aero_span_of(container.ptr + 1, container.len - 2);
}

bool
json_member(aero_span object, const char *name, aero_span *value)
{
    bool found = false;
    aero_span in;

    if (!json_is(object, '{')) {
        return false;
    }
    in = inside(object);
    skip_blanks(&in);
    while (in.len != 0) {
        aero_span key = skip_value(&in);
        aero_span item;

        skip_blanks(&in);
        take_char(&in, ':');
        item = skip_value(&in);
        if (json_text_is(key, name)) {
            *value = item;
            found = true;
        }
        skip_blanks(&in);
        take_char(&in, ',');
    }
    return found;
}

aero_span
json_open(aero_span array)
{
    return json_is(array, '[') ? inside(array) : aero_span_of(array.ptr, 0);
}

bool
json_next(aero_span *in, aero_span *value)
{
    skip_blanks(in);
    if (in->len == 0) {
        return false;
    }
    *value = skip_value(in);
    skip_blanks(in);
    take_char(in, ',');
    return true;
}

size_t
json_count(aero_span array)
{
    aero_span in = json_open(array);
    aero_span value;
    size_t count = 0;

    while (json_next(&in, &value)) {
        count++;
    }
    return count;
}

bool
json_number(aero_span value, double *out)
{
    return take_number(&value, out);
}

bool
json_text_is(aero_span value, const char *text)
{
    uint32_t code;

    if (!take_char(&value, '"')) {
        return false;
    }
    /* compared with ASCII names only */
    while (take_in_string(&value, &code) && code != 0) {
        if (code != (uint8_t)*text++) {
            return false;
        }
    }
    return *text == '\0';
}

/* A parser of lines of eleven columns.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "test.h"
#include "vectors.h"

enum {
    COLUMNS = 11
};

static void *
need(void *ptr)
{
    if (ptr == NULL) {
        fprintf(stderr, "no memory for vectors\n");
        exit(2);
    }
    return ptr;
}

static const char *
text_of(vectors *v, aero_span column)
{
    char *text = need(aero_arena_alloc(&v->arena, column.len + 1));

    memcpy(text, column.ptr, column.len);
    text[column.len] = '\0';
    return text;
}

static int
number_of(vectors *v, aero_span column, int none)
{
    return aero_span_is(column, "-") ? none : atoi(text_of(v, column));
}

static uint8_t
digit_of(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static aero_span
bytes_of(vectors *v, aero_span hex)
{
    uint8_t *out = need(aero_arena_alloc(&v->arena, hex.len / 2));

    if (aero_span_is(hex, "-")) {
        return aero_span_of(out, 0);
    }
    for (size_t i = 0; i < hex.len / 2; i++) {
        out[i] = (uint8_t)(digit_of(hex.ptr[2 * i]) << 4 |
                           digit_of(hex.ptr[2 * i + 1]));
    }
    return aero_span_of(out, hex.len / 2);
}

static vector_value
value_of(vectors *v, aero_span column)
{
    vector_value value = {0};
    aero_span particle;

    if (aero_span_is(column, "-") || aero_span_is(column, "=")) {
        return value;
    }
    particle = aero_span_cut(&column, ':');
    value.there = true;
    value.particle = (uint8_t)number_of(v, particle, 0);
    value.bytes = bytes_of(v, column);
    return value;
}

static void
read_line(vectors *v, aero_span line, vector *out)
{
    aero_span column[COLUMNS];
    const char *marks;

    for (int i = 0; i < COLUMNS; i++) {
        column[i] = aero_span_cut(&line, ' ');
    }
    out->id = text_of(v, column[0]);
    out->kind = text_of(v, column[1]);
    out->op = number_of(v, column[2], 0);
    out->particle = number_of(v, column[3], 0);
    out->payload = bytes_of(v, column[4]);
    out->where = text_of(v, column[5]);
    out->before = value_of(v, column[6]);
    out->rc = number_of(v, column[7], -1);
    out->reply = value_of(v, column[8]);
    out->unchanged = aero_span_is(column[9], "=");
    out->after = out->unchanged ? out->before : value_of(v, column[9]);
    marks = text_of(v, column[10]);
    out->is_volatile = strstr(marks, "volatile") != NULL;
    out->is_later = strstr(marks, "later") != NULL;
    out->is_long = strstr(marks, "long") != NULL;
}

static size_t
count_lines(aero_span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += text.ptr[i] == '\n';
    }
    return n;
}

void
vectors_init(vectors *v, const char *path)
{
    aero_span text = test_file(path);

    aero_arena_init(&v->arena);
    v->count = 0;
    v->at =
        need(aero_arena_array(&v->arena, count_lines(text), sizeof *v->at));
    while (text.len != 0) {
        aero_span line = aero_span_cut(&text, '\n');

        if (line.len != 0 && line.ptr[0] != '#') {
            read_line(v, line, &v->at[v->count++]);
        }
    }
}

void
vectors_init_group(vectors *v, const char *group)
{
    char path[256];

    snprintf(path, sizeof path, "../build/vectors/%s.txt", group);
    vectors_init(v, path);
}

void
vectors_fini(vectors *v)
{
    aero_arena_fini(&v->arena);
}

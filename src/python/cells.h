/* Bins of replies straight into the cells of an array, without Python and
 * without the interpreter's lock.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_CELLS_H
#define AERO_PYTHON_CELLS_H

#include "aero/client/batch.h"

/* One field of the array's dtype: the bin of its name goes there. */
typedef struct Cell {
    const char *name; /* borrowed from the plan's text */
    size_t name_len;
    uint32_t offset;
    uint32_t size;  /* of one element */
    uint32_t count; /* 1, or the elements of a sub-array */
    char kind;      /* NumPy's: i u f b S V */
    bool is_array;
} Cell;

typedef enum CellFault {
    CELL_FINE,
    CELL_TYPE,   /* the bin is of another type */
    CELL_RANGE,  /* the number does not fit */
    CELL_LENGTH, /* the list has more or fewer elements */
    CELL_BYTES   /* malformed */
} CellFault;

typedef struct Cells {
    Cell *cells; /* owned */
    size_t n_cells;
    uint8_t *data; /* borrowed from the array */
    ptrdiff_t stride;
    uint32_t *meta;   /* borrowed; generation and ttl of each row */
    int32_t *codes;   /* borrowed; result of each row */
    uint8_t *missing; /* borrowed; n_cells for each row */
    uint32_t void_now;
    bool code_on_error;
    /* The first value that its cell could not hold. */
    CellFault fault;
    size_t fault_row;
    const Cell *fault_cell;
    uint8_t fault_particle;
    int64_t fault_number;
} Cells;

/* Fill row i; `ops` are the operations of its reply. */
void cells_write(Cells *cells, size_t i, const aero_row *row, aero_span ops);

/* Numbers of two bytes. */
uint16_t half_from_double(double value);
double half_to_double(uint16_t half);

#endif

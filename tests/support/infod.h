/* A node that is a table of info answers: what it says is up to the test, and
 * may change at any time.  It has a thread of its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_INFOD_H
#define TESTS_INFOD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct infod infod;

/* Listens on a literal address and a free port (0) or a given one; NULL when
 * it cannot.  It answers as node `name` of build 8.1.2.0 without peers, that
 * has every partition of namespace test. */
infod *infod_start(const char *host, uint16_t port, const char *name);
void infod_stop(infod *node); /* NULL is fine; closes all connections */
uint16_t infod_port(const infod *node);

/* What a command is answered with from now on.  A command that has no answer
 * is answered by an error. */
void infod_say(infod *node, const char *command, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The answer to every request instead, byte for byte; NULL: as usual. Borrowed
 * until it is changed. */
void infod_say_raw(infod *node, const void *bytes, size_t len);
/* Take requests and say nothing. */
void infod_be_silent(infod *node, bool silent);

unsigned infod_connections(infod *node); /* accepted so far */
unsigned infod_asked(infod *node, const char *command);

/* "test:<regime>,1,<all partitions>" for the answer to replicas. */
const char *infod_all_partitions(unsigned regime);

#endif

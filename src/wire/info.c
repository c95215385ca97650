/* Info texts.  Everything the server says is looked at with its length in
 * hand; nothing is copied.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "aero/base/b64.h"
#include "aero/wire/frame.h"
#include "aero/wire/info.h"

void
aero_info_put_request(aero_buf *out, const aero_span *commands, size_t count)
{
    size_t mark = aero_frame_open(out, AERO_FRAME_INFO);

    for (size_t i = 0; i < count; i++) {
        aero_buf_put_span(out, commands[i]);
        aero_buf_put_u8(out, '\n');
    }
    aero_frame_close(out, mark);
}

void
aero_info_put_line(aero_buf *out, aero_span command, aero_span value)
{
    aero_buf_put_span(out, command);
    aero_buf_put_u8(out, '\t');
    aero_buf_put_span(out, value);
    aero_buf_put_u8(out, '\n');
}

bool
aero_info_take_command(aero_span *body, aero_span *command)
{
    if (body->len == 0 || memchr(body->ptr, '\n', body->len) == NULL) {
        return false;
    }
    *command = aero_span_cut(body, '\n');
    return true;
}

aero_rc
aero_info_take_line(aero_span *body, aero_span *command, aero_span *value,
                    aero_status *st)
{
    aero_span line;
    int code;
    aero_span text;

    if (body->len == 0) {
        return AERO_MORE;
    }
    line = aero_span_cut(body, '\n');
    if (line.len != 0 && memchr(line.ptr, '\t', line.len) != NULL) {
        *command = aero_span_cut(&line, '\t');
        *value = line;
        return AERO_OK;
    }
    if (aero_info_error(line, &code, &text)) {
        *command = aero_span_of(line.ptr, 0);
        *value = line;
        return AERO_OK;
    }
    return aero_fail(st, AERO_ERR_CLIENT, "info line without a tab");
}

bool
aero_info_find(aero_span body, const char *command, aero_span *value)
{
    aero_span name;

    while (aero_info_take_line(&body, &name, value, NULL) == AERO_OK) {
        if (aero_span_is(name, command)) {
            return true;
        }
    }
    return false;
}

static bool
begins_with(aero_span text, const char *head)
{
    size_t len = strlen(head);

    return text.len >= len &&
           strncasecmp((const char *)text.ptr, head, len) == 0;
}

bool
aero_info_error(aero_span value, int *code, aero_span *text)
{
    aero_span rest = value;
    aero_span number;
    int64_t n;

    if (!begins_with(value, "ERROR") && !begins_with(value, "FAIL")) {
        return false;
    }
    number = aero_span_cut(&rest, ':');
    if (number.len != (begins_with(value, "FAIL") ? 4U : 5U)) {
        return false; /* a value that only begins like one */
    }
    *text = rest;
    *code = AERO_ERR_SERVER;
    number = aero_span_cut(&rest, ':');
    if (number.len == 0 && text->len != 0) {
        *text = rest;
    }
    else if (aero_info_number(number, &n) && n > 0 && n < 100000) {
        *code = (int)n;
        *text = rest;
    }
    return true;
}

bool
aero_info_number(aero_span value, int64_t *number)
{
    bool negative = value.len != 0 && value.ptr[0] == '-';
    uint64_t n = 0;

    if (negative) {
        value = aero_span_skip(value, 1);
    }
    if (value.len == 0 || value.len > 18) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return false;
        }
        n = n * 10 + (value.ptr[i] - '0');
    }
    *number = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

bool
aero_info_pair(aero_span text, char mark, const char *key, aero_span *value)
{
    while (text.len != 0) {
        aero_span pair = aero_span_cut(&text, mark);
        aero_span name = aero_span_cut(&pair, '=');

        if (aero_span_is(name, key)) {
            *value = pair;
            return true;
        }
    }
    return false;
}

bool
aero_info_address(aero_span text, aero_span *host, uint16_t *port)
{
    aero_span rest = text;
    int64_t n;

    if (text.len != 0 && text.ptr[0] == '[') {
        rest = aero_span_skip(text, 1);
        if (rest.len == 0 || memchr(rest.ptr, ']', rest.len) == NULL) {
            return false;
        }
        *host = aero_span_cut(&rest, ']');
        if (rest.len != 0 && rest.ptr[0] != ':') {
            return false;
        }
        if (rest.len != 0) {
            rest = aero_span_skip(rest, 1);
        }
    }
    else {
        *host = aero_span_cut(&rest, ':');
    }
    if (host->len == 0) {
        return false;
    }
    if (rest.len == 0) {
        return true;
    }
    if (!aero_info_number(rest, &n) || n < 1 || n > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)n;
    return true;
}

/* Cut at the next comma that is outside brackets; stops at a bracket that
 * closes what encloses the text. */
static aero_span
cut_item(aero_span *text)
{
    aero_span item = *text;
    int depth = 0;

    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->ptr[i];

        if (c == '[') {
            depth++;
        }
        else if (c == ']') {
            depth--;
        }
        if (depth < 0 || (c == ',' && depth == 0)) {
            item.len = i;
            *text = aero_span_skip(*text, c == ',' ? i + 1 : i);
            return item;
        }
    }
    *text = aero_span_of(text->ptr + text->len, 0);
    return item;
}

/* "[inner]" to "inner". */
static bool
strip_brackets(aero_span *text)
{
    if (text->len < 2 || text->ptr[0] != '[' ||
        text->ptr[text->len - 1] != ']') {
        return false;
    }
    *text = aero_span_of(text->ptr + 1, text->len - 2);
    return true;
}

aero_rc
aero_peers_open(aero_span value, aero_peers *peers, aero_status *st)
{
    aero_span generation = aero_span_cut(&value, ',');
    aero_span port = aero_span_cut(&value, ',');
    int64_t n = 0;

    if (!aero_info_number(generation, &peers->generation) ||
        (port.len != 0 &&
         (!aero_info_number(port, &n) || n < 0 || n > UINT16_MAX)) ||
        !strip_brackets(&value)) {
        return aero_fail(st, AERO_ERR_CLIENT, "list of peers is malformed");
    }
    peers->port = (uint16_t)n;
    peers->rest = value;
    return AERO_OK;
}

aero_rc
aero_peers_take(aero_peers *peers, aero_peer *peer, aero_status *st)
{
    aero_span item;

    if (peers->rest.len == 0) {
        return AERO_MORE;
    }
    item = cut_item(&peers->rest);
    if (!strip_brackets(&item)) {
        return aero_fail(st, AERO_ERR_CLIENT, "peer is malformed");
    }
    peer->node = cut_item(&item);
    peer->tls_name = cut_item(&item);
    peer->hosts = item;
    if (peer->node.len == 0 || peer->node.len >= AERO_NODE_NAME_MAX) {
        return aero_fail(st, AERO_ERR_CLIENT, "peer has no proper name");
    }
    if (peer->hosts.len != 0 && !strip_brackets(&peer->hosts)) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "addresses of peer %.*s are "
                         "malformed",
                         (int)peer->node.len, peer->node.ptr);
    }
    return AERO_OK;
}

bool
aero_peer_take_host(aero_peer *peer, uint16_t default_port, aero_span *host,
                    uint16_t *port)
{
    aero_span item;

    if (peer->hosts.len == 0) {
        return false;
    }
    item = cut_item(&peer->hosts);
    *port = default_port;
    return aero_info_address(item, host, port);
}

static bool
take_bitmap(aero_span text, uint8_t bits[AERO_BITMAP_SIZE])
{
    aero_buf buf = AERO_BUF_INIT;
    bool fine = aero_b64_take(text, &buf) && buf.len == AERO_BITMAP_SIZE;

    if (fine) {
        memcpy(bits, buf.ptr, AERO_BITMAP_SIZE);
    }
    aero_buf_fini(&buf);
    return fine;
}

aero_rc
aero_replicas_take(aero_span *value, aero_replicas *out, aero_status *st)
{
    aero_span item;
    aero_span part;
    int64_t n;
    int64_t listed;

    if (value->len == 0) {
        return AERO_MORE;
    }
    item = aero_span_cut(value, ';');
    out->ns = aero_span_cut(&item, ':');
    if (out->ns.len == 0 || out->ns.len > AERO_NAMESPACE_MAX) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "partition map has a bad namespace");
    }
    part = aero_span_cut(&item, ',');
    if (!aero_info_number(part, &n) || n < 0 || n > UINT32_MAX) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "partition map has a bad regime");
    }
    out->regime = (uint32_t)n;
    part = aero_span_cut(&item, ',');
    if (!aero_info_number(part, &listed) || listed < 0 || listed > 255) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "partition map has a bad number of replicas");
    }
    out->count = 0;
    while (item.len != 0 && out->count < AERO_REPLICAS_MAX &&
           out->count < listed) {
        part = aero_span_cut(&item, ',');
        if (part.len == 0) {
            break; /* before the first balance */
        }
        if (!take_bitmap(part, out->bits[out->count])) {
            return aero_fail(st, AERO_ERR_CLIENT,
                             "partition map has a bad bitmap");
        }
        out->count++;
    }
    return AERO_OK;
}

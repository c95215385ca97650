/* Integers and doubles in wire order (big-endian) and its few little-endian
 * exceptions, at any alignment.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_BYTES_H
#define AERO_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t
aero_get_u16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t
aero_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static inline uint64_t
aero_get_u64(const uint8_t *p)
{
    return (uint64_t)aero_get_u32(p) << 32 | aero_get_u32(p + 4);
}

static inline double
aero_get_f64(const uint8_t *p)
{
    uint64_t bits = aero_get_u64(p);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline void
aero_set_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void
aero_set_u32(uint8_t *p, uint32_t v)
{
    aero_set_u16(p, (uint16_t)(v >> 16));
    aero_set_u16(p + 2, (uint16_t)v);
}

static inline void
aero_set_u64(uint8_t *p, uint64_t v)
{
    aero_set_u32(p, (uint32_t)(v >> 32));
    aero_set_u32(p + 4, (uint32_t)v);
}

static inline uint16_t
aero_get_u16le(const uint8_t *p)
{
    return (uint16_t)(p[0] | (unsigned)p[1] << 8);
}

static inline uint32_t
aero_get_u32le(const uint8_t *p)
{
    return (uint32_t)aero_get_u16le(p) | (uint32_t)aero_get_u16le(p + 2) << 16;
}

static inline uint64_t
aero_get_u64le(const uint8_t *p)
{
    return (uint64_t)aero_get_u32le(p) | (uint64_t)aero_get_u32le(p + 4) << 32;
}

static inline void
aero_set_u16le(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void
aero_set_u32le(uint8_t *p, uint32_t v)
{
    aero_set_u16le(p, (uint16_t)v);
    aero_set_u16le(p + 2, (uint16_t)(v >> 16));
}

static inline void
aero_set_u64le(uint8_t *p, uint64_t v)
{
    aero_set_u32le(p, (uint32_t)v);
    aero_set_u32le(p + 4, (uint32_t)(v >> 32));
}

#endif

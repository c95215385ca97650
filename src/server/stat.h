/* What is counted and what is configured: the numbers of the rows in tables/.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_STAT_H
#define SRV_STAT_H

/* SRV_COUNT_client_read_success and so on. */
typedef enum srv_count {
#define STAT_COUNT(name) SRV_COUNT_##name,
#define STAT_CALL(name, fn)
#define STAT_TEXT(name, text)
#define STAT_ZERO(name)
#include "tables/stat_ns.def"
#undef STAT_COUNT
#undef STAT_CALL
#undef STAT_TEXT
#undef STAT_ZERO
    SRV_COUNTS
} srv_count;

/* SRV_NS_default_ttl, SRV_SERVICE_batch_max_requests and so on. */
#define CONFIG_BOOL(id, name, value, may)              CONFIG(id)
#define CONFIG_NUM(id, name, value, least, most, may)  CONFIG(id)
#define CONFIG_TIME(id, name, value, least, most, may) CONFIG(id)
#define CONFIG_TEXT(id, name, text)                    CONFIG(id)
#define CONFIG_CALL(id, name, fn)                      CONFIG(id)

typedef enum srv_service_config {
#define CONFIG(id) SRV_SERVICE_##id,
#include "tables/config_service.def"
#undef CONFIG
    SRV_SERVICE_CONFIGS
} srv_service_config;

typedef enum srv_network_config {
#define CONFIG(id) SRV_NETWORK_##id,
#include "tables/config_network.def"
#undef CONFIG
    SRV_NETWORK_CONFIGS
} srv_network_config;

typedef enum srv_ns_config {
#define CONFIG(id) SRV_NS_##id,
#include "tables/config_ns.def"
#undef CONFIG
    SRV_NS_CONFIGS
} srv_ns_config;

typedef enum srv_set_config {
#define CONFIG(id) SRV_SET_##id,
#include "tables/config_set.def"
#undef CONFIG
    SRV_SET_CONFIGS
} srv_set_config;

#undef CONFIG_BOOL
#undef CONFIG_NUM
#undef CONFIG_TIME
#undef CONFIG_TEXT
#undef CONFIG_CALL

#endif

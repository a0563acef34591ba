/* config_permissions.h - reads the key `permissions`: {"role": ["permission:selector", ..], ..}.
 * Memory: struct config_permissions is of fixed size; its entries point into itself, so it is not
 * to be copied. Thread: one owner. */
#ifndef WEFT_DAEMON_CONFIG_PERMISSIONS_H
#define WEFT_DAEMON_CONFIG_PERMISSIONS_H

#include "mesh/config.h"

#include <stdbool.h>

enum {
    CONFIG_PERMISSIONS_BYTES = 32 * 1024,
    CONFIG_PERMISSIONS_MAX = 1024, /* entries; as many as the core takes */
    CONFIG_PERMISSIONS_WHY_BYTES = MESH_CONFIG_WHY_BYTES,
};

struct config_permissions {
    char text[CONFIG_PERMISSIONS_BYTES]; /* JSON without blanks: what is printed and compared */
    struct mesh_permission entries[CONFIG_PERMISSIONS_MAX];
    uint32_t count;
    char words[CONFIG_PERMISSIONS_BYTES]; /* what entries point at */
};

/* Reads the text and checks every entry. false: nothing has changed, and `why` says, without the
 * key's name, what was found (role and entry) and what is expected. */
bool config_permissions_read(struct config_permissions *permissions, const char *text,
                             char why[CONFIG_PERMISSIONS_WHY_BYTES]);

#endif

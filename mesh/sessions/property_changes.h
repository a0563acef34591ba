/* property_changes.h - decides which changes of properties may be asked for: user properties by
 * the rules of properties.h, and of weft's own the four that say where a client is. Those come into
 * form: $Country in upper case, $Language in lower case, $Latitude and $Longitude decimal text or
 * NaN. Any other $ key is ignored, whoever names it.
 * Memory: the struct is the caller's and does not move; spans point into what was read.
 * Thread: pure functions. */
#ifndef WEFT_MESH_SESSIONS_PROPERTY_CHANGES_H
#define WEFT_MESH_SESSIONS_PROPERTY_CHANGES_H

#include "mesh/base/sentence.h"
#include "mesh/sessions/properties.h"

enum { PROPERTY_CHANGES_GEO_KEYS = 4, PROPERTY_CHANGES_GEO_BYTES_MAX = 64 };

struct property_changes {
    struct property_set set;
    char geo[PROPERTY_CHANGES_GEO_KEYS]
            [PROPERTY_CHANGES_GEO_BYTES_MAX]; /* the values in their form */
};

/* Reads groups of struct property, absent ones to be removed. Returns ERROR_OK;
 * ERROR_INVALID_MESSAGE when they are malformed; ERROR_INVALID_ARGUMENT, and why in words, for none
 * at all, a key against the rules, a key named twice, too many. *changes is unspecified then. */
enum error property_changes_read(struct property_changes *changes, struct span groups,
                                 struct sentence *why);

#endif

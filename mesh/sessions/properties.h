/* properties.h - decides which properties a session may have, and keeps them.
 * The rules: a key has 1..128 bytes without blanks, quotes, parentheses, brackets and commas; a
 * value 0..4096 bytes; at most 128 of a client's own. Keys that begin with $ are weft's: a fixed
 * list, set by the node; any other $ key is ignored, whoever offers it.
 * Memory: one block of MEMORY_PROPERTIES a session, exactly as large as it needs.
 * Thread: one owner. */
#ifndef WEFT_MESH_SESSIONS_PROPERTIES_H
#define WEFT_MESH_SESSIONS_PROPERTIES_H

#include "mesh/base/memory.h"
#include "mesh/filter/subject.h"
#include "proto/client.h"

enum {
    PROPERTIES_ALL_MAX = PROPERTIES_MAX + KEYS,
    PROPERTY_KEYS_MAX = PROPERTIES_ALL_MAX,
};

/* What a session is to have, before it is stored: spans into the frame or at the caller's bytes. */
struct property_set {
    struct property items[PROPERTIES_ALL_MAX];
    size_t count, user_count;
};

/* What a session has, as filters read it: the fixed keys first, each part sorted by key. */
struct properties {
    struct subject *subject;
    size_t bytes;
};

/* Which properties somebody asks for. */
struct property_keys {
    struct span keys[PROPERTY_KEYS_MAX]; /* sorted */
    size_t count;
    bool has_all_fixed, has_all_user;
};

/* Adds what a client offers (groups of struct property). Returns ERROR_OK;
 * ERROR_INVALID_MESSAGE when the groups are malformed; ERROR_INVALID_ARGUMENT for a key or value
 * against the rules, a key given twice, or one too many: *culprit is then the key. The set is
 * unspecified after an error. Keys with $ are skipped. */
enum error property_set_offer(struct property_set *set, struct span groups, struct span *culprit);

/* Adds a fixed property; the spans must live until properties_store. */
void property_set_put(struct property_set *set, const char *key, struct span value);

/* Adds one that is to be changed, absent or not, whatever its key; false: it is there already, or
 * the set is full. The spans must live as long as the set is used. */
bool property_set_add(struct property_set *set, const struct property *property);

/* Whether a user property may have that key. */
bool property_key_is_good(struct span key);

/* Keeps a copy of the set in a zeroed struct properties. Returns ERROR_OK, or
 * ERROR_LIMIT_REACHED with nothing kept. */
enum error properties_store(struct properties *properties, struct memory *memory,
                            const struct property_set *set);
void properties_clear(struct properties *properties, struct memory *memory);

/* What would be different: the keys of the changes whose value is another one than now, with the
 * value they have now, or absent. The spans are of the properties. */
void properties_compare(const struct properties *properties, const struct property_set *changes,
                        struct property_set *previous);

/* Sets what the changes name and removes what they name as absent. Returns ERROR_OK, or
 * ERROR_LIMIT_REACHED (more than PROPERTIES_MAX of the user, or no memory): nothing changed. */
enum error properties_change(struct properties *properties, struct memory *memory,
                             const struct property_set *changes);

/* The set as groups, as much as property_set_measure says. */
size_t property_set_measure(const struct property_set *set);
void property_set_encode(const struct property_set *set, struct writer *writer);

/* The value under a key; false when the session does not have it. O(1) for a fixed key,
 * else O(properties). */
bool properties_find(const struct properties *properties, struct span key, struct span *value);

/* Reads "a,b,*F,*U"; empty: everything. ERROR_INVALID_ARGUMENT for more than PROPERTY_KEYS_MAX
 * keys. The spans point into the text. */
enum error property_keys_parse(struct property_keys *keys, struct span text);

/* Whether that key was asked for. O(keys). */
bool property_keys_have(const struct property_keys *keys, struct span key);

/* Writes what was asked for, as groups in their order; measure says how many bytes that takes. Into
 * less go those that fit. */
size_t properties_measure(const struct properties *properties, const struct property_keys *keys);
void properties_encode(const struct properties *properties, const struct property_keys *keys,
                       struct writer *writer);

#endif

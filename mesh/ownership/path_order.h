/* path_order.h - keeps handler paths in order of kind and path, sorting only when it is asked for.
 * Memory: the links are in the records. Thread: one owner. */
#ifndef WEFT_MESH_OWNERSHIP_PATH_ORDER_H
#define WEFT_MESH_OWNERSHIP_PATH_ORDER_H

struct handler_path;

/* Puts a path at the front of a list. O(1). */
void path_order_insert(struct handler_path **list, struct handler_path *path);

/* Takes a path out of its list. O(1). */
void path_order_remove(struct handler_path **list, struct handler_path *path);

/* Moves all of the second list to their places in the first, which is in order. Stable cost:
 * O(ordered + unordered log unordered), nothing when there is nothing unordered. */
void path_order_merge(struct handler_path **ordered, struct handler_path **unordered);

#endif

#include "tests/sim/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"
#include "tests/sim/world.h"

enum { TOLD_MAX = 12 };

struct views *views_new(uint32_t nodes)
{
    struct views *views = calloc(1, sizeof *views);
    require(views != NULL);
    views->nodes = nodes;
    views->table = calloc((size_t)nodes * nodes, sizeof *views->table);
    require(views->table != NULL);
    return views;
}

void views_destroy(struct views **views)
{
    if (*views != NULL)
        free((*views)->table);
    free(*views);
    *views = NULL;
}

static struct view *view_at(const struct views *views, uint32_t node, uint32_t of)
{
    return &views->table[(size_t)node * views->nodes + of];
}

const struct view *views_at(const struct views *views, uint32_t node, uint32_t of)
{
    return view_at(views, node, of);
}

const char *views_word(enum view_state state)
{
    static const char *const words[] = {"unknown", "alive", "suspect", "dead", "left"};
    return words[state];
}

enum view_state views_state(struct span word)
{
    for (int state = VIEW_ALIVE; state <= VIEW_LEFT; state++)
        if (span_equal(word, span_text(views_word((enum view_state)state))))
            return (enum view_state)state;
    return VIEW_UNKNOWN;
}

/* As wide as a view holds it. */
#define NOW_NS(world) ((world)->now_ns & UINT64_MAX >> 3)

/* Runs, and belongs to those who shall agree. */
static bool is_expected(const struct world *world, uint32_t node)
{
    return world_is_running(world, node) && !world->nodes[node].is_apart;
}

/* The column of a node's name: a newcomer that took a name stands in the other's. */
static uint32_t column(const struct world *world, uint32_t node)
{
    const struct world_node *n = &world->nodes[node];
    return n->is_namesake ? world_node_named(world, span_text(n->name)) : node;
}

static bool is_renamed(const struct world *world, uint32_t node)
{
    const struct world_node *n = &world->nodes[node];
    return n->instance != 0 && n->renamed == n->instance;
}

bool views_is_right(const struct world *world, uint32_t node, uint32_t of)
{
    if (!is_expected(world, node) || world->nodes[of].is_namesake)
        return true;
    if (is_renamed(world, node) || is_renamed(world, of)) /* what it is held is not judged */
        return true;
    const struct view *view = view_at(world->views, node, of);
    uint32_t spare = world->spare;
    bool is_there = is_expected(world, of);
    bool is_spare_there =
        spare != UINT32_MAX && is_expected(world, spare) && column(world, spare) == of;
    if (!is_there && !is_spare_there)
        return view->state != VIEW_ALIVE && view->state != VIEW_SUSPECT;
    if (is_there && is_spare_there)
        return false; /* one of the two has to go */
    uint64_t instance = world->nodes[is_there ? of : spare].instance;
    return view->state == VIEW_ALIVE && view->instance == instance;
}

void views_note(struct world *world, uint32_t node, uint32_t of, const struct mesh_notice *notice)
{
    struct view *view = view_at(world->views, node, of);
    bool was_right = views_is_right(world, node, of);
    view->instance = notice->values[0];
    view->since_ns = NOW_NS(world);
    view->state = views_state(notice->texts[1]);
    bool is_right = views_is_right(world, node, of);
    world->views->wrong += (uint64_t)was_right;
    world->views->wrong -= (uint64_t)is_right;
}

/* How many views of this node and by it are wrong. */
static uint64_t wrong_about(const struct world *world, uint32_t node)
{
    uint64_t wrong = 0;
    uint32_t own = column(world, node);
    for (uint32_t other = 0; other < world->nodes_count; other++) {
        wrong += !views_is_right(world, node, other);
        wrong += other != node && !views_is_right(world, other, own);
    }
    return wrong;
}

void views_before(struct world *world, uint32_t node)
{
    world->views->wrong -= wrong_about(world, node);
}

void views_after(struct world *world, uint32_t node)
{
    world->views->wrong += wrong_about(world, node);
}

void views_renamed(struct world *world, uint32_t node)
{
    views_before(world, node);
    world->nodes[node].renamed = world->nodes[node].instance;
    views_after(world, node);
}

void views_start(struct world *world, uint32_t node)
{
    memset(view_at(world->views, node, 0), 0, world->views->nodes * sizeof(struct view));
    *view_at(world->views, node, column(world, node)) = (struct view){
        .instance = world->nodes[node].instance,
        .since_ns = NOW_NS(world),
        .state = VIEW_ALIVE,
    };
}

void views_start_all(struct world *world)
{
    for (uint32_t node = 0; node < world->nodes_count; node++)
        for (uint32_t of = 0; of < world->nodes_count; of++)
            *view_at(world->views, node, of) = (struct view){
                .instance = world->nodes[of].instance,
                .since_ns = NOW_NS(world),
                .state = VIEW_ALIVE,
            };
    world->views->wrong = 0;
}

void views_tell(const struct world *world)
{
    unsigned told = 0;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        for (uint32_t j = 0; j < world->nodes_count && told < TOLD_MAX; j++) {
            if (views_is_right(world, i, j))
                continue;
            const struct view *view = view_at(world->views, i, j);
            bool is_present = view->instance == world->nodes[j].instance;
            fprintf(stderr, "  %s holds %s %s%s since %.3f s; it %s\n", world->nodes[i].name,
                    world->nodes[j].name, views_word(view->state),
                    is_present || view->state == VIEW_UNKNOWN ? "" : " (another instance)",
                    (double)view->since_ns / 1e9,
                    is_expected(world, j) ? "runs and is reachable" : "is gone");
            told++;
        }
    }
    fprintf(stderr, "  %llu views are wrong in all\n", (unsigned long long)world->views->wrong);
}

/* claims.c - see claims.h.
 *
 * Conflicts are rare and looked for when something happened that can make one, not written down:
 * an own session is lost exactly when claims_find names another live node. So there is no list
 * that could overflow, and what was lost and won back meanwhile is never told. */
#include "mesh/ownership/claims.h"

static bool is_better(const struct content *content, uint32_t claim, const struct content *best,
                      uint32_t best_claim)
{
    if (best == NULL)
        return true;
    if (content->visibility != best->visibility)
        return content->visibility > best->visibility; /* live before lost */
    return claim != best_claim ? claim > best_claim : content->writer > best->writer;
}

const struct content *claims_find(const struct directory *directory, struct session_id session)
{
    const struct content *best = NULL;
    uint32_t best_claim = 0;
    const struct hosted *hosted = origins_first(&directory->origins, session.instance);
    for (; hosted != NULL; hosted = hosted->next) {
        if (hosted->content->visibility == CONTENT_STAGED)
            continue;
        struct serials_value value = serials_get(&hosted->serials, session.serial);
        if (value.state == 0 || !is_better(hosted->content, value.claim, best, best_claim))
            continue;
        best = hosted->content;
        best_claim = value.claim;
    }
    return best;
}

uint32_t claims_highest(const struct directory *directory, struct session_id session)
{
    uint32_t highest = 0;
    const struct hosted *hosted = origins_first(&directory->origins, session.instance);
    for (; hosted != NULL; hosted = hosted->next) {
        if (hosted->content->visibility == CONTENT_STAGED)
            continue;
        uint32_t claim = serials_get(&hosted->serials, session.serial).claim;
        highest = claim > highest ? claim : highest;
    }
    return highest;
}

static void look_again(struct directory *directory)
{
    directory->scan = (struct directory_scan){.is_due = true};
}

void claims_entry_applied(struct directory *directory, struct session_id session)
{
    if (content_session(directory->own, session).state != 0)
        look_again(directory);
}

void claims_content_shown(const struct content *content)
{
    struct directory *directory = content->directory;
    for (uint32_t i = 0; i < content->tables_count; i++) {
        uint64_t origin = content->tables[i]->origin;
        const struct hosted *hosted = content_table_from(directory->own, origin);
        if (hosted != NULL && hosted->origin == origin)
            look_again(directory);
    }
}

/* Of one own table, the next session above `at` that another has won. */
static bool table_next_lost(struct directory *directory, const struct hosted *hosted,
                            uint64_t *winner)
{
    const struct hosted *first = origins_first(&directory->origins, hosted->origin);
    if (first->next == NULL)
        return false; /* nobody else has sessions of this origin */
    struct directory_scan *scan = &directory->scan;
    bool goes_on = scan->in_table && scan->at.instance == hosted->origin;
    uint32_t position = goes_on ? serials_seek(&hosted->serials, scan->at.serial) : 0;
    struct serials_value value;
    scan->in_table = true;
    scan->at.instance = hosted->origin;
    while (serials_next(&hosted->serials, &position, &scan->at.serial, &value)) {
        const struct content *best = claims_find(directory, scan->at);
        if (best != directory->own) {
            *winner = best->writer;
            return true;
        }
    }
    return false;
}

bool claims_next_lost(struct directory *directory, struct session_id *session, uint64_t *winner)
{
    struct directory_scan *scan = &directory->scan;
    const struct hosted *hosted;
    while (scan->is_due &&
           (hosted = content_table_from(directory->own, scan->at.instance)) != NULL) {
        if (table_next_lost(directory, hosted, winner)) {
            *session = scan->at;
            return true;
        }
        if (hosted->origin == UINT64_MAX)
            break;
        *scan = (struct directory_scan){.is_due = true, .at.instance = hosted->origin + 1};
    }
    scan->is_due = false;
    return false;
}

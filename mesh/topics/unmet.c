/* unmet.c - see unmet.h. */
#include "mesh/topics/unmet.h"

struct unmet {
    struct unmet *next;
    struct topics_missing missing;
};

void unmet_note(struct topics *topics, const struct session *session, struct span selector)
{
    struct scratch *scratch = &topics->context->scratch;
    struct unmet *unmet = scratch_new(scratch, sizeof *unmet);
    struct span kept = scratch_copy(scratch, selector);
    if (unmet == NULL || kept.data == NULL)
        return;
    unmet->missing = (struct topics_missing){.session = session->id, .selector = kept};
    unmet->next = topics->unmet;
    topics->unmet = unmet;
}

bool unmet_next(struct topics *topics, struct topics_missing *missing)
{
    if (topics->unmet == NULL)
        return false;
    *missing = topics->unmet->missing;
    topics->unmet = topics->unmet->next;
    return true;
}

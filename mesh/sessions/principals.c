/* principals.c - see principals.h. Chains by the hash that the property has anyway. Whoever makes
 * principals collide makes a look-up as slow as a scan, which is what it replaces. */
#include "mesh/sessions/principals.h"

#include "mesh/sessions/table.h"

struct principals_chain {
    uint32_t first, last; /* slot + 1; 0: none */
};

bool principals_init(struct sessions *sessions)
{
    size_t count = 1;
    while (count < sessions->capacity)
        count *= 2;
    sessions->principals_mask = (uint32_t)(count - 1);
    sessions->principals =
        memory_new(&sessions->context->memory, MEMORY_TABLES, count * sizeof *sessions->principals);
    return sessions->principals != NULL;
}

void principals_clear(struct sessions *sessions)
{
    memory_free(&sessions->context->memory, MEMORY_TABLES, sessions->principals,
                (sessions->principals_mask + (size_t)1) * sizeof *sessions->principals);
    sessions->principals = NULL;
}

static struct principals_chain *chain_of(struct sessions *sessions, struct span principal)
{
    return &sessions->principals[subject_hash(principal) & sessions->principals_mask];
}

static struct span principal_of(const struct session *session)
{
    struct span principal = {0};
    (void)properties_find(&session->properties, key_text(KEY_PRINCIPAL), &principal);
    return principal;
}

void principals_add(struct sessions *sessions, struct session *session)
{
    struct principals_chain *chain = chain_of(sessions, principal_of(session));
    session->next_namesake = 0;
    session->previous_namesake = chain->last;
    if (chain->last == 0)
        chain->first = session->slot + 1;
    else
        sessions->slots[chain->last - 1].next_namesake = session->slot + 1;
    chain->last = session->slot + 1;
}

void principals_remove(struct sessions *sessions, struct session *session)
{
    struct principals_chain *chain = chain_of(sessions, principal_of(session));
    if (session->previous_namesake == 0)
        chain->first = session->next_namesake;
    else
        sessions->slots[session->previous_namesake - 1].next_namesake = session->next_namesake;
    if (session->next_namesake == 0)
        chain->last = session->previous_namesake;
    else
        sessions->slots[session->next_namesake - 1].previous_namesake = session->previous_namesake;
}

struct session *principals_next(struct sessions *sessions, struct span principal,
                                const struct session *after)
{
    uint32_t next = after != NULL ? after->next_namesake : chain_of(sessions, principal)->first;
    for (; next != 0; next = sessions->slots[next - 1].next_namesake) {
        struct session *session = &sessions->slots[next - 1];
        if (span_equal(principal_of(session), principal))
            return session;
    }
    return NULL;
}

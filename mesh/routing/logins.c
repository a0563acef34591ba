/* logins.c - see logins.h.
 *
 * (L1) a session that is OPENING between two facts has a login; whoever has one is OPENING or OPEN
 * (L2) a free slot holds no credentials */
#include "mesh/routing/logins.h"

#include "mesh/base/wipe.h"

struct logins {
    struct context *context;
    struct sessions *sessions;
    struct login *slots;
    uint32_t used, count, first_free;
    uint32_t first_in_line, last_in_line;
};

struct logins *logins_new(struct context *context, struct sessions *sessions)
{
    struct memory *memory = &context->memory;
    struct logins *logins = memory_new(memory, MEMORY_TABLES, sizeof *logins);
    if (logins == NULL)
        return NULL;
    *logins = (struct logins){
        .context = context,
        .sessions = sessions,
        .slots = memory_new(memory, MEMORY_TABLES, LOGINS_MAX * sizeof(struct login)),
        .first_free = LOGIN_NONE,
        .first_in_line = LOGIN_NONE,
        .last_in_line = LOGIN_NONE,
    };
    if (logins->slots == NULL)
        logins_destroy(&logins);
    return logins;
}

void logins_destroy(struct logins **logins)
{
    struct logins *self = *logins;
    if (self == NULL)
        return;
    struct memory *memory = &self->context->memory;
    for (uint32_t slot = 0; slot < self->used; slot++) {
        deadlines_cancel(self->context->deadlines, &self->slots[slot].deadline);
        wipe_bytes(self->slots[slot].credentials, CREDENTIALS_BYTES_MAX);
    }
    memory_free(memory, MEMORY_TABLES, self->slots, LOGINS_MAX * sizeof(struct login));
    memory_free(memory, MEMORY_TABLES, self, sizeof *self);
    *logins = NULL;
}

/* FNV-1a over the host: what stands before the last colon. */
static uint64_t address_of(const struct session *session)
{
    struct span text = {0};
    uint64_t hash = UINT64_C(14695981039346656037);
    (void)properties_find(&session->properties, key_text(KEY_CLIENT_IP), &text);
    size_t end = text.bytes;
    while (end > 0 && text.data[end - 1] != ':')
        end--;
    for (size_t i = 0; i < (end > 0 ? end : text.bytes); i++)
        hash = (hash ^ text.data[i]) * UINT64_C(1099511628211);
    return hash;
}

static bool has_share(const struct logins *logins, uint64_t address)
{
    uint32_t waiting = 0;
    for (uint32_t slot = 0; slot < logins->used; slot++)
        waiting +=
            logins->slots[slot].state != LOGIN_FREE && logins->slots[slot].address == address;
    return waiting < LOGINS_OF_ADDRESS_MAX;
}

static uint16_t copy(uint8_t *to, struct span from)
{
    if (from.bytes > 0)
        memcpy(to, from.data, from.bytes);
    return (uint16_t)from.bytes;
}

static struct login *slot_take(struct logins *logins)
{
    uint32_t slot = logins->first_free;
    if (slot == LOGIN_NONE)
        slot = logins->used++;
    else
        logins->first_free = logins->slots[slot].next;
    logins->count++;
    return &logins->slots[slot];
}

struct login *logins_take(struct logins *logins, const struct claim *claim, uint64_t ends_ns,
                          const char **why)
{
    uint64_t address = address_of(claim->session);
    *why = NULL;
    if (claim->offered.bytes > LOGIN_OFFERED_BYTES_MAX)
        *why = "where others decide who may enter, at most 4 KiB of properties can be offered";
    else if (logins->count == LOGINS_MAX)
        *why = "too many wait to be let in at this node; try another one, or again";
    else if (!has_share(logins, address))
        *why = "too many of your address wait to be let in at this node; try again";
    if (*why != NULL)
        return NULL;
    struct login *login = slot_take(logins);
    uint32_t slot = (uint32_t)(login - logins->slots), generation = login->generation;
    login->slot = slot;
    login->generation = generation;
    logins_renumber(login);
    login->state = LOGIN_AT_NOBODY;
    login->session = claim->session->slot;
    login->is_opening = claim->is_opening;
    login->correlation = claim->correlation;
    login->rule = 0;
    login->tries = 0;
    login->handler = (struct session_id){0};
    login->ends_ns = ends_ns;
    login->deadline = (struct deadline){.room = DEADLINE_ROUTING, .slot = slot};
    login->address = address;
    login->principal_bytes = copy(login->principal, claim->principal);
    login->credentials_bytes = copy(login->credentials, claim->credentials);
    login->offered_bytes = copy(login->offered, claim->offered);
    claim->session->login = slot + 1;
    return login;
}

void logins_release(struct logins *logins, struct login *login)
{
    require(login->state == LOGIN_AT_NOBODY);
    deadlines_cancel(logins->context->deadlines, &login->deadline);
    wipe_bytes(login->credentials, login->credentials_bytes);
    login->credentials_bytes = login->principal_bytes = login->offered_bytes = 0;
    logins_renumber(login);
    sessions_at(logins->sessions, login->session)->login = 0;
    login->state = LOGIN_FREE;
    login->next = logins->first_free;
    logins->first_free = login->slot;
    logins->count--;
}

struct login *logins_of_session(struct logins *logins, const struct session *session)
{
    return session->login == 0 ? NULL : logins_at(logins, session->login - 1);
}

uint64_t logins_number(const struct login *login)
{
    return (uint64_t)login->generation << 32 | login->slot;
}

void logins_renumber(struct login *login)
{
    login->generation = login->generation == UINT32_MAX ? 1 : login->generation + 1;
}

struct login *logins_of_number(struct logins *logins, uint64_t number)
{
    uint32_t slot = (uint32_t)number;
    if (slot >= logins->used)
        return NULL;
    struct login *login = &logins->slots[slot];
    return login->state == LOGIN_FREE || logins_number(login) != number ? NULL : login;
}

struct login *logins_at(struct logins *logins, uint32_t slot)
{
    require(slot < logins->used);
    return &logins->slots[slot];
}

struct login *logins_next(struct logins *logins, const struct login *after)
{
    for (uint32_t slot = after == NULL ? 0 : after->slot + 1; slot < logins->used; slot++) {
        if (logins->slots[slot].state != LOGIN_FREE)
            return &logins->slots[slot];
    }
    return NULL;
}

struct claim logins_claim(struct logins *logins, const struct login *login)
{
    return (struct claim){
        .session = sessions_at(logins->sessions, login->session),
        .is_opening = login->is_opening,
        .correlation = login->correlation,
        .principal = span_of(login->principal, login->principal_bytes),
        .credentials = span_of(login->credentials, login->credentials_bytes),
        .offered = span_of(login->offered, login->offered_bytes),
    };
}

void logins_line_up(struct logins *logins, struct login *login)
{
    require(login->state == LOGIN_AT_NOBODY);
    login->state = LOGIN_IN_LINE;
    login->next = LOGIN_NONE;
    login->previous = logins->last_in_line;
    if (logins->last_in_line == LOGIN_NONE)
        logins->first_in_line = login->slot;
    else
        logins->slots[logins->last_in_line].next = login->slot;
    logins->last_in_line = login->slot;
}

void logins_leave_line(struct logins *logins, struct login *login)
{
    require(login->state == LOGIN_IN_LINE);
    login->state = LOGIN_AT_NOBODY;
    if (login->previous == LOGIN_NONE)
        logins->first_in_line = login->next;
    else
        logins->slots[login->previous].next = login->next;
    if (login->next == LOGIN_NONE)
        logins->last_in_line = login->previous;
    else
        logins->slots[login->next].previous = login->previous;
}

struct login *logins_first_in_line(struct logins *logins)
{
    return logins->first_in_line == LOGIN_NONE ? NULL : &logins->slots[logins->first_in_line];
}

uint32_t logins_count(const struct logins *logins)
{
    return logins->count;
}

void logins_check(const struct logins *logins)
{
    uint32_t count = 0, opening = 0;
    for (uint32_t slot = 0; slot < logins->used; slot++) {
        const struct login *login = &logins->slots[slot];
        if (login->state == LOGIN_FREE) {
            require(login->credentials_bytes == 0);
            continue;
        }
        require(login->state != LOGIN_AT_NOBODY && deadline_is_set(&login->deadline));
        count++;
        opening += login->is_opening;
    }
    require(count == logins->count && opening == sessions_opening(logins->sessions));
}

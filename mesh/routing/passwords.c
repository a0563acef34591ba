/* passwords.c - see passwords.h. Whoever is not in the file of users is checked like all others,
 * against nobody's password, so that time does not say who is in it. */
#include "mesh/routing/passwords.h"

#include "mesh/routing/authentication.h"

static void order(struct routing *routing, const struct login *login)
{
    struct mesh_output check = {
        .order = MESH_CHECK_PASSWORD,
        .number = logins_number(login),
        .principal = span_of(login->principal, login->principal_bytes),
        .credentials = span_of(login->credentials, login->credentials_bytes),
    };
    outbox_order(routing->context->outbox, &check);
    count(routing->context, COUNTER_passwords_checked);
}

static void feed(struct routing *routing)
{
    struct login *login;
    while (routing->passwords_at_work < MESH_PASSWORDS_AT_ONCE &&
           (login = logins_first_in_line(routing->logins)) != NULL) {
        logins_leave_line(routing->logins, login);
        login->state = LOGIN_AT_PASSWORDS;
        routing->passwords_at_work++;
        order(routing, login);
    }
}

void passwords_ask(struct routing *routing, struct login *login)
{
    logins_line_up(routing->logins, login);
    feed(routing);
}

static void right(struct routing *routing, struct login *login, struct span roles)
{
    struct allowance allowance;
    struct span culprit, principal = span_of(login->principal, login->principal_bytes);
    if (allowance_make(&allowance, principal, roles, (struct span){0}, &culprit) == ERROR_OK)
        authentication_allowed(routing, login, &allowance);
    else
        authentication_denied(routing, login);
}

void passwords_checked(struct routing *routing, uint64_t number, enum mesh_password password,
                       struct span roles)
{
    struct login *login = logins_of_number(routing->logins, number);
    require(routing->passwords_at_work > 0);
    routing->passwords_at_work--;
    if (login != NULL && login->state == LOGIN_AT_PASSWORDS) { /* else its client is gone */
        login->state = LOGIN_AT_NOBODY;
        switch (password) {
        case MESH_PASSWORD_RIGHT:
            right(routing, login, roles);
            break;
        case MESH_PASSWORD_WRONG:
            authentication_denied(routing, login);
            break;
        case MESH_PASSWORD_OF_NOBODY:
            authentication_abstained(routing, login);
            break;
        }
    }
    feed(routing);
}

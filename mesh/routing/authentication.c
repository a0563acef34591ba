/* authentication.c - see authentication.h.
 *
 * (AU1) opening_admit and DONE come only from admit(), and admit() only with an allowance: of the
 *       node's own, made where the chain says ALLOWED, or of somebody who was asked and is asked
 *       still.
 * (AU2) a claim is answered once: by admit(), or by refuse(); or its client is gone.
 * (AU3) how near a guess came is not said, and who it said it was is not in what is noted of a
 *       refusal: people mistake the field. */
#include "mesh/routing/authentication.h"

#include "mesh/base/bugs.h"
#include "mesh/base/wipe.h"
#include "mesh/routing/authenticators.h"
#include "mesh/routing/passwords.h"
#include "proto/authentication.h"

static void answer_no(struct routing *routing, const struct claim *claim, enum error code,
                      struct span text)
{
    if (claim->is_opening)
        sessions_turn_away(routing->sessions, claim->session, code, text);
    else
        sessions_send_error(routing->sessions, claim->session, claim->correlation, code, text);
}

/* A limit, or the moment: nothing is said about who it is. */
static void refuse(struct routing *routing, const struct claim *claim, enum error code,
                   struct span text)
{
    count(routing->context, COUNTER_authentications_refused);
    answer_no(routing, claim, code, text);
}

/* The daemon counts those of an address, and tells us when they are too many. */
static void failure_tell(struct routing *routing, const struct claim *claim)
{
    struct span address = {0};
    (void)properties_find(&claim->session->properties, key_text(KEY_CLIENT_IP), &address);
    struct mesh_output order = {
        .order = MESH_LOGIN_FAILED,
        .channel = CHANNEL_CLIENT,
        .connection = claim->session->connection,
    };
    const struct span texts[3] = {address, {0}, {0}};
    outbox_notice(routing->context->outbox, NOTICE_LOGIN_DENIED, NULL, texts);
    outbox_order(routing->context->outbox, &order);
}

static void deny(struct routing *routing, const struct claim *claim)
{
    count(routing->context, COUNTER_authentications_denied);
    failure_tell(routing, claim);
    answer_no(routing, claim, ERROR_ACCESS_DENIED,
              claim->principal.bytes > 0
                  ? span_text("the node does not let this principal in with these credentials "
                              "(auth.chain)")
                  : span_text("the node lets nobody in without a principal (auth.chain)"));
}

static void admit(struct routing *routing, const struct claim *claim,
                  const struct allowance *allowance)
{
    if (allowance_give(routing->sessions, claim->session, allowance) != ERROR_OK) {
        refuse(routing, claim, ERROR_LIMIT_REACHED,
               span_text("no room for the session's properties (at most 128, memory.properties)"));
        return;
    }
    count(routing->context, COUNTER_authentications_allowed);
    if (claim->is_opening)
        opening_admit(routing->sessions, claim->session);
    else
        sessions_send_done(routing->sessions, claim->session, claim->correlation);
}

/* The node's own allow: of nobody in particular, or of a name that nobody asks to be proven. */
static void admit_unasked(struct routing *routing, const struct claim *claim)
{
    struct allowance allowance;
    struct sentence text;
    struct span culprit;
    bool is_anonymous = claim->principal.bytes == 0;
    bool is_trusted = is_anonymous && routing->context->config->trusts_anonymous;
    enum error error = allowance_make(&allowance, claim->principal,
                                      is_anonymous ? sessions_anonymous_roles(routing->sessions)
                                                   : (struct span){0},
                                      is_trusted ? claim->offered : (struct span){0}, &culprit);
    if (error == ERROR_OK) {
        admit(routing, claim, &allowance);
    } else if (error == ERROR_INVALID_ARGUMENT) {
        sentence_start(&text, "a property is against the rules (key of 1 to 128 bytes without "
                              "blanks, quotes, brackets and commas, each once, at most 128): ");
        sentence_add_span(&text, culprit);
        refuse(routing, claim, error, sentence_span(&text));
    } else {
        refuse(routing, claim, error, span_text("the offered properties are malformed"));
    }
}

/* Its key is proof enough of who it is: the operator's files say so, and which roles it has. */
static void admit_by_key(struct routing *routing, const struct claim *claim)
{
    struct allowance allowance;
    struct span culprit;
    if (allowance_make(&allowance, claim->owner, claim->owner_roles, (struct span){0}, &culprit) ==
        ERROR_OK)
        admit(routing, claim, &allowance);
    else
        refuse(routing, claim, ERROR_INVALID_ARGUMENT,
               span_text("the file of your key in the node's curve.clients names roles that are "
                         "none"));
}

/* ---- those who have to be asked for ---- */

/* The claim lives as long as the login. */
static void login_end(struct routing *routing, struct login *login)
{
    login->state = LOGIN_AT_NOBODY;
    logins_release(routing->logins, login);
}

/* Takes it back from whoever has it. */
static void login_withdraw(struct routing *routing, struct login *login)
{
    if (login->state == LOGIN_IN_LINE)
        logins_leave_line(routing->logins, login);
    else if (login->state == LOGIN_AT_SESSION)
        authenticators_withdraw(routing, login);
    login->state = LOGIN_AT_NOBODY;
    logins_renumber(login);
}

/* The claim of a login that ends by being answered. The login must not be there any more when its
 * session is turned away, and its texts must: they are looked at before it is released. */
static void login_refuse(struct routing *routing, struct login *login, enum error code,
                         struct span text)
{
    struct claim claim = logins_claim(routing->logins, login);
    login_end(routing, login);
    refuse(routing, &claim, code, text);
}

static void login_deny(struct routing *routing, struct login *login)
{
    struct claim claim = logins_claim(routing->logins, login);
    login_end(routing, login);
    deny(routing, &claim);
}

static void login_admit(struct routing *routing, struct login *login,
                        const struct allowance *allowance)
{
    struct claim claim = logins_claim(routing->logins, login);
    admit(routing, &claim, allowance);
    login_end(routing, login);
}

static void login_admit_unasked(struct routing *routing, struct login *login)
{
    struct claim claim = logins_claim(routing->logins, login);
    admit_unasked(routing, &claim);
    login_end(routing, login);
}

/* Asks whom the rule names; the deadline is that of all steps, unless he sets a nearer one. */
static enum authenticator_answer ask(struct routing *routing, struct login *login)
{
    const struct identity_chain *chain = sessions_chain(routing->sessions);
    const struct identity_rule *rule = &chain->rules[login->rule];
    login->deadline.purpose = ROUTING_LOGIN_DUE;
    deadlines_set(routing->context->deadlines, &login->deadline, login->ends_ns);
    if (rule->step == IDENTITY_HANDLER)
        return authenticators_ask(routing, login, identity_name(rule));
    passwords_ask(routing, login);
    return AUTHENTICATOR_ASKED;
}

/* Whether the silence of him who was asked means that the chain goes on. */
static bool silence_abstains(const struct routing *routing)
{
    return routing->context->config->auth_timeout_abstains || bug_is_planted(BUG_SILENT_IN);
}

static void rule_next(struct login *login)
{
    login->rule++;
    login->tries = 0;
}

/* Goes along the chain from the rule that the login has come to. */
static void go_on(struct routing *routing, struct login *login)
{
    const struct identity_chain *chain = sessions_chain(routing->sessions);
    struct span principal = span_of(login->principal, login->principal_bytes);
    for (;;) {
        switch (identity_judge(chain, principal, (struct span){0}, &login->rule)) {
        case IDENTITY_ALLOWED:
            login_admit_unasked(routing, login);
            return;
        case IDENTITY_DENIED:
            login_deny(routing, login);
            return;
        case IDENTITY_ASKS:
            break;
        }
        enum authenticator_answer answer = ask(routing, login);
        if (answer == AUTHENTICATOR_ASKED)
            return;
        if (answer == AUTHENTICATOR_SILENT && !silence_abstains(routing)) {
            login_deny(routing, login);
            return;
        }
        rule_next(login);
    }
}

static void begin(struct routing *routing, const struct claim *claim, bool is_limited)
{
    uint32_t at = 0;
    const char *why = NULL;
    count(routing->context, COUNTER_authentications_begun);
    const struct identity_chain *chain = sessions_chain(routing->sessions);
    enum identity_verdict verdict = identity_judge(chain, claim->principal, claim->owner, &at);
    if (verdict == IDENTITY_ALLOWED && chain->rules[at].step == IDENTITY_CURVE) {
        admit_by_key(routing, claim);
    } else if (verdict == IDENTITY_ALLOWED) {
        admit_unasked(routing, claim);
    } else if (verdict == IDENTITY_DENIED) {
        deny(routing, claim);
    } else if (is_limited) {
        count(routing->context, COUNTER_authentications_refused_address);
        refuse(routing, claim, ERROR_LIMIT_REACHED,
               span_text("too many logins from your address failed (auth.failures_per_address); "
                         "try again later"));
    } else {
        uint64_t ends_ns = routing->context->now_ns + AUTHENTICATION_NS;
        struct login *login = logins_take(routing->logins, claim, ends_ns, &why);
        if (login != NULL)
            go_on(routing, login);
        else
            refuse(routing, claim, ERROR_LIMIT_REACHED, span_text(why));
    }
}

void authentication_hello(struct routing *routing, const struct opening *opening, bool is_limited)
{
    const struct claim claim = {
        .session = opening->session,
        .is_opening = true,
        .principal = opening->hello.principal,
        .credentials = opening->hello.credentials,
        .offered = opening->offered,
        .owner = opening->owner,
        .owner_roles = opening->owner_roles,
    };
    begin(routing, &claim, is_limited);
}

enum error authentication_from_session(struct routing *routing, struct session *session,
                                       const struct message *message, bool is_limited)
{
    struct reauthenticate said;
    wipe_input(routing->context->outbox);
    enum error error = schema_decode(&reauthenticate_schema, message->fields, &said);
    if (error != ERROR_OK)
        return error;
    const struct claim claim = {
        .session = session,
        .correlation = message->correlation,
        .principal = said.principal,
        .credentials = said.credentials,
    };
    if (logins_of_session(routing->logins, session) == NULL)
        begin(routing, &claim, is_limited);
    else
        sessions_send_error(routing->sessions, session, message->correlation, ERROR_LIMIT_REACHED,
                            span_text("the session is being authenticated already; wait for that"));
    return ERROR_OK;
}

/* ---- what comes of it ---- */

void authentication_allowed(struct routing *routing, struct login *login,
                            const struct allowance *allowance)
{
    require(login->state == LOGIN_AT_NOBODY);
    login_admit(routing, login, allowance);
}

void authentication_denied(struct routing *routing, struct login *login)
{
    if (bug_is_planted(BUG_DENIED_IN)) {
        authentication_abstained(routing, login);
        return;
    }
    require(login->state == LOGIN_AT_NOBODY);
    login_deny(routing, login);
}

void authentication_abstained(struct routing *routing, struct login *login)
{
    require(login->state == LOGIN_AT_NOBODY);
    rule_next(login);
    go_on(routing, login);
}

void authentication_lost(struct routing *routing, struct login *login)
{
    require(login->state == LOGIN_AT_NOBODY);
    count(routing->context, COUNTER_authenticators_lost);
    go_on(routing, login); /* the same rule: another handler, or silence */
}

void authentication_due(struct routing *routing, struct login *login)
{
    bool is_over = routing->context->now_ns >= login->ends_ns;
    login_withdraw(routing, login);
    if (is_over) {
        login_refuse(routing, login, ERROR_LIMIT_REACHED,
                     span_text("nobody came to a decision within 30 s; try again, or another "
                               "node"));
        return;
    }
    count(routing->context, COUNTER_authenticators_silent);
    if (silence_abstains(routing))
        authentication_abstained(routing, login);
    else
        login_deny(routing, login);
}

void authentication_abandon(struct routing *routing, struct session *session)
{
    struct login *login = logins_of_session(routing->logins, session);
    if (login == NULL)
        return;
    count(routing->context, COUNTER_authentications_abandoned);
    login_withdraw(routing, login);
    login_end(routing, login);
}

void authentication_reconfigured(struct routing *routing)
{
    struct login *login = NULL;
    while ((login = logins_next(routing->logins, login)) != NULL) {
        login_withdraw(routing, login);
        login->rule = 0;
        login->tries = 0;
        go_on(routing, login);
    }
}

void authentication_stop(struct routing *routing)
{
    struct login *login = NULL;
    while ((login = logins_next(routing->logins, login)) != NULL) {
        login_withdraw(routing, login);
        login_refuse(routing, login, ERROR_NOT_READY,
                     span_text("this node is leaving the mesh; try another one"));
    }
}

void authentication_check(const struct routing *routing)
{
    const uint64_t *counters = routing->context->counters;
    require(counters[COUNTER_authentications_begun] ==
            counters[COUNTER_authentications_allowed] + counters[COUNTER_authentications_denied] +
                counters[COUNTER_authentications_refused] +
                counters[COUNTER_authentications_abandoned] + logins_count(routing->logins));
    logins_check(routing->logins);
}

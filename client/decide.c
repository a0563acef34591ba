/* decide.c - see decide.h. */
#include "client/decide.h"

#include "client/calls.h"
#include "client/client.h"
#include "client/paths.h"
#include "client/query.h"
#include "proto/authentication.h"
#include "proto/kinds.h"
#include "proto/missing.h"
#include "proto/request.h"

#include <stdlib.h>
#include <string.h>

enum { ROLES_VALUE_BYTES = ROLES_MAX * (ROLE_BYTES_MAX + 3) };

/* ---- questions ---- */

static bool say(struct weft_client *client, uint64_t correlation, enum decision_code code,
                struct span properties)
{
    const struct decision decision = {.code = (uint8_t)code};
    reactor_make_ready(client->context, client);
    return batch_put(&client->batch, &decision_schema, &decision, KIND_DECISION, correlation,
                     properties);
}

/* Its time is over: silence has been taken for an answer. */
static void expired(struct timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    struct slot *slot = (struct slot *)timer;
    slots_give(&slot->client->slots, slot);
}

void decide_asked(struct weft_client *client, const struct message *message)
{
    struct authenticate said;
    if (schema_decode(&authenticate_schema, message->fields, &said) != ERROR_OK)
        return;
    const struct serve_handler *handler =
        serve_find(&client->serve, HANDLER_AUTHENTICATION, said.name);
    struct timers *timers = &client->context->timers;
    struct slot *slot =
        handler == NULL ? NULL : slots_take(&client->slots, timers, client, SLOT_LOGIN);
    if (slot == NULL) { /* the handler has just gone, or too much is in hand: nobody comes in */
        (void)say(client, message->correlation, DECISION_DENY, (struct span){0});
        return;
    }
    slot->of.correlation = message->correlation;
    uint64_t responder = slots_number(slot);
    const struct weft_login login = {
        .responder = responder,
        .name = client_text(said.name),
        .principal = client_text(said.principal),
        .credentials = said.credentials.data,
        .credentials_bytes = said.credentials.bytes,
        .session = client_id(said.session),
        .properties = {message->body.data, message->body.bytes},
        .timeout_ms = said.timeout_ms,
    };
    handler->of.authenticate(client, &login, handler->user);
    if (client->is_destroyed)
        return;
    slot = slots_find(&client->slots, responder, SLOT_LOGIN);
    if (slot == NULL) /* answered at once: no timer was needed */
        return;
    slot->timer.fire = expired;
    reactor_set_timer(client->context, &slot->timer,
                      reactor_now_ns() + client_ms_to_ns(said.timeout_ms));
}

static enum weft_error answer(struct weft_client *client, uint64_t responder,
                              enum decision_code code, struct span properties)
{
    struct slot *slot = slots_find(&client->slots, responder, SLOT_LOGIN);
    if (slot == NULL)
        return WEFT_CANCELLED;
    if (!say(client, slot->of.correlation, code, properties))
        return WEFT_LIMIT_REACHED;
    slots_give(&client->slots, slot);
    return WEFT_OK;
}

enum weft_error weft_deny(struct weft_client *client, uint64_t responder)
{
    return answer(client, responder, DECISION_DENY, (struct span){0});
}

enum weft_error weft_abstain(struct weft_client *client, uint64_t responder)
{
    return answer(client, responder, DECISION_ABSTAIN, (struct span){0});
}

/* ---- allow ---- */

static bool is_geo(const char *key)
{
    return strcmp(key, "$Country") == 0 || strcmp(key, "$Language") == 0 ||
           strcmp(key, "$Latitude") == 0 || strcmp(key, "$Longitude") == 0;
}

static bool is_good(const struct weft_property *property)
{
    return property->key != NULL && property->value != NULL &&
           (property->key[0] != '$' || is_geo(property->key)) && property->key[0] != '\0' &&
           strlen(property->key) <= PROPERTY_KEY_BYTES_MAX &&
           strcspn(property->key, " \t\r\n\"'()[],") == strlen(property->key) &&
           strlen(property->value) <= PROPERTY_VALUE_BYTES_MAX &&
           span_is_text(span_text(property->key)) && span_is_text(span_text(property->value));
}

/* The roles as $Roles has them: each in quotes. False: one of them is none. */
static bool quote_roles(const char *names, char text[ROLES_VALUE_BYTES], size_t *bytes)
{
    static const char refused[] = " \"'\\()[]";
    size_t used = 0, count = 0;
    while (names != NULL && *names != '\0') {
        size_t name = strcspn(names, ",");
        if (name == 0 || name > ROLE_BYTES_MAX || count++ == ROLES_MAX ||
            strcspn(names, refused) < name || (name == 1 && *names == '*'))
            return false;
        if (used > 0)
            text[used++] = ',';
        text[used++] = '"';
        memcpy(text + used, names, name);
        used += name;
        text[used++] = '"';
        names += name;
        names += *names == ',';
    }
    *bytes = used;
    return true;
}

/* Measures (writer NULL) or writes one property. */
static size_t put_property(struct writer *writer, struct span key, struct span value)
{
    const struct property property = {.key = key, .value = value};
    if (writer != NULL)
        group_encode(&property_schema, &property, writer);
    return 4 + schema_measure(&property_schema, &property);
}

static size_t put_all(struct writer *writer, const struct weft_allowance *allowance,
                      struct span roles)
{
    size_t bytes = 0;
    if (allowance->principal != NULL)
        bytes += put_property(writer, span_text("$Principal"), span_text(allowance->principal));
    if (roles.bytes > 0)
        bytes += put_property(writer, span_text("$Roles"), roles);
    for (size_t i = 0; i < allowance->properties_count; i++)
        bytes += put_property(writer, span_text(allowance->properties[i].key),
                              span_text(allowance->properties[i].value));
    return bytes;
}

static bool can_be(const struct weft_allowance *allowance)
{
    if (allowance->principal != NULL && (strlen(allowance->principal) > PRINCIPAL_BYTES_MAX ||
                                         !span_is_text(span_text(allowance->principal))))
        return false;
    for (size_t i = 0; i < allowance->properties_count; i++) {
        if (!is_good(&allowance->properties[i]))
            return false;
    }
    return true;
}

enum weft_error weft_allow(struct weft_client *client, uint64_t responder,
                           const struct weft_allowance *allowance)
{
    static const struct weft_allowance plain = {.principal = NULL};
    char roles[ROLES_VALUE_BYTES];
    size_t roles_bytes = 0;
    allowance = allowance == NULL ? &plain : allowance;
    if (!can_be(allowance) || !quote_roles(allowance->roles, roles, &roles_bytes))
        return WEFT_INVALID_ARGUMENT;
    if (allowance->properties_count > PROPERTIES_MAX)
        return WEFT_LIMIT_REACHED;
    struct span quoted = span_of(roles, roles_bytes);
    size_t bytes = put_all(NULL, allowance, quoted);
    uint8_t *groups = malloc(bytes + 1);
    if (groups == NULL)
        return WEFT_LIMIT_REACHED;
    struct writer writer;
    writer_init(&writer, groups, bytes);
    (void)put_all(&writer, allowance, quoted);
    enum weft_error error = answer(client, responder, DECISION_ALLOW, span_of(groups, bytes));
    free(groups);
    return error;
}

/* ---- registrations ---- */

enum weft_error weft_authenticate_handler(struct weft_client *client, const char *name,
                                          weft_authenticate_fn *callback,
                                          weft_registered_fn *registered, void *user)
{
    const struct serve_handler handler = {
        .kind = HANDLER_AUTHENTICATION,
        .of.authenticate = callback,
        .registered = registered,
        .user = user,
    };
    if (callback == NULL || name == NULL || strchr(name, '/') != NULL ||
        strlen(name) > NAME_BYTES_MAX)
        return WEFT_INVALID_ARGUMENT;
    return serve_add(client, name, NULL, handler);
}

enum weft_error weft_authenticate_unhandle(struct weft_client *client, const char *name)
{
    return serve_remove(client, HANDLER_AUTHENTICATION, name);
}

enum weft_error weft_missing_handler(struct weft_client *client, const char *path,
                                     weft_missing_fn *callback, weft_registered_fn *registered,
                                     void *user)
{
    const struct serve_handler handler = {
        .kind = HANDLER_MISSING_TOPIC,
        .of.missing = callback,
        .registered = registered,
        .user = user,
    };
    return callback == NULL ? WEFT_INVALID_ARGUMENT : serve_add(client, path, NULL, handler);
}

enum weft_error weft_missing_unhandle(struct weft_client *client, const char *path)
{
    return serve_remove(client, HANDLER_MISSING_TOPIC, path);
}

/* The path that stands before the selector's first wildcard. */
static struct span literal_part(struct span selector)
{
    size_t end = 0, at = 0;
    while (at < selector.bytes) {
        const uint8_t *segment = selector.data + at;
        size_t bytes = 0;
        while (at + bytes < selector.bytes && segment[bytes] != '/')
            bytes++;
        if ((bytes == 1 && segment[0] == '+') || (bytes == 2 && memcmp(segment, "**", 2) == 0))
            break;
        end = at + bytes;
        at = end + 1;
    }
    return span_of(selector.data, end);
}

void decide_missing(struct weft_client *client, const struct message *message)
{
    struct missing_topic said;
    if (schema_decode(&missing_topic_schema, message->fields, &said) != ERROR_OK)
        return;
    const struct serve_handler *handler = NULL;
    struct span path = literal_part(said.selector);
    for (; handler == NULL && path.bytes > 0; path = paths_parent(path))
        handler = serve_find(&client->serve, HANDLER_MISSING_TOPIC, path);
    if (handler == NULL)
        return; /* it has just gone */
    const struct weft_missing missing = {
        .selector = client_text(said.selector),
        .session = client_id(said.session),
        .properties = {message->body.data, message->body.bytes},
        .nodes = client_text(said.nodes),
        .coalesced = said.coalesced,
    };
    handler->of.missing(client, &missing, handler->user);
}

/* ---- anew ---- */

enum weft_error weft_reauthenticate(struct weft_client *client, const char *principal,
                                    const void *credentials, size_t credentials_bytes,
                                    uint32_t timeout_ms, weft_result_fn *callback, void *user)
{
    const struct reauthenticate said = {
        .principal = span_text(principal),
        .credentials = span_of(credentials, credentials_bytes),
    };
    timeout_ms = timeout_ms > 0 ? timeout_ms : client->options.request_timeout_ms;
    if (callback == NULL || said.principal.bytes > PRINCIPAL_BYTES_MAX ||
        !span_is_text(said.principal) || credentials_bytes > CREDENTIALS_BYTES_MAX ||
        timeout_ms > REQUEST_TIMEOUT_MS_MAX)
        return WEFT_INVALID_ARGUMENT;
    struct call call = {
        .kind = KIND_REAUTHENTICATE,
        .schema = &reauthenticate_schema,
        .fields = &said,
        .timeout_ms = timeout_ms,
        .user = user,
    };
    return query_send(client, &call, callback);
}

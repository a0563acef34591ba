/* town.c - see town.h. */
#include "tests/unit/mesh/town.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define MS_NS UINT64_C(1000000)

enum { STEPS_CHECKED_ALL = 1000, STEPS_CHECKED_ONE_IN = 20 };

struct town_event {
    struct town_event *next;
    uint32_t node;
    struct mesh_input input;
    uint8_t bytes[];
};

struct town_node town_nodes[TOWN_NODES];
struct town_client town_clients[TOWN_CLIENTS];
enum mesh_excess town_excess;
bool town_repeats;
const char *town_owners[TOWN_NODES];
const char *town_client_owner;
uint64_t town_now_ns, town_hash;
struct town_check town_checks[64];
size_t town_checks_count;

static uint32_t clients_count, steps[TOWN_NODES];
static struct town_event *first_event, **events_end = &first_event;

static const char *const names[] = {"a", "b", "c"};
static const char *const client_addresses[] = {"h:10", "h:20", "h:30"};
static const char *const gossip_addresses[] = {"h:11", "h:21", "h:31"};
static const char *const forward_addresses[] = {"h:12", "h:22", "h:32"};

static void mix(const void *bytes, size_t count)
{
    const uint8_t *next = bytes;
    for (size_t i = 0; i < count; i++)
        town_hash = (town_hash ^ next[i]) * UINT64_C(0x100000001b3);
}

static void post(uint32_t node, const struct mesh_input *input, const void *bytes, size_t count)
{
    struct town_event *event = malloc(sizeof *event + count);
    cr_assert_not_null(event);
    event->next = NULL;
    event->node = node;
    event->input = *input;
    if (count > 0)
        memcpy(event->bytes, bytes, count);
    event->input.bytes = span_of(event->bytes, count);
    *events_end = event;
    events_end = &event->next;
}

static void check_password(uint32_t node, const struct mesh_output *output)
{
    cr_assert_lt(town_checks_count, sizeof town_checks / sizeof town_checks[0]);
    struct town_check *check = &town_checks[town_checks_count++];
    *check = (struct town_check){.node = node, .number = output->number};
    cr_assert_lt(output->principal.bytes, sizeof check->principal);
    cr_assert_lt(output->credentials.bytes, sizeof check->credentials);
    snprintf(check->principal, sizeof check->principal, "%.*s", (int)output->principal.bytes,
             (const char *)output->principal.data);
    snprintf(check->credentials, sizeof check->credentials, "%.*s", (int)output->credentials.bytes,
             (const char *)output->credentials.data);
}

void town_check(size_t index, enum mesh_password password, const char *roles)
{
    cr_assert_lt(index, town_checks_count);
    struct town_check check = town_checks[index];
    struct mesh_input input = {
        .fact = MESH_PASSWORD_CHECKED, .number = check.number, .password = password};
    memmove(&town_checks[index], &town_checks[index + 1],
            (--town_checks_count - index) * sizeof check);
    post(check.node, &input, roles, strlen(roles));
    town_settle();
}

void town_begin(void)
{
    town_checks_count = 0;
    town_repeats = false;
    memset(town_nodes, 0, sizeof town_nodes);
    memset(town_owners, 0, sizeof town_owners);
    town_client_owner = NULL;
    memset(town_clients, 0, sizeof town_clients);
    clients_count = 0;
    town_now_ns = 1000 * MS_NS;
    town_hash = 1;
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        struct mesh_config *config = &town_nodes[i].config;
        mesh_config_defaults(config);
        config->name = names[i];
        config->client_address = client_addresses[i];
        config->gossip_address = gossip_addresses[i];
        config->forward_address = forward_addresses[i];
        config->random_seed[0] = (uint8_t)(i + 1);
        config->seeds = i == 0 ? 0 : 1;
        config->sessions_max = 8;
        config->requests_in_flight_max = 8;
        config->gossip.members_max = 16;
    }
}

static uint32_t node_at(struct span address)
{
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        if (span_equal(address, span_text(gossip_addresses[i])) ||
            span_equal(address, span_text(forward_addresses[i])))
            return i;
    }
    return TOWN_NODES;
}

/* A link's connection at the other end says who dialled: node, link, channel. */
static uint32_t connection_of(uint32_t node, uint32_t link, enum channel channel)
{
    return (node + 1) << 16 | link << 4 | (uint32_t)channel;
}

static bool is_connected(uint32_t from, uint32_t to)
{
    return !town_nodes[from].is_cut_off && !town_nodes[to].is_cut_off;
}

static void link_open(uint32_t from, const struct mesh_output *output)
{
    uint32_t to = node_at(output->address);
    cr_assert_lt(output->link, TOWN_LINKS);
    if (to == TOWN_NODES)
        return;
    town_nodes[from].links[output->link].to = to;
    town_nodes[from].links[output->link].is_open[output->channel] = true;
    struct mesh_input up = {
        .fact = MESH_LINK_UP,
        .channel = output->channel,
        .link = output->link,
    };
    if (town_nodes[to].mesh != NULL && is_connected(from, to))
        post(from, &up, NULL, 0);
}

static void letters_take(struct town_client *client, struct span frame)
{
    struct reader reader;
    struct envelope envelope;
    struct message message;
    enum error error;
    reader_init(&reader, frame);
    cr_assert_eq(envelope_decode(&reader, CHANNEL_CLIENT, &envelope), ERROR_OK);
    while (message_next(&reader, &message, &error)) {
        cr_assert_lt(client->letters_count, TOWN_INBOX);
        struct letter *letter = &client->letters[client->letters_count++];
        letter->message = message;
        letter->bytes = malloc(message.fields.bytes + message.body.bytes + 1);
        cr_assert_not_null(letter->bytes);
        if (message.fields.bytes > 0)
            memcpy(letter->bytes, message.fields.data, message.fields.bytes);
        if (message.body.bytes > 0)
            memcpy(letter->bytes + message.fields.bytes, message.body.data, message.body.bytes);
        letter->message.fields.data = letter->bytes;
        letter->message.body.data = letter->bytes + message.fields.bytes;
    }
    cr_assert_eq(error, ERROR_OK);
}

static void send_frame(uint32_t from, const struct mesh_output *output)
{
    uint8_t *frame = malloc(output->bytes);
    cr_assert_not_null(frame);
    mesh_write_output(town_nodes[from].mesh, frame);
    mix(frame, output->bytes);
    struct mesh_input input = {
        .fact = MESH_FRAME,
        .channel = output->channel,
        .owner = span_text(town_owners[from]),
    };
    if (output->order == MESH_SEND) {
        const struct town_link *link = &town_nodes[from].links[output->link];
        input.connection = connection_of(from, output->link, output->channel);
        input.address = span_text("h");
        if (town_nodes[link->to].mesh != NULL && link->is_open[output->channel] &&
            is_connected(from, link->to)) {
            post(link->to, &input, frame, output->bytes);
            if (town_repeats && output->channel == CHANNEL_FORWARD)
                post(link->to, &input, frame, output->bytes);
        }
    } else if (output->channel == CHANNEL_CLIENT) {
        letters_take(&town_clients[output->connection], span_of(frame, output->bytes));
    } else {
        uint32_t to = (output->connection >> 16) - 1;
        input.fact = MESH_ANSWER;
        input.link = output->connection >> 4 & 0xfff;
        if (to < TOWN_NODES && town_nodes[to].mesh != NULL && is_connected(from, to))
            post(to, &input, frame, output->bytes);
    }
    free(frame);
}

static void carry_out(uint32_t node, const struct mesh_output *output)
{
    struct town_node *self = &town_nodes[node];
    struct mesh_input input = {.channel = output->channel, .connection = output->connection};
    uint32_t order = output->order;
    mix(&order, sizeof order);
    switch (output->order) {
    case MESH_SEND:
    case MESH_REPLY:
        send_frame(node, output);
        break;
    case MESH_OPEN_LINK:
        link_open(node, output);
        break;
    case MESH_CLOSE_LINK:
        self->links[output->link].is_open[output->channel] = false;
        break;
    case MESH_PROBE_REFUSED:
        break;
    case MESH_CUT:
        if (output->channel == CHANNEL_CLIENT)
            town_clients[output->connection].is_cut = true;
        input.fact = MESH_CONNECTION_LOST;
        post(node, &input, NULL, 0);
        break;
    case MESH_RESOLVE_SEED:
        input.fact = MESH_SEED_RESOLVED;
        input.seed = output->seed;
        post(node, &input, gossip_addresses[self->seed], strlen(gossip_addresses[self->seed]));
        break;
    case MESH_CHECK_PASSWORD:
        check_password(node, output);
        break;
    case MESH_LOGIN_FAILED:
        self->logins_failed++;
        break;
    case MESH_WIPE:
        self->wipes++;
        break;
    case MESH_NOTICE:
        if (self->notices_count < sizeof self->notices / sizeof self->notices[0])
            self->notices[self->notices_count++] = output->notice.code;
        break;
    case MESH_STOPPED:
        self->is_stopped = true;
        self->stopped_with = output->notice.code;
        break;
    }
}

static void tell(uint32_t node, struct mesh_input input)
{
    struct mesh_output output;
    input.now_ns = town_now_ns;
    input.wall_ms = 1700000000000 + town_now_ns / MS_NS;
    mesh_receive(town_nodes[node].mesh, &input);
    while (mesh_next_output(town_nodes[node].mesh, &output))
        carry_out(node, &output);
    /* Counted a node: of two that take turns a common count would meet one only. */
    if (steps[node]++ < STEPS_CHECKED_ALL || steps[node] % STEPS_CHECKED_ONE_IN == 0)
        mesh_check(town_nodes[node].mesh);
}

void town_settle(void)
{
    while (first_event != NULL) {
        struct town_event *event = first_event;
        first_event = event->next;
        if (first_event == NULL)
            events_end = &first_event;
        if (town_nodes[event->node].mesh != NULL)
            tell(event->node, event->input);
        free(event);
    }
}

static uint64_t next_deadline(void)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        uint64_t at =
            town_nodes[i].mesh == NULL ? UINT64_MAX : mesh_deadline_ns(town_nodes[i].mesh);
        next = at < next ? at : next;
    }
    return next;
}

static void tick_all(void)
{
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        if (town_nodes[i].mesh != NULL && mesh_deadline_ns(town_nodes[i].mesh) <= town_now_ns)
            tell(i, (struct mesh_input){.fact = MESH_TICK});
    }
    town_settle();
}

void town_wait_ms(uint64_t ms)
{
    uint64_t until_ns = town_now_ns + ms * MS_NS;
    town_settle();
    for (;;) {
        uint64_t next = next_deadline();
        if (next > until_ns)
            break;
        /* At least the wheel's step, so that an early deadline cannot hold time. */
        town_now_ns = next > town_now_ns + MS_NS ? next : town_now_ns + MS_NS;
        tick_all();
    }
    if (town_now_ns < until_ns)
        town_now_ns = until_ns;
}

void town_start(uint32_t node)
{
    town_nodes[node].mesh = mesh_new(&town_nodes[node].config);
    cr_assert_not_null(town_nodes[node].mesh);
    tell(node, (struct mesh_input){.fact = MESH_TICK});
    town_settle();
}

void town_end(void)
{
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        if (town_nodes[i].mesh != NULL)
            mesh_check(town_nodes[i].mesh);
        mesh_destroy(&town_nodes[i].mesh);
    }
    town_settle();
    for (uint32_t i = 0; i < clients_count; i++)
        town_forget(i);
}

void town_pair(void)
{
    town_begin();
    town_start(0);
    town_start(1);
    town_wait_ms(5000);
    cr_assert(town_heard(0, NOTICE_READY));
    cr_assert(town_heard(1, NOTICE_READY));
}

static void links_break(uint32_t from, uint32_t to, enum channel channel, enum mesh_fact fact)
{
    for (uint32_t i = 0; i < TOWN_LINKS; i++) {
        struct town_link *link = &town_nodes[from].links[i];
        struct mesh_input input = {.fact = fact, .channel = channel, .link = i};
        if (link->to != to || !link->is_open[channel] || town_nodes[from].mesh == NULL)
            continue;
        tell(from, input);
    }
}

void town_crash(uint32_t node)
{
    mesh_destroy(&town_nodes[node].mesh);
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        links_break(i, node, CHANNEL_GOSSIP, MESH_LINK_LOST);
        links_break(i, node, CHANNEL_FORWARD, MESH_LINK_LOST);
    }
    town_settle();
}

void town_break_forward(uint32_t from, uint32_t to)
{
    links_break(from, to, CHANNEL_FORWARD, MESH_LINK_LOST);
    town_settle();
}

void town_mend_forward(uint32_t from, uint32_t to)
{
    links_break(from, to, CHANNEL_FORWARD, MESH_LINK_UP);
    town_settle();
}

void town_clog_forward(uint32_t from, uint32_t to)
{
    links_break(from, to, CHANNEL_FORWARD, MESH_LINK_FULL);
    town_settle();
}

/* Every link between the node and the others, both ways, is told that fact. */
static void links_tell(uint32_t node, enum mesh_fact fact)
{
    for (uint32_t i = 0; i < TOWN_NODES; i++) {
        for (int channel = CHANNEL_GOSSIP; i != node && channel <= CHANNEL_FORWARD; channel++) {
            links_break(i, node, (enum channel)channel, fact);
            links_break(node, i, (enum channel)channel, fact);
        }
    }
    town_settle();
}

void town_cut_off(uint32_t node)
{
    town_nodes[node].is_cut_off = true;
    links_tell(node, MESH_LINK_LOST);
}

void town_heal(uint32_t node)
{
    town_nodes[node].is_cut_off = false;
    links_tell(node, MESH_LINK_UP);
}

uint32_t town_connect(uint32_t node)
{
    cr_assert_lt(clients_count, TOWN_CLIENTS);
    town_clients[clients_count].node = node;
    return clients_count++;
}

void town_say_bytes(uint32_t client, const void *bytes, size_t bytes_count)
{
    struct mesh_input input = {
        .fact = MESH_FRAME,
        .channel = CHANNEL_CLIENT,
        .connection = client,
        .address = span_text("127.0.0.9"),
        .excess = town_excess,
        .owner = span_text(town_client_owner),
    };
    post(town_clients[client].node, &input, bytes, bytes_count);
    town_settle();
}

void town_tell(uint32_t client, enum mesh_fact fact)
{
    struct mesh_input input = {.fact = fact, .channel = CHANNEL_CLIENT, .connection = client};
    post(town_clients[client].node, &input, NULL, 0);
    town_settle();
}

void town_disconnect(uint32_t client)
{
    town_tell(client, MESH_CONNECTION_LOST);
}

void town_say(uint32_t client, enum kind kind, uint64_t correlation, const struct schema *schema,
              const void *fields, struct span body)
{
    struct envelope envelope = {.version = WIRE_VERSION_MAX, .channel = CHANNEL_CLIENT};
    size_t bytes = ENVELOPE_CLIENT_BYTES + message_measure(schema, fields) + body.bytes;
    uint8_t *frame = malloc(bytes);
    cr_assert_not_null(frame);
    struct writer writer;
    writer_init(&writer, frame, bytes);
    envelope_encode(&envelope, &writer);
    message_encode(schema, fields, (uint8_t)kind, MESSAGE_WANTS_ANSWER, correlation, body.bytes,
                   &writer);
    writer_span(&writer, body);
    cr_assert(!writer.is_bad && writer.left == 0);
    town_say_bytes(client, frame, bytes);
    free(frame);
}

uint32_t town_open(uint32_t node, const char *key, const char *value)
{
    uint32_t client = town_connect(node);
    struct client_hello hello = {.version_min = 1, .version_max = 1, .client_type = span_text("c")};
    struct property property = {.key = span_text(key), .value = span_text(value)};
    uint8_t group[512];
    struct writer writer;
    writer_init(&writer, group, sizeof group);
    if (key != NULL)
        group_encode(&property_schema, &property, &writer);
    town_say(client, KIND_HELLO, 1, &client_hello_schema, &hello,
             span_of(group, sizeof group - writer.left));
    const struct message *message = town_find(client, KIND_WELCOME, 1);
    cr_assert_not_null(message);
    struct client_welcome welcome;
    cr_assert_eq(schema_decode(&client_welcome_schema, message->fields, &welcome), ERROR_OK);
    town_clients[client].session = welcome.session;
    return client;
}

const struct message *town_find(uint32_t client, enum kind kind, uint64_t correlation)
{
    const struct town_client *self = &town_clients[client];
    for (size_t i = 0; i < self->letters_count; i++) {
        const struct message *message = &self->letters[i].message;
        if (message->kind == kind && (correlation == 0 || message->correlation == correlation))
            return message;
    }
    return NULL;
}

size_t town_letters(uint32_t client, enum kind kind)
{
    size_t found = 0;
    for (size_t i = 0; i < town_clients[client].letters_count; i++)
        found += town_clients[client].letters[i].message.kind == kind;
    return found;
}

void town_forget(uint32_t client)
{
    for (size_t i = 0; i < town_clients[client].letters_count; i++)
        free(town_clients[client].letters[i].bytes);
    town_clients[client].letters_count = 0;
}

void town_register(uint32_t client, const char *path)
{
    struct registration registration = {.kind = HANDLER_REQUEST, .path = span_text(path)};
    town_say(client, KIND_REGISTER, 7000, &registration_schema, &registration, (struct span){0});
    cr_assert_not_null(town_find(client, KIND_DONE, 7000));
    town_wait_ms(500); /* until everybody has heard */
}

void town_request(uint32_t client, uint64_t correlation, const char *path, const char *value)
{
    struct request request = {.path = span_text(path), .type = VALUE_STRING};
    town_say(client, KIND_REQUEST, correlation, &request_schema, &request, span_text(value));
}

void town_respond(uint32_t client, uint64_t correlation, const char *value)
{
    struct response response = {.outcome = ERROR_OK, .type = VALUE_STRING};
    town_say(client, KIND_RESPONSE, correlation, &response_schema, &response, span_text(value));
}

enum error town_outcome(uint32_t client, uint64_t correlation)
{
    const struct message *message = town_find(client, KIND_RESPONSE, correlation);
    struct response response;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&response_schema, message->fields, &response), ERROR_OK);
    return (enum error)response.outcome;
}

struct result town_command(uint32_t client, const struct command *command, uint64_t correlation)
{
    town_say(client, KIND_COMMAND, correlation, &command_schema, command, (struct span){0});
    const struct message *message = town_find(client, KIND_RESULT, correlation);
    struct result result;
    cr_assert_not_null(message);
    cr_assert_eq(schema_decode(&result_schema, message->fields, &result), ERROR_OK);
    return result;
}

uint64_t town_count(uint32_t node, enum counter counter)
{
    return mesh_counter(town_nodes[node].mesh, counter);
}

bool town_heard(uint32_t node, enum mesh_notice_code code)
{
    for (size_t i = 0; i < town_nodes[node].notices_count; i++) {
        if (town_nodes[node].notices[i] == code)
            return true;
    }
    return false;
}

size_t town_answers(uint32_t client, uint64_t correlation, struct node_answer *answers, size_t most)
{
    struct span rest = town_find(client, KIND_RESULT, correlation)->body;
    enum error error;
    size_t found = 0;
    while (found < most && group_next(&node_answer_schema, &rest, &answers[found], &error))
        found++;
    cr_assert_eq(rest.bytes, 0);
    return found;
}

struct handler_row town_handler_stats(uint32_t client, uint64_t correlation, const char *path)
{
    struct command command = {.verb = COMMAND_HANDLER_STATS};
    struct node_answer answers[TOWN_NODES];
    struct handler_row row;
    enum error error;
    cr_assert(town_command(client, &command, correlation).is_complete);
    size_t count = town_answers(client, correlation, answers, TOWN_NODES);
    for (size_t i = 0; i < count; i++) {
        while (group_next(&handler_row_schema, &answers[i].rows, &row, &error)) {
            if (span_equal(row.path, span_text(path)))
                return row;
        }
    }
    cr_assert_fail("nobody serves %s", path);
    return (struct handler_row){0};
}

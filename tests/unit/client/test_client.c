/* test_client.c - a session's life against a node of straw: found, kept, lost, found again. */
#include <criterion/criterion.h>

#include "tests/unit/client/node.h"

#include "client/client.h"
#include "client/dialogue.h"
#include "proto/error.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

/* What the callbacks of one client were told. */
struct told {
    int opened, lost, closed, responses, registered;
    bool is_resumed;
    struct weft_session_id session;
    enum weft_close_reason reason;
    enum weft_error error, outcome;
    char text[256];
};

static void on_opened(struct weft_client *client, const struct weft_opened *opened, void *user)
{
    struct told *told = user;
    (void)client;
    told->opened++;
    told->session = opened->session;
    told->is_resumed = opened->is_resumed;
}

static void on_lost(struct weft_client *client, struct weft_text why, void *user)
{
    struct told *told = user;
    (void)client;
    told->lost++;
    (void)snprintf(told->text, sizeof told->text, "%.*s", (int)why.bytes, why.data);
}

static void on_closed(struct weft_client *client, const struct weft_closed *closed, void *user)
{
    struct told *told = user;
    (void)client;
    told->closed++;
    told->reason = closed->reason;
    told->error = closed->error;
    (void)snprintf(told->text, sizeof told->text, "%.*s", (int)closed->text.bytes,
                   closed->text.data);
}

static void on_response(struct weft_client *client, const struct weft_response *response,
                        void *user)
{
    struct told *told = user;
    (void)client;
    told->responses++;
    told->outcome = response->outcome;
}

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    (void)user;
    (void)weft_respond(client, incoming->responder, NULL);
}

static struct weft_options options_for(const char *servers, struct told *told)
{
    return (struct weft_options){
        .servers = servers,
        .opened = on_opened,
        .lost = on_lost,
        .closed = on_closed,
        .user = told,
    };
}

Test(client, opens_a_session_with_what_was_offered)
{
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    const struct weft_property property = {"tier", "gold"};
    struct weft_options options = options_for(node.address, &told);
    options.principal = "ada";
    options.properties = &property;
    options.properties_count = 1;
    struct weft_client *client = weft_new(&options);
    cr_assert_not_null(client);
    node_until(&node, weft_context_of(client), told.opened == 1);
    cr_assert(weft_is_open(client));
    cr_assert_str_eq(weft_node(client), "straw");
    cr_assert_str_eq(node.principal, "ada");
    cr_assert_str_eq(node.property, "tier=gold");
    node_until(&node, weft_context_of(client), node.sessions[0].grants == 1);
    weft_destroy(&client);
    cr_assert_null(client);
    for (int i = 0; i < 1000 && node.goodbyes == 0; i++, (void)poll(NULL, 0, 1))
        node_step(&node);
    cr_assert_eq(node.goodbyes, 1);
    node_stop(&node);
}

static void on_incoming(struct weft_client *client, const struct weft_incoming *incoming,
                        void *user)
{
    (void)user;
    (void)weft_reject(client, incoming->responder, "never");
}

static void on_registered(struct weft_client *client, enum weft_error error, struct weft_text text,
                          void *user)
{
    struct told *told = user;
    (void)client;
    told->registered++;
    told->error = error;
    (void)snprintf(told->text, sizeof told->text, "%.*s", (int)text.bytes, text.data);
}

Test(client, is_told_when_it_may_not_serve_a_path_any_more)
{
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    cr_assert_eq(weft_handle(client, "/orders/", on_incoming, on_registered, &told), WEFT_OK);
    node_until(&node, weft_context_of(client), told.registered == 1);
    cr_assert_eq(told.error, WEFT_OK);
    node_take_back(&node, 0, "elsewhere");
    node_take_back(&node, 0, "orders");
    node_until(&node, weft_context_of(client), told.registered == 2);
    cr_assert_eq(told.error, WEFT_ACCESS_DENIED);
    cr_assert_not_null(strstr(told.text, "permissions"));
    cr_assert_eq(weft_unhandle(client, "orders"), WEFT_OK, "the library still knows of it");
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, refuses_options_that_are_out_of_range)
{
    static const char *const bad_servers[] = {
        "", ",", "a,,b", "host:0", "host:65536", "host:x", "host:", "::1", "ho st", "a/b:1",
    };
    for (size_t i = 0; i < sizeof bad_servers / sizeof *bad_servers; i++) {
        struct weft_options options = {.servers = bad_servers[i]};
        errno = 0;
        cr_assert_null(weft_new(&options), "%s", bad_servers[i]);
        cr_assert_eq(errno, EINVAL);
    }
    static const struct weft_property bad_properties[] = {
        {"$Principal", "x"}, {"", "x"}, {"a b", "x"}, {"a(", "x"}, {"a", NULL}, {"a", "\xff"},
    };
    for (size_t i = 0; i < sizeof bad_properties / sizeof *bad_properties; i++) {
        struct weft_options options = {.properties = &bad_properties[i], .properties_count = 1};
        cr_assert_null(weft_new(&options), "property %zu", i);
    }
}

Test(client, goes_to_the_next_server_at_once_when_one_is_not_there)
{
    struct node node = {0};
    struct told told = {0};
    char servers[128];
    node_start(&node);
    (void)snprintf(servers, sizeof servers, "127.0.0.1:1,%s", node.address);
    struct weft_options options = options_for(servers, &told);
    struct weft_client *client = weft_new(&options);
    node_until(&node, weft_context_of(client), told.opened == 1);
    cr_assert_eq(told.lost, 1);
    cr_assert_str_eq(told.text, "nothing answers at 127.0.0.1:1");
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, waits_for_a_server_that_comes_up_later)
{
    struct node node = {0};
    struct told told = {0};
    char address[64];
    node_start(&node);
    (void)snprintf(address, sizeof address, "%s", node.address);
    node_stop(&node);
    struct weft_options options = options_for(address, &told);
    struct weft_client *client = weft_new(&options);
    cr_assert_eq(weft_connect(client, 50), WEFT_TIMEOUT);
    cr_assert_gt(strlen(weft_last_failure(client)), 0);
    node_start_at(&node, address);
    node_until(&node, weft_context_of(client), told.opened == 1);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, is_closed_by_a_refusal_that_is_final)
{
    struct node node = {.refuse_with = ERROR_WRONG_MESH};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    node_until(&node, weft_context_of(client), told.closed == 1);
    cr_assert_eq(told.error, WEFT_WRONG_MESH);
    cr_assert_not_null(strstr(told.text, "WRONG_MESH: not today"));
    cr_assert_eq(weft_connect(client, 100), WEFT_WRONG_MESH);
    cr_assert_eq(weft_request(client, "a", NULL, NULL, on_response, &told, NULL),
                 WEFT_SESSION_CLOSED);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, tries_on_after_a_refusal_that_may_pass)
{
    struct node node = {.refuse_with = ERROR_NOT_READY};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    node_until(&node, weft_context_of(client), told.lost > 0);
    node.refuse_with = 0;
    node_until(&node, weft_context_of(client), told.opened == 1);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, finds_another_node_of_the_mesh_when_its_own_dies)
{
    struct node first = {0};
    struct node second = {0};
    struct told told = {0};
    node_start(&first);
    node_start(&second);
    (void)snprintf(first.others, sizeof first.others, "%s\nnot an address\n%s", second.address,
                   first.address);
    struct weft_options options = options_for(first.address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&first, context, told.opened == 1);
    struct weft_session_id session = told.session;
    cr_assert_eq(weft_request(client, "silent", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_until(&first, context, first.requests == 1);
    node_stop(&first);
    node_until(&second, context, told.opened == 2);
    cr_assert_not(told.is_resumed);
    cr_assert_neq(told.session.serial, session.serial);
    cr_assert_eq(told.responses, 1, "what was in flight has ended");
    cr_assert_eq(told.outcome, WEFT_SESSION_CLOSED);
    weft_destroy(&client);
    node_stop(&second);
}

Test(client, sends_what_had_not_left_in_the_next_session)
{
    struct node node = {0};
    struct told told = {0};
    char address[64];
    node_start(&node);
    (void)snprintf(address, sizeof address, "%s", node.address);
    struct weft_options options = options_for(address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, told.opened == 1);
    node_stop(&node);
    node_until(&node, context, told.lost >= 1);
    cr_assert_eq(weft_request(client, "a", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_start_at(&node, address);
    node_until(&node, context, told.responses == 1);
    cr_assert_eq(told.outcome, WEFT_NO_HANDLER);
    cr_assert_eq(node.requests, 1);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, gets_its_session_back_where_the_node_can_give_it)
{
    struct node node = {.can_resume = true};
    struct told told = {0};
    char address[64];
    node_start(&node);
    (void)snprintf(address, sizeof address, "%s", node.address);
    struct weft_options options = options_for(address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, told.opened == 1);
    struct weft_session_id session = told.session;
    cr_assert_eq(weft_request(client, "silent", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_until(&node, context, node.requests == 1);
    node_stop(&node);
    node_until(&node, context, told.lost >= 1);
    node_start_at(&node, address);
    node_until(&node, context, told.opened == 2);
    cr_assert(told.is_resumed);
    cr_assert_eq(told.session.serial, session.serial);
    cr_assert_eq(told.responses, 0, "its response may still come");
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, says_again_after_a_resume_what_the_node_has_not_heard)
{
    struct node node = {.can_resume = true};
    struct told told = {0};
    char address[64];
    node_start(&node);
    (void)snprintf(address, sizeof address, "%s", node.address);
    struct weft_options options = options_for(address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, told.opened == 1);
    cr_assert_eq(weft_request(client, "heard", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_until(&node, context, told.responses == 1);
    node.is_deaf = true;
    int frames = node.frames;
    cr_assert_eq(weft_request(client, "lost", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    cr_assert_eq(weft_request(client, "lost/too", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_until(&node, context, node.frames > frames);
    node_stop(&node);
    node_until(&node, context, told.lost >= 1);
    cr_assert_eq(weft_request(client, "new", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    cr_assert_eq(weft_handle(client, "mine", on_request, NULL, &told), WEFT_OK);
    node.is_deaf = false;
    node_start_at(&node, address);
    node_until(&node, context, told.responses == 4);
    cr_assert(told.is_resumed);
    cr_assert_eq(node.requests, 4, "each once: %d", node.requests);
    node_until(&node, context, node.registrations == 1);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, is_closed_once_with_the_reason_the_node_gives)
{
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, told.opened == 1);
    cr_assert_eq(weft_request(client, "silent", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_until(&node, context, node.requests == 1);
    node_goodbye(&node, 0, CLOSE_REASON_CLOSED_BY_CONTROLLER, "enough");
    node_until(&node, context, told.closed == 1);
    cr_assert_eq(told.reason, WEFT_CLOSED_BY_CONTROLLER);
    cr_assert_str_eq(told.text, "enough");
    cr_assert_eq(told.outcome, WEFT_SESSION_CLOSED);
    weft_close(client);
    for (int i = 0; i < 20; i++)
        (void)weft_context_run(context, 1);
    cr_assert_eq(told.closed, 1);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, leaves_a_node_that_stops_for_another)
{
    struct node first = {0};
    struct node second = {0};
    struct told told = {0};
    node_start(&first);
    node_start(&second);
    (void)snprintf(first.others, sizeof first.others, "%s", second.address);
    struct weft_options options = options_for(first.address, &told);
    struct weft_client *client = weft_new(&options);
    node_until(&first, weft_context_of(client), told.opened == 1);
    node_goodbye(&first, 0, CLOSE_REASON_NODE_STOPPING, NULL);
    node_until(&second, weft_context_of(client), told.opened == 2);
    cr_assert_eq(told.closed, 0);
    weft_destroy(&client);
    node_stop(&first);
    node_stop(&second);
}

Test(client, is_closed_when_its_connection_is_lost_if_it_wants_no_other)
{
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    options.no_reconnect = true;
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, told.opened == 1);
    node_stop(&node);
    node_until(&node, context, told.closed == 1);
    cr_assert_eq(told.reason, WEFT_CLOSED_CONNECTION_LOST);
    weft_destroy(&client);
}

enum { SILENCE_MS = 3600 * 1000 }; /* so that no time passes but by let_pass() */

/* That long nothing was heard; the client looks late_ms after it was to. */
static void let_pass(struct weft_client *client, uint64_t late_ms)
{
    client->heard_ns -= client_ms_to_ns(SILENCE_MS);
    client->timer.due_ns = reactor_now_ns() - client_ms_to_ns(late_ms);
    dialogue_timer_fired(client);
}

/* A client that has its session, and looks for silence. */
static struct weft_client *quiet_client(struct node *node, struct told *told)
{
    node_start(node);
    struct weft_options options = options_for(node->address, told);
    options.silence_ms = SILENCE_MS;
    struct weft_client *client = weft_new(&options);
    node_until(node, weft_context_of(client), told->opened == 1);
    return client;
}

Test(client, asks_a_silent_node_whether_it_lives)
{
    struct node node = {0};
    struct told told = {0};
    struct weft_client *client = quiet_client(&node, &told);
    for (int asked = 1; asked <= 3; asked++) {
        let_pass(client, 0);
        node_until(&node, weft_context_of(client), node.pings == asked && !client->is_pinged);
    }
    cr_assert_eq(told.opened, 1);
    cr_assert_eq(told.lost, 0);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, gives_up_a_node_that_does_not_answer)
{
    struct node node = {0};
    struct told told = {0};
    struct weft_client *client = quiet_client(&node, &told);
    node.is_mute = true;
    let_pass(client, 0);
    node_until(&node, weft_context_of(client), node.pings == 1);
    cr_assert_eq(told.lost, 0);
    let_pass(client, 0);
    cr_assert_eq(told.lost, 1);
    cr_assert_not_null(strstr(told.text, "has not said a word for 7200"));
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, that_was_asleep_itself_asks_anew)
{
    struct node node = {0};
    struct told told = {0};
    struct weft_client *client = quiet_client(&node, &told);
    node.is_mute = true;
    let_pass(client, SILENCE_MS);
    node_until(&node, weft_context_of(client), node.pings == 1);
    node.is_mute = false;
    let_pass(client, SILENCE_MS);
    node_until(&node, weft_context_of(client), node.pings == 2 && !client->is_pinged);
    cr_assert_eq(told.lost, 0);
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, hangs_up_on_a_node_that_talks_nonsense)
{
    static const char *const nonsense[] = {"x", "WEFT\1\1\0\0\x10", "GET / HTTP/1.1\r\n"};
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    for (int i = 0; i < 3; i++) {
        node_until(&node, context, told.opened == i + 1);
        int session = node.sessions_count - 1;
        node_send_raw(&node, session, nonsense[i], i == 1 ? 9 : strlen(nonsense[i]));
        node_until(&node, context, told.lost == i + 1);
        cr_assert_not_null(strstr(told.text, "can't be read"));
    }
    weft_destroy(&client);
    node_stop(&node);
}

Test(client, closes_at_its_own_wish_and_cancels_what_is_in_flight)
{
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    struct weft_context *context = weft_context_of(client);
    node_until(&node, context, told.opened == 1);
    cr_assert_eq(weft_request(client, "silent", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    weft_close(client);
    cr_assert_eq(told.closed, 0, "callbacks come at progress");
    node_until(&node, context, told.closed == 1 && node.goodbyes == 1);
    cr_assert_eq(told.reason, WEFT_CLOSED_BY_CLIENT);
    cr_assert_eq(told.outcome, WEFT_CANCELLED);
    weft_destroy(&client);
    node_stop(&node);
}

static void destroy_on_opened(struct weft_client *client, const struct weft_opened *opened,
                              void *user)
{
    struct weft_client **mine = user;
    (void)opened;
    cr_assert_eq(*mine, client);
    weft_destroy(mine);
}

Test(client, can_be_destroyed_in_its_own_callback)
{
    struct node node = {0};
    node_start(&node);
    struct weft_context *context = weft_context_new(4);
    struct weft_client *client = NULL;
    struct weft_options options = {
        .context = context,
        .servers = node.address,
        .opened = destroy_on_opened,
        .user = &client,
    };
    client = weft_new(&options);
    node_until(&node, context, client == NULL && node.goodbyes == 1);
    weft_context_destroy(&context);
    node_stop(&node);
}

Test(client, plain_poll_is_enough_to_drive_it)
{
    struct node node = {0};
    struct told told = {0};
    node_start(&node);
    node_run(&node);
    struct weft_options options = options_for(node.address, &told);
    struct weft_client *client = weft_new(&options);
    struct pollfd readable = {.fd = weft_fd(client), .events = POLLIN};
    while (told.opened == 0) {
        cr_assert_eq(poll(&readable, 1, 5000), 1);
        (void)weft_progress(client);
    }
    while (poll(&readable, 1, 50) == 1) /* until there is nothing to do */
        (void)weft_progress(client);
    for (int i = 1; i <= 100; i++) {
        cr_assert_eq(weft_request(client, "a", NULL, NULL, on_response, &told, NULL), WEFT_OK);
        while (told.responses < i) {
            cr_assert_eq(poll(&readable, 1, 5000), 1, "request %d", i);
            (void)weft_progress(client);
        }
    }
    weft_destroy(&client);
    node_join(&node);
    node_stop(&node);
}

Test(client, many_share_a_context)
{
    struct node node = {0};
    struct told told = {0};
    struct weft_client *clients[NODE_SESSIONS];
    node_start(&node);
    struct weft_context *context = weft_context_new(NODE_SESSIONS);
    struct weft_options options = options_for(node.address, &told);
    options.context = context;
    for (int i = 0; i < NODE_SESSIONS; i++)
        clients[i] = weft_new(&options);
    errno = 0;
    cr_assert_null(weft_new(&options), "the context is full");
    cr_assert_eq(errno, EMFILE);
    node_until(&node, context, told.opened == NODE_SESSIONS);
    for (int i = 0; i < NODE_SESSIONS; i++)
        cr_assert_eq(weft_request(clients[i], "a", NULL, NULL, on_response, &told, NULL), WEFT_OK);
    node_until(&node, context, told.responses == NODE_SESSIONS);
    weft_destroy(&clients[3]);
    weft_context_destroy(&context);
    cr_assert_null(context);
    node_stop(&node);
}

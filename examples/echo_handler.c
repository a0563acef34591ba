/* echo_handler.c - serves a path for the whole mesh: whatever is asked comes back.
 *
 *     cc echo_handler.c $(pkg-config --cflags --libs weft) -o echo-handler
 *     ./echo-handler 127.0.0.1:7310 echo
 *
 * It needs to be connected to one node only; callers on every node reach it. */

#include <signal.h>
#include <stdio.h>

#include <weft.h>

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static void on_request(struct weft_client *client, const struct weft_incoming *incoming, void *user)
{
    unsigned long *served = user;
    if (weft_respond(client, incoming->responder, &incoming->value) == WEFT_OK)
        ++*served;
}

int main(int count, char **words)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s HOST:PORT PATH\n", words[0]);
        return 2;
    }
    struct weft_options options = {0};
    options.servers = words[1];
    struct weft_client *client = weft_new(&options);
    if (client == NULL) {
        perror("weft_new");
        return 1;
    }
    unsigned long served = 0;
    enum weft_error error = weft_handle_wait(client, words[2], on_request, &served);
    if (error != WEFT_OK) {
        fprintf(stderr, "can't serve %s: %s %s\n", words[2], weft_error_name(error),
                weft_last_failure(client));
        weft_destroy(&client);
        return 1;
    }
    char id[WEFT_SESSION_ID_BYTES];
    printf("serving %s on node %s as session %s\n", words[2], weft_node(client),
           weft_session_id_format(weft_session(client), id));
    fflush(stdout);

    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    while (!is_over && !weft_is_closed(client))
        weft_run(client, 1000); /* also finds another node when this one is lost */
    printf("served %lu requests\n", served);
    weft_destroy(&client);
    return 0;
}

/* session_closer.c - ends a session anywhere in the mesh, by its id, through any node.
 *
 *     cc session_closer.c $(pkg-config --cflags --libs weft) -o session-closer
 *     ./session-closer 127.0.0.1:7310 6731a0c19e02b7d4-99c2f3a1b2c3d4e5 "see you tomorrow"
 *
 * Without an id it lists the sessions of the whole mesh. */

#include <stdio.h>

#include <weft.h>

static int list(struct weft_client *client)
{
    const struct weft_result *result =
        weft_list_sessions_wait(client, NULL, "$Principal", NULL, 0, 0);
    if (result->error != WEFT_OK) {
        fprintf(stderr, "can't list: %s\n", weft_error_name(result->error));
        return 1;
    }
    struct weft_rows nodes = result->nodes;
    struct weft_node_answer answer;
    while (weft_next_node(&nodes, &answer)) {
        struct weft_session_row row;
        char id[WEFT_SESSION_ID_BYTES];
        while (weft_next_session(&answer.rows, &row))
            printf("%s on %.*s\n", weft_session_id_format(row.id, id), (int)row.node.bytes,
                   row.node.data);
    }
    if (!result->is_complete)
        fprintf(stderr, "only %u of %u nodes answered\n", (unsigned)result->nodes_answered,
                (unsigned)result->nodes_asked);
    return 0;
}

int main(int count, char **words)
{
    struct weft_session_id session;
    if (count < 2 || count > 4 || (count > 2 && !weft_session_id_parse(words[2], &session))) {
        fprintf(stderr, "usage: %s HOST:PORT [SESSION-ID [REASON]]\n", words[0]);
        return 2;
    }
    struct weft_options options = {0};
    options.servers = words[1];
    struct weft_client *client = weft_new(&options);
    if (client == NULL || weft_connect(client, 5000) != WEFT_OK) {
        fprintf(stderr, "no session: %s\n", client == NULL ? "" : weft_last_failure(client));
        weft_destroy(&client);
        return 1;
    }
    int code = 0;
    if (count == 2) {
        code = list(client);
    } else {
        const char *reason = count == 4 ? words[3] : NULL;
        const struct weft_result *result = weft_close_session_wait(client, session, reason, 0);
        code = result->error == WEFT_OK ? 0 : 1;
        fprintf(code == 0 ? stdout : stderr, "%s on node %.*s\n", weft_error_name(result->error),
                (int)result->node.bytes, result->node.data);
    }
    weft_destroy(&client);
    return code;
}

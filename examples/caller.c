/* caller.c - asks whoever in the mesh serves a path, and prints the answer.
 *
 *     cc caller.c $(pkg-config --cflags --libs weft) -o caller
 *     ./caller 127.0.0.1:7310 echo "hello"
 *
 * Every request ends with exactly one outcome; each outcome says whether it was executed. */

#include <inttypes.h>
#include <stdio.h>

#include <weft.h>

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s HOST:PORT[,HOST:PORT..] PATH TEXT\n", words[0]);
        return 2;
    }
    struct weft_options options = {0};
    options.servers = words[1];
    struct weft_client *client = weft_new(&options);
    if (client == NULL) {
        perror("weft_new");
        return 1;
    }
    if (weft_connect(client, 5000) != WEFT_OK) {
        fprintf(stderr, "no session: %s\n", weft_last_failure(client));
        weft_destroy(&client);
        return 1;
    }
    struct weft_value value = weft_string(words[3]);
    const struct weft_response *response = weft_request_wait(client, words[2], &value, NULL);
    int code = response->outcome == WEFT_OK ? 0 : 1;
    if (code == 0)
        printf("%.*s\n", (int)response->value.bytes, (const char *)response->value.data);
    else
        fprintf(stderr, "%s: %.*s\n", weft_error_name(response->outcome),
                (int)response->message.bytes, response->message.data);
    fprintf(stderr, "(%" PRIu64 " us, asked through node %s)\n", response->took_us,
            weft_node(client));
    weft_destroy(&client);
    return code;
}

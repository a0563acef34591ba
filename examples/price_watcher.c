/* price_watcher.c - watches topics: the value each has, then every change, from any node.
 *
 *     cc price_watcher.c $(pkg-config --cflags --libs weft) -o price-watcher
 *     ./price-watcher 127.0.0.1:7320 'prices/+'
 *
 * What it prints is the same on whichever node it is connected to. */

#include <signal.h>
#include <stdio.h>

#include <weft_topics.h>

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static void on_value(struct weft_client *client, const struct weft_topic_value *topic, void *user)
{
    (void)client;
    (void)user;
    printf("%.*s ", (int)topic->path.bytes, topic->path.data);
    if (topic->value.type == WEFT_DOUBLE)
        printf("%.2f", topic->value.number);
    else
        printf("(not a price)");
    if (topic->is_snapshot)
        printf("  as it was when we came");
    if (topic->is_resync) /* its node was lost, or ours: the value is right, the way there unseen */
        printf("  some changes may have been missed");
    printf("\n");
    fflush(stdout);
}

static void on_removed(struct weft_client *client, const struct weft_topic_removed *topic,
                       void *user)
{
    (void)client;
    (void)user;
    printf("%.*s is no more\n", (int)topic->path.bytes, topic->path.data);
    fflush(stdout);
}

static void on_unsubscribed(struct weft_client *client, const struct weft_topic_unsubscribed *topic,
                            void *user)
{
    (void)client;
    (void)user;
    struct weft_text what = topic->path.bytes > 0 ? topic->path : topic->selector;
    printf("%.*s: unsubscribed, %s\n", (int)what.bytes, what.data,
           weft_unsubscribed_reason_name(topic->reason));
    fflush(stdout);
}

int main(int count, char **words)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s HOST:PORT SELECTOR\n", words[0]);
        return 2;
    }
    struct weft_options options = {0};
    options.servers = words[1];
    struct weft_client *client = weft_new(&options);
    if (client == NULL) {
        perror("weft_new");
        return 1;
    }
    const struct weft_watcher watcher = {on_value, on_removed, on_unsubscribed, NULL};
    weft_watch(client, &watcher);
    enum weft_error error = weft_subscribe_wait(client, words[2]);
    if (error != WEFT_OK) {
        fprintf(stderr, "can't watch %s: %s %s\n", words[2], weft_error_name(error),
                weft_last_failure(client));
        weft_destroy(&client);
        return 1;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    while (!is_over && !weft_is_closed(client))
        weft_run(client, 1000); /* also finds another node, and subscribes again there */
    weft_destroy(&client);
    return 0;
}

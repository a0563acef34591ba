/* price_feed.c - publishes prices: each path is a topic, set ten times a second.
 *
 *     cc price_feed.c $(pkg-config --cflags --libs weft) -o price-feed
 *     ./price-feed 127.0.0.1:7310 prices/tea prices/rice
 *
 * Connect it to any node; watchers on every node see the same (price_watcher.c). The topics go with
 * this session: when it is over, nobody is shown a price that nobody sets. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weft_topics.h>

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

struct feed {
    unsigned long set, failed;
    int in_flight;
    enum weft_error error; /* the last one */
};

static void on_set(struct weft_client *client, const struct weft_topic_result *result, void *user)
{
    struct feed *feed = user;
    (void)client;
    feed->in_flight--;
    if (result->error == WEFT_OK) {
        feed->set++;
        return;
    }
    feed->failed++;
    if (feed->error != result->error)
        fprintf(stderr, "%s: %.*s\n", weft_error_name(result->error), (int)result->text.bytes,
                result->text.data);
    feed->error = result->error;
}

/* A price some cents above or below the one before. The dice are an old and simple kind, which is
 * good enough for prices that nobody pays. */
static double next_price(double price)
{
    static unsigned dice = 1;
    dice = dice * 1664525U + 1013904223U;
    double cents = (double)(dice >> 24) / 12.8 - 10;
    return price + cents / 100 > 0.5 ? price + cents / 100 : 0.5;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Lets the library work for so long, whatever comes meanwhile. */
static void run_for(struct weft_client *client, long ms)
{
    long end_ms = now_ms() + ms;
    for (long left_ms = ms; left_ms > 0 && !is_over; left_ms = end_ms - now_ms())
        weft_run(client, (int)left_ms);
}

int main(int count, char **words)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s HOST:PORT PATH..\n", words[0]);
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
    printf("publishing on node %s\n", weft_node(client));
    fflush(stdout);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);

    double *prices = calloc((size_t)count, sizeof *prices);
    if (prices == NULL)
        return 1;
    for (int i = 2; i < count; i++)
        prices[i] = 10.0 * i;
    struct feed feed = {0};
    struct weft_set_options set = {0};
    set.remove_with_session = true;
    while (!is_over && !weft_is_closed(client)) {
        for (int i = 2; i < count && feed.in_flight < 1000; i++) { /* no backlog of old prices */
            prices[i] = next_price(prices[i]);
            struct weft_value price = weft_double(prices[i]);
            if (weft_set_topic(client, words[i], &price, &set, on_set, &feed) == WEFT_OK)
                feed.in_flight++;
        }
        run_for(client, 100);
    }
    printf("set %lu prices, %lu failed\n", feed.set, feed.failed);
    free(prices);
    weft_destroy(&client);
    return 0;
}

/* planted_race.c - two threads count without agreeing on it: TSan must say so. */
#include <pthread.h>
#include <stdlib.h>

static int counter;

static void *count(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        counter++;
    }
    return unused;
}

int main(void)
{
    pthread_t one;
    pthread_t other;
    if (pthread_create(&one, NULL, count, NULL) != 0) {
        return EXIT_SUCCESS;
    }
    if (pthread_create(&other, NULL, count, NULL) == 0) {
        (void)pthread_join(other, NULL);
    }
    (void)pthread_join(one, NULL);
    return EXIT_SUCCESS;
}

/* dissemination.c - see dissemination.h.
 *
 *     put -> [class][0] -> sent -> [class][1] -> ... -> [class][sends] -> gone
 *
 * Lists by class and by number of sends make "least sent first" a walk without sorting. A piece
 * that was just sent moves to the tail of the next list, where the walk meets it again; the number
 * of the frame marks it. */
#include "mesh/membership/dissemination.h"

#include "mesh/base/require.h"

enum {
    NEWS_FIRST = 16,
    NEWS_MAX = 1 << 17, /* members and tombstones */
    METADATA_SHARE_PERCENT = 25,
    JOIN_SHARE_PERCENT = 15,
};

void dissemination_init(struct dissemination *all, struct memory *memory, uint64_t salt)
{
    *all = (struct dissemination){.memory = memory, .first_free = NEWS_NONE};
    for (uint32_t class = 0; class < NEWS_CLASSES; class ++) {
        for (uint32_t sends = 0; sends < NEWS_SENDS_MAX; sends++)
            all->first[class][sends] = all->last[class][sends] = NEWS_NONE;
    }
    hashmap_init(&all->by_who, memory, MEMORY_MEMBERS, salt);
}

void dissemination_clear(struct dissemination *all)
{
    memory_free(all->memory, MEMORY_MEMBERS, all->news, all->capacity * sizeof all->news[0]);
    hashmap_clear(&all->by_who);
}

static void list_append(struct dissemination *all, uint32_t number)
{
    struct news *news = &all->news[number];
    uint32_t *first = &all->first[news->class][news->sends];
    uint32_t *last = &all->last[news->class][news->sends];
    news->next = NEWS_NONE;
    news->previous = *last;
    if (*last == NEWS_NONE)
        *first = number;
    else
        all->news[*last].next = number;
    *last = number;
}

static void list_remove(struct dissemination *all, uint32_t number)
{
    const struct news *news = &all->news[number];
    if (news->previous == NEWS_NONE)
        all->first[news->class][news->sends] = news->next;
    else
        all->news[news->previous].next = news->next;
    if (news->next == NEWS_NONE)
        all->last[news->class][news->sends] = news->previous;
    else
        all->news[news->next].previous = news->previous;
}

static bool news_grow(struct dissemination *all)
{
    uint32_t capacity = all->capacity == 0 ? NEWS_FIRST : all->capacity * 2;
    if (capacity > NEWS_MAX)
        return false;
    struct news *grown =
        memory_resize(all->memory, MEMORY_MEMBERS, all->news, all->capacity * sizeof all->news[0],
                      capacity * sizeof all->news[0]);
    if (grown == NULL)
        return false;
    all->news = grown;
    for (uint32_t number = capacity; number > all->capacity; number--) {
        all->news[number - 1].next = all->first_free;
        all->first_free = number - 1;
    }
    all->capacity = capacity;
    return true;
}

static struct hashmap_key key_of(uint32_t who)
{
    return (struct hashmap_key){0, who};
}

/* A place for news of a member that has none, or NEWS_NONE. */
static uint32_t news_new(struct dissemination *all, uint32_t who)
{
    if (all->first_free == NEWS_NONE && !news_grow(all))
        return NEWS_NONE;
    uint32_t number = all->first_free;
    if (!hashmap_put(&all->by_who, key_of(who), number))
        return NEWS_NONE;
    all->first_free = all->news[number].next;
    all->news[number] = (struct news){.who = who};
    all->count++;
    return number;
}

void dissemination_put(struct dissemination *all, uint32_t who, enum news_class class, bool is_full)
{
    uint32_t number = hashmap_get(&all->by_who, key_of(who));
    if (number != HASHMAP_NONE)
        list_remove(all, number);
    else
        number = news_new(all, who);
    if (number == NEWS_NONE)
        return;
    struct news *news = &all->news[number];
    news->class = (uint8_t) class;
    news->sends = 0;
    news->is_full |= is_full;
    list_append(all, number);
}

static void news_free(struct dissemination *all, uint32_t number)
{
    hashmap_remove(&all->by_who, key_of(all->news[number].who));
    all->news[number] = (struct news){.next = all->first_free};
    all->first_free = number;
    all->count--;
}

void dissemination_remove(struct dissemination *all, uint32_t who)
{
    uint32_t number = hashmap_get(&all->by_who, key_of(who));
    if (number == HASHMAP_NONE)
        return;
    list_remove(all, number);
    news_free(all, number);
}

bool dissemination_is_empty(const struct dissemination *all)
{
    return all->count == 0;
}

uint32_t dissemination_sends(uint32_t resend, uint32_t members)
{
    uint32_t digits = 2; /* ceil(log10(members + 1)); a few members meet each other too often */
    for (uint64_t power = 100; power < (uint64_t)members + 1; power *= 10)
        digits++;
    uint64_t sends = (uint64_t)resend * digits;
    return sends < NEWS_SENDS_MAX ? (uint32_t)sends : NEWS_SENDS_MAX - 1;
}

/* The class whose turn it is: urgent, metadata, join with their shares; then join, metadata, urgent
 * with what is left, so that a join larger than its share gets through a flood. */
static enum news_class turn_class(uint32_t turn)
{
    return (enum news_class)(turn < NEWS_CLASSES ? turn : 2 * NEWS_CLASSES - 1 - turn);
}

static void turn_start(const struct dissemination *all, struct dissemination_frame *frame)
{
    frame->sends = 0;
    if (frame->turn < 2 * NEWS_CLASSES)
        frame->next = all->first[turn_class(frame->turn)][0];
}

void dissemination_start(struct dissemination *all, struct dissemination_frame *frame, size_t bytes)
{
    all->frame++;
    *frame = (struct dissemination_frame){0};
    frame->left[NEWS_METADATA] = bytes * METADATA_SHARE_PERCENT / 100;
    frame->left[NEWS_JOIN] = bytes * JOIN_SHARE_PERCENT / 100;
    frame->left[NEWS_URGENT] = bytes - frame->left[NEWS_METADATA] - frame->left[NEWS_JOIN];
    turn_start(all, frame);
}

const struct news *dissemination_offer(const struct dissemination *all,
                                       struct dissemination_frame *frame)
{
    while (all->count > 0 && frame->turn < 2 * NEWS_CLASSES) {
        while (frame->next != NEWS_NONE) {
            const struct news *news = &all->news[frame->next];
            frame->next = news->next;
            if (news->frame != all->frame)
                return news;
        }
        if (++frame->sends < NEWS_SENDS_MAX) {
            frame->next = all->first[turn_class(frame->turn)][frame->sends];
        } else {
            frame->turn++;
            turn_start(all, frame);
        }
    }
    return NULL;
}

bool dissemination_fits(const struct dissemination_frame *frame, size_t bytes)
{
    if (frame->turn < NEWS_CLASSES)
        return bytes <= frame->left[turn_class(frame->turn)];
    return bytes <= frame->left[NEWS_URGENT] + frame->left[NEWS_METADATA] + frame->left[NEWS_JOIN];
}

/* Takes the bytes from the class's own share, and the rest from the others'. */
static void shares_take(struct dissemination_frame *frame, size_t bytes)
{
    for (uint32_t i = 0; i < NEWS_CLASSES && bytes > 0; i++) {
        size_t *left = &frame->left[((uint32_t)turn_class(frame->turn) + i) % NEWS_CLASSES];
        size_t taken = bytes < *left ? bytes : *left;
        *left -= taken;
        bytes -= taken;
    }
    require(bytes == 0);
}

void dissemination_accept(struct dissemination *all, struct dissemination_frame *frame,
                          uint32_t who, size_t bytes, uint32_t sends_max)
{
    uint32_t number = hashmap_get(&all->by_who, key_of(who));
    require(number != HASHMAP_NONE);
    shares_take(frame, bytes);
    list_remove(all, number);
    struct news *news = &all->news[number];
    news->frame = all->frame;
    news->sends++;
    if (news->sends >= sends_max)
        news_free(all, number);
    else
        list_append(all, number);
}

void dissemination_reject(struct dissemination_frame *frame)
{
    frame->next = NEWS_NONE;
    frame->sends = NEWS_SENDS_MAX;
}

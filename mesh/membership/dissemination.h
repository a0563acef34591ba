/* dissemination.h - decides which news goes into the next frame.
 * News is the number of a member and a class; what is said of it is read from the table when it is
 * sent, so newer news of a member replaces older by itself. Each piece is sent `resend` times;
 * least sent first (SWIM, 4.1). Refutations, suspicions, leaves and deaths go first, but metadata
 * keeps a quarter of a frame's bytes and joins 15 %, so that a thousand joins delay no death and
 * no flood of deaths hides a join.
 * Memory: MEMORY_MEMBERS, at most one piece a member. Thread: one owner. */
#ifndef WEFT_MESH_MEMBERSHIP_DISSEMINATION_H
#define WEFT_MESH_MEMBERSHIP_DISSEMINATION_H

#include "mesh/base/hashmap.h"

enum news_class { NEWS_URGENT, NEWS_METADATA, NEWS_JOIN, NEWS_CLASSES };

#define NEWS_NONE UINT32_MAX

enum { NEWS_SENDS_MAX = 64 };

struct news {
    uint32_t who;
    uint32_t next, previous; /* in the list of its class and sends; free ones: next free */
    uint32_t frame;          /* the last frame it went into */
    uint8_t sends;
    uint8_t class; /* enum news_class */
    bool is_full;  /* with addresses and metadata, for those who do not know the member */
};

struct dissemination {
    struct memory *memory;
    struct news *news;
    uint32_t capacity, count, first_free;
    uint32_t first[NEWS_CLASSES][NEWS_SENDS_MAX], last[NEWS_CLASSES][NEWS_SENDS_MAX];
    struct hashmap by_who;
    uint32_t frame;
};

/* A frame being filled: first each class takes its own share, then the joins what is left. */
struct dissemination_frame {
    size_t left[NEWS_CLASSES]; /* bytes that each class may still take */
    uint32_t turn;             /* NEWS_CLASSES turns with own shares, then as many with the rest */
    uint32_t sends, next;      /* where the walk through the turn's class stands */
};

void dissemination_init(struct dissemination *all, struct memory *memory, uint64_t salt);
void dissemination_clear(struct dissemination *all);

/* There is news of a member: it starts anew. Full news stays full until it was sent often enough.
 * Without memory it is dropped: anti-entropy will carry it. */
void dissemination_put(struct dissemination *all, uint32_t who, enum news_class class,
                       bool is_full);
void dissemination_remove(struct dissemination *all, uint32_t who);
bool dissemination_is_empty(const struct dissemination *all);

/* How often each piece is sent in a mesh of so many live members: resend x ceil(log10(N + 1)), as
 * if there were at least 10. */
uint32_t dissemination_sends(uint32_t resend, uint32_t members);

/* Fills a frame of `bytes` bytes: offer gives the next candidate, NULL when there is none left or
 * no room; then either accept (it was written with so many bytes) or reject (it does not fit). */
void dissemination_start(struct dissemination *all, struct dissemination_frame *frame,
                         size_t bytes);
const struct news *dissemination_offer(const struct dissemination *all,
                                       struct dissemination_frame *frame);
bool dissemination_fits(const struct dissemination_frame *frame, size_t bytes);
void dissemination_accept(struct dissemination *all, struct dissemination_frame *frame,
                          uint32_t who, size_t bytes, uint32_t sends_max);
void dissemination_reject(struct dissemination_frame *frame);

#endif

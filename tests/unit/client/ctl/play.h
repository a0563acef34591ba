/* play.h - runs weftctl inside a test, on the node of straw, and keeps what it writes.
 * Memory: the struct is the caller's.
 * Thread: the one that runs it; no other may write meanwhile. */
#ifndef WEFT_TESTS_UNIT_CLIENT_CTL_PLAY_H
#define WEFT_TESTS_UNIT_CLIENT_CTL_PLAY_H

enum { PLAY_BYTES = 32768 };

struct play {
    int code; /* as the program would exit */
    char out[PLAY_BYTES], err[PLAY_BYTES];
};

/* Runs the words, separated by single blanks ('~' stands for a blank in a word; "$S" for the node
 * of straw's address). */
void play_run(struct play *play, const char *words);

/* Calls something with stdout and stderr kept. */
void play_call(struct play *play, int (*call)(void *user), void *user);

#endif

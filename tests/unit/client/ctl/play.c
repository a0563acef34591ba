/* play.c - see play.h. */
#include "tests/unit/client/ctl/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/command_line.h"
#include "client/ctl/problems.h"
#include "client/ctl/verbs.h"
#include "tests/unit/client/node.h"

enum { WORDS_MAX = 16, WORD_BYTES = 256 };

static int redirect(FILE *stream, FILE *to)
{
    (void)fflush(stream);
    int kept = dup(fileno(stream));
    if (kept < 0 || dup2(fileno(to), fileno(stream)) < 0)
        abort();
    return kept;
}

static void restore(FILE *stream, int kept, FILE *from, char text[PLAY_BYTES])
{
    (void)fflush(stream);
    if (dup2(kept, fileno(stream)) < 0)
        abort();
    (void)close(kept);
    rewind(from);
    text[fread(text, 1, PLAY_BYTES - 1, from)] = '\0';
    (void)fclose(from);
}

void play_call(struct play *play, int (*call)(void *user), void *user)
{
    FILE *out = tmpfile(), *err = tmpfile();
    if (out == NULL || err == NULL)
        abort();
    int kept_out = redirect(stdout, out), kept_err = redirect(stderr, err);
    play->code = call(user);
    restore(stdout, kept_out, out, play->out);
    restore(stderr, kept_err, err, play->err);
}

struct call {
    char *words[WORDS_MAX];
    int count;
};

static int run(void *user)
{
    struct call *call = user;
    static struct ctl ctl;
    int code = command_line_read(call->count, call->words, &ctl);
    if (code == EXIT_COMPLETE)
        code = ctl.verb->run(&ctl);
    ctl_clear(&ctl);
    return code;
}

void play_run(struct play *play, const char *words)
{
    char text[WORDS_MAX][WORD_BYTES] = {"weftctl"};
    struct call call = {.words = {text[0]}, .count = 1};
    const char *at = words;
    while (*at != '\0' && call.count < WORDS_MAX - 1) {
        char *word = call.words[call.count] = text[call.count];
        size_t bytes = strcspn(at, " ");
        if (bytes == 2 && strncmp(at, "$S", 2) == 0)
            (void)snprintf(word, WORD_BYTES, "%s", straw.address);
        else
            (void)snprintf(word, WORD_BYTES, "%.*s", (int)bytes, at);
        for (char *c = word; *c != '\0'; c++)
            *c = *c == '~' ? ' ' : *c;
        call.count++;
        at += bytes + (at[bytes] == ' ');
    }
    problems_use_json(false);
    play_call(play, run, &call);
}

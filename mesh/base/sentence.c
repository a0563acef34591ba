/* sentence.c - see sentence.h. */
#include "mesh/base/sentence.h"

void sentence_start(struct sentence *sentence, const char *words)
{
    sentence->bytes = 0;
    sentence_add(sentence, words);
}

void sentence_add(struct sentence *sentence, const char *words)
{
    sentence_add_span(sentence, span_text(words));
}

void sentence_add_span(struct sentence *sentence, struct span words)
{
    size_t room = SENTENCE_BYTES - sentence->bytes;
    size_t bytes = words.bytes;
    if (bytes > room) {
        bytes = room;
        /* The byte behind the cut must begin a character. */
        while (bytes > 0 && (words.data[bytes] & 0xc0) == 0x80)
            bytes--;
    }
    if (bytes > 0)
        memcpy(sentence->text + sentence->bytes, words.data, bytes);
    sentence->bytes += bytes;
}

void sentence_add_number(struct sentence *sentence, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    sentence_add_span(sentence, span_of(digits + first, sizeof digits - first));
}

static void add_hex(struct sentence *sentence, uint64_t number)
{
    char digits[16];
    for (size_t i = 0; i < sizeof digits; i++)
        digits[i] = "0123456789abcdef"[(number >> (60 - 4 * i)) & 15];
    sentence_add_span(sentence, span_of(digits, sizeof digits));
}

void sentence_add_id(struct sentence *sentence, struct session_id id)
{
    add_hex(sentence, id.instance);
    sentence_add(sentence, "-");
    add_hex(sentence, id.serial);
}

struct span sentence_span(const struct sentence *sentence)
{
    return span_of(sentence->text, sentence->bytes);
}

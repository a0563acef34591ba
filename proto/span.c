/* span.c - see span.h. */
#include "proto/span.h"

/* Whether any of the eight bytes is NUL or has its high bit set: 0x80 is borrowed into a byte only
 * by a zero byte or by one right above it, and then the eight go the slow way, which decides. */
static bool has_nul_or_high(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return (((word - UINT64_C(0x0101010101010101)) | word) & UINT64_C(0x8080808080808080)) != 0;
}

/* Returns the bytes, 1..4, of the well-formed UTF-8 character at `at`; 0 when there is none.
 * The ranges are those of the Unicode standard, table 3-7: no overlong form, no surrogate, nothing
 * above U+10FFFF. */
static size_t character_bytes(struct span text, size_t at)
{
    uint8_t first = text.data[at];
    size_t left = text.bytes - at;
    if (first < 0x80)
        return first == 0 ? 0 : 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t bytes = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (left < bytes)
        return 0;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    uint8_t second = text.data[at + 1];
    if (second < low || second > high)
        return 0;
    for (size_t i = 2; i < bytes; i++) {
        if ((text.data[at + i] & 0xc0) != 0x80)
            return 0;
    }
    return bytes;
}

bool span_is_text(struct span text)
{
    size_t at = 0;
    while (at < text.bytes) {
        if (text.bytes - at >= 8 && !has_nul_or_high(&text.data[at])) {
            at += 8;
            continue;
        }
        /* A rest of plain characters: the last eight bytes say so, those before are known. */
        if (text.bytes >= 8 && text.bytes - at < 8 && !has_nul_or_high(&text.data[text.bytes - 8]))
            return true;
        size_t bytes = character_bytes(text, at);
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

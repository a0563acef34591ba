#include "tests/sim/letters.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/base/require.h"

enum { CAPACITY_FIRST = 64 };

void letters_keep(struct letters *letters, uint64_t asked, struct span message)
{
    if (letters->count == letters->capacity) {
        letters->capacity = letters->capacity == 0 ? CAPACITY_FIRST : 2 * letters->capacity;
        letters->kept = realloc(letters->kept, letters->capacity * sizeof *letters->kept);
        require(letters->kept != NULL);
    }
    struct letter *letter = &letters->kept[letters->count++];
    *letter =
        (struct letter){.asked = asked, .bytes = malloc(message.bytes), .size = message.bytes};
    require(letter->bytes != NULL);
    memcpy(letter->bytes, message.data, message.bytes);
}

bool letters_acknowledge(struct letters *letters, uint64_t received)
{
    if (received < letters->acknowledged || received - letters->acknowledged > letters->count)
        return false;
    uint32_t done = (uint32_t)(received - letters->acknowledged);
    for (uint32_t i = 0; i < done; i++)
        free(letters->kept[i].bytes);
    letters->count -= done;
    letters->acknowledged = received;
    if (letters->count > 0) /* else there may be no table yet */
        memmove(letters->kept, letters->kept + done, letters->count * sizeof *letters->kept);
    return true;
}

void letters_clear(struct letters *letters)
{
    for (uint32_t i = 0; i < letters->count; i++)
        free(letters->kept[i].bytes);
    free(letters->kept);
    *letters = (struct letters){0};
}

/* complaints.c - see complaints.h. */
#include "mesh/filter/complaints.h"

struct sentence *complaints_add(struct complaints *complaints, struct span text, size_t at)
{
    if (complaints->count == COMPLAINTS_MAX)
        return NULL;
    struct complaint *complaint = &complaints->items[complaints->count++];
    complaint->line = 1;
    complaint->column = 1;
    for (size_t i = 0; i < at; i++) {
        bool continues = (text.data[i] & 0xc0) == 0x80; /* a character counts once */
        if (text.data[i] == '\n') {
            complaint->line++;
            complaint->column = 1;
        } else if (!continues) {
            complaint->column++;
        }
    }
    sentence_start(&complaint->message, "");
    return &complaint->message;
}

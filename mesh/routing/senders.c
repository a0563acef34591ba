/* senders.c - see senders.h. */
#include "mesh/routing/senders.h"

struct span senders_properties(struct routing *routing, const struct session *session,
                               struct span text)
{
    if (text.bytes == 0) /* as a rule: before the build sets a kilobyte of keys to zero */
        return (struct span){0};
    struct property_keys keys;
    if (property_keys_parse(&keys, text) != ERROR_OK)
        return (struct span){0};
    size_t bytes = properties_measure(&session->properties, &keys);
    if (bytes > REQUEST_PROPERTIES_BYTES_MAX)
        bytes = REQUEST_PROPERTIES_BYTES_MAX;
    void *memory = bytes == 0 ? NULL : scratch_new(&routing->context->scratch, bytes);
    if (memory == NULL)
        return (struct span){0};
    struct writer writer;
    writer_init(&writer, memory, bytes);
    properties_encode(&session->properties, &keys, &writer);
    return span_of(memory, bytes - writer.left);
}

struct span senders_pick(struct routing *routing, struct span properties, struct span text)
{
    struct property_keys keys;
    struct property property;
    enum error error;
    if (text.bytes == 0 || properties.bytes == 0 || property_keys_parse(&keys, text) != ERROR_OK)
        return (struct span){0};
    size_t room = properties.bytes; /* what was read is not written any longer */
    void *memory = scratch_new(&routing->context->scratch, room);
    if (memory == NULL)
        return (struct span){0};
    struct writer writer;
    writer_init(&writer, memory, room);
    while (group_next(&property_schema, &properties, &property, &error)) {
        if (property_keys_have(&keys, property.key))
            group_encode(&property_schema, &property, &writer);
    }
    return span_of(memory, room - writer.left);
}

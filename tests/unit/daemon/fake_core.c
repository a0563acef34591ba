#include "tests/unit/daemon/fake_core.h"

#include <stdio.h>

struct fake_fact fake_core_facts[FAKE_CORE_FACTS_MAX];
unsigned fake_core_count;

static const char *frame_text = "";
static size_t frame_bytes;

void fake_core_reset(void)
{
    fake_core_count = 0;
    frame_text = "";
    frame_bytes = 0;
}

void fake_core_writes(const char *text, size_t bytes)
{
    frame_text = text;
    frame_bytes = bytes;
}

unsigned fake_core_told(enum mesh_fact fact)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fake_core_count; i++)
        count += fake_core_facts[i].input.fact == fact;
    return count;
}

uint64_t fake_core_counted(enum counter counter)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < fake_core_count; i++) {
        const struct mesh_input *input = &fake_core_facts[i].input;
        if (input->fact == MESH_COUNTED && input->counter == counter)
            sum += input->amount;
    }
    return sum;
}

const struct fake_fact *fake_core_last(enum mesh_fact fact)
{
    for (unsigned i = fake_core_count; i > 0; i--) {
        if (fake_core_facts[i - 1].input.fact == fact)
            return &fake_core_facts[i - 1];
    }
    return NULL;
}

/* -- the door -- */

void mesh_receive(struct mesh *mesh, const struct mesh_input *input)
{
    (void)mesh;
    if (fake_core_count == FAKE_CORE_FACTS_MAX)
        return;
    struct fake_fact *fact = &fake_core_facts[fake_core_count++];
    *fact = (struct fake_fact){.input = *input};
    snprintf(fact->text, sizeof(fact->text), "%.*s", (int)input->bytes.bytes,
             (const char *)input->bytes.data);
    snprintf(fact->address, sizeof(fact->address), "%.*s", (int)input->address.bytes,
             (const char *)input->address.data);
}

void mesh_write_output(struct mesh *mesh, void *frame)
{
    (void)mesh;
    memset(frame, 0, frame_bytes);
    memcpy(frame, frame_text, strlen(frame_text));
}

bool mesh_next_output(struct mesh *mesh, struct mesh_output *output)
{
    (void)mesh;
    (void)output;
    return false;
}

uint64_t mesh_deadline_ns(const struct mesh *mesh)
{
    (void)mesh;
    return UINT64_MAX;
}

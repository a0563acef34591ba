#include "daemon/facts.h"

#include "daemon/clock.h"

void facts_set_time(struct facts *facts)
{
    facts->now_ns = clock_now_ns();
    facts->wall_ms = clock_wall_ms();
}

static void facts_tell(struct facts *facts, struct mesh_input input)
{
    input.now_ns = facts->now_ns;
    input.wall_ms = facts->wall_ms;
    mesh_receive(facts->mesh, &input);
}

void facts_plain(struct facts *facts, enum mesh_fact fact)
{
    facts_tell(facts, (struct mesh_input){.fact = fact});
}

void facts_frame(struct facts *facts, enum channel channel, uint32_t connection,
                 struct span address, struct span bytes, enum mesh_excess excess,
                 const struct keyfile *owner)
{
    facts_tell(facts,
               (struct mesh_input){.fact = MESH_FRAME,
                                   .excess = excess,
                                   .channel = channel,
                                   .connection = connection,
                                   .address = address,
                                   .bytes = bytes,
                                   .owner = span_text(owner == NULL ? NULL : owner->name),
                                   .owner_roles = span_text(owner == NULL ? NULL : owner->roles)});
}

void facts_answer(struct facts *facts, uint32_t link, struct span bytes,
                  const struct keyfile *owner)
{
    facts_tell(facts, (struct mesh_input){.fact = MESH_ANSWER,
                                          .channel = CHANNEL_GOSSIP,
                                          .link = link,
                                          .bytes = bytes,
                                          .owner = span_text(owner == NULL ? NULL : owner->name)});
}

void facts_connection(struct facts *facts, enum mesh_fact fact, enum channel channel,
                      uint32_t connection)
{
    facts_tell(facts,
               (struct mesh_input){.fact = fact, .channel = channel, .connection = connection});
}

void facts_link(struct facts *facts, enum mesh_fact fact, enum channel channel, uint32_t link)
{
    facts_tell(facts, (struct mesh_input){.fact = fact, .channel = channel, .link = link});
}

void facts_seed(struct facts *facts, uint32_t seed, struct span addresses)
{
    facts_tell(facts,
               (struct mesh_input){.fact = MESH_SEED_RESOLVED, .seed = seed, .bytes = addresses});
}

void facts_password(struct facts *facts, uint64_t number, enum mesh_password password,
                    struct span roles)
{
    facts_tell(facts, (struct mesh_input){.fact = MESH_PASSWORD_CHECKED,
                                          .number = number,
                                          .password = password,
                                          .bytes = roles});
}

void facts_counted(struct facts *facts, enum counter counter, uint64_t amount)
{
    if (amount > 0)
        facts_tell(facts,
                   (struct mesh_input){.fact = MESH_COUNTED, .counter = counter, .amount = amount});
}

void facts_lagged(struct facts *facts, uint64_t worst_us)
{
    facts_tell(facts, (struct mesh_input){.fact = MESH_LAGGED, .amount = worst_us});
}

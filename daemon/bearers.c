#include "daemon/bearers.h"

#include <stdio.h>

bool bearers_learn(struct guard *guard, struct connection *connection, const char *user_id,
                   struct facts *facts)
{
    if (guard->keyring == NULL)
        return true;
    if (user_id != NULL && strlen(user_id) == KEYFILE_KEY_CHARACTERS) {
        snprintf(connection->key, sizeof(connection->key), "%s", user_id);
        if (keyring_takes(guard->keyring, connection->channel, connection->key, &connection->owner))
            return true;
    }
    facts_counted(facts, COUNTER_keys_revoked, 1);
    guard_shut(guard, connection, facts);
    return false;
}

static void bearers_judge(struct guard *guard, struct connection *connection, struct facts *facts)
{
    if (keyring_takes(guard->keyring, connection->channel, connection->key, &connection->owner) ||
        connection->is_shut)
        return;
    facts_counted(facts, COUNTER_keys_revoked, 1);
    if (connection->channel == CHANNEL_CLIENT) /* its session is told why, and then hung up on */
        facts_connection(facts, MESH_CONNECTION_REVOKED, CHANNEL_CLIENT, connection->number);
    else
        guard_shut(guard, connection, facts);
}

void bearers_review(struct guard *guard, const struct keyring *keyring, struct facts *facts)
{
    struct connections *connections = &guard->connections;
    guard->keyring = keyring;
    for (uint32_t i = 0; i < connections->capacity; i++) {
        if (connections->by_number[i] != NULL)
            bearers_judge(guard, connections->by_number[i], facts);
    }
}

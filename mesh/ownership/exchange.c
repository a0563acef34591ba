/* exchange.c - see exchange.h. */
#include "mesh/ownership/exchange.h"

#include "mesh/log/heads.h"
#include "mesh/ownership/snapshot.h"

static enum error chunk_send(const struct hosts *hosts, uint64_t peer, uint64_t correlation,
                             const struct log_pull *pull, const struct content *content,
                             uint64_t head)
{
    struct log *log = hosts->log;
    struct ownership_entry cursor;
    bool goes_on = pull->cursor.bytes > 0;
    if (goes_on && !snapshot_cursor(pull->cursor, pull->writer, &cursor))
        return ERROR_INVALID_MESSAGE;
    uint8_t *chunk =
        log_can_answer(log, peer) ? scratch_new(&log->context->scratch, LOG_CHUNK_BYTES) : NULL;
    if (chunk == NULL)
        return ERROR_OK; /* asked for again later, or elsewhere */
    struct log_snapshot snapshot = {
        .writer = pull->writer, .stream = (uint8_t)log->stream, .head = head};
    size_t bytes = snapshot_write(content, goes_on ? &cursor : NULL, chunk, LOG_CHUNK_BYTES,
                                  &snapshot.is_last);
    log_answer_chunk(log, peer, correlation, &snapshot, span_of(chunk, bytes));
    return ERROR_OK;
}

enum error exchange_pull_received(const struct hosts *hosts, uint64_t peer,
                                  const struct message *message)
{
    struct log_pull pull;
    struct log *log = hosts->log;
    if (schema_decode(&log_pull_schema, message->fields, &pull) != ERROR_OK ||
        pull.stream != log->stream || message->correlation == 0)
        return ERROR_INVALID_MESSAGE;
    bool is_own = pull.writer == log->context->instance;
    const struct host *host = hosts_find(hosts, pull.writer);
    const struct ring *ring = is_own ? &log->ring : (host == NULL ? NULL : &host->ring);
    if (ring == NULL) {
        log_answer_head(log, peer, message->correlation, pull.writer, 0);
        return ERROR_OK;
    }
    if (log_answer(log, ring, peer, message->correlation, &pull))
        return ERROR_OK;
    const struct content *content = is_own ? hosts->directory->own : host->content;
    return chunk_send(hosts, peer, message->correlation, &pull, content, ring->head);
}

static struct log_head own_head(const struct hosts *hosts)
{
    return (struct log_head){.writer = hosts->log->context->instance, .have = log_head(hosts->log)};
}

static struct log_head head_of(const struct host *host)
{
    return (struct log_head){.writer = host->replica.writer, .have = host->replica.have};
}

static uint64_t hash_all(const struct hosts *hosts)
{
    uint64_t hash = heads_hash(own_head(hosts));
    const struct host *host;
    uint32_t number = 0;
    while ((host = hosts_next(hosts, &number)) != NULL) {
        if (host->replica.is_followed)
            hash += heads_hash(head_of(host));
    }
    return hash;
}

static void heads_answer(const struct hosts *hosts, uint64_t peer, uint64_t hash)
{
    struct log *log = hosts->log;
    if (!log_can_answer(log, peer))
        return;
    uint32_t most = hosts->slots.count + 1 < HEADS_MAX ? hosts->slots.count + 1 : HEADS_MAX;
    struct log_head *heads = scratch_new(&log->context->scratch, most * sizeof heads[0]);
    if (heads == NULL)
        return;
    uint32_t filled = 0;
    heads[filled++] = own_head(hosts);
    const struct host *host;
    uint32_t number = 0;
    while (filled < most && (host = hosts_next(hosts, &number)) != NULL) {
        if (host->replica.is_followed)
            heads[filled++] = head_of(host);
    }
    heads_send(log, peer, hash, heads, filled);
}

void exchange_compare(const struct hosts *hosts)
{
    uint64_t hash = hash_all(hosts);
    log_compare_later(hosts->log);
    uint64_t peer = log_shall_compare(hosts->log, hash) ? log_any_peer(hosts->log, 0) : 0;
    if (peer != 0)
        heads_compare(hosts->log, peer, hash);
}

enum error exchange_heads_received(const struct hosts *hosts, uint64_t peer,
                                   const struct message *message)
{
    struct log_heads fields;
    if (schema_decode(&log_heads_schema, message->fields, &fields) != ERROR_OK ||
        fields.stream != hosts->log->stream)
        return ERROR_INVALID_MESSAGE;
    if (message->body.bytes == 0) {
        uint64_t hash = hash_all(hosts);
        if (hash != fields.hash)
            heads_answer(hosts, peer, hash);
        return ERROR_OK;
    }
    struct log_head head;
    struct span body = message->body;
    enum error error;
    while (heads_next(&body, &head, &error)) {
        struct host *host = hosts_find(hosts, head.writer);
        if (host != NULL)
            replica_witnessed(&host->replica, hosts->log, peer, head.have);
    }
    return error == ERROR_OK ? ERROR_OK : ERROR_INVALID_MESSAGE;
}

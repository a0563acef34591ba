/* exchange.c - see exchange.h. */
#include "mesh/ownership/exchange.h"

#include "mesh/ownership/snapshot.h"

static enum error chunk_send(struct log *log, uint64_t peer, uint64_t correlation,
                             const struct log_pull *pull, const struct content *content,
                             uint64_t head)
{
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

enum error exchange_pull_received(const struct directory *directory,
                                  const struct replicas *replicas, uint64_t peer,
                                  const struct message *message)
{
    struct log_pull pull;
    struct replica *replica;
    struct log *log = replicas->log;
    enum pull_verdict verdict = replicas_pull_received(replicas, peer, message, &pull, &replica);
    if (verdict != PULL_CHUNK)
        return verdict == PULL_REFUSED ? ERROR_INVALID_MESSAGE : ERROR_OK;
    if (replica == NULL)
        return chunk_send(log, peer, message->correlation, &pull, directory->own, log_head(log));
    const struct host *host = host_of(replica);
    return chunk_send(log, peer, message->correlation, &pull, host->content, host->ring.head);
}

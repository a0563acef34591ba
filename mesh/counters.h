/* counters.h - everything weft counts, in one list: the core's own and the daemon's.
 * `weftctl node stats` shows them under these names. The daemon tells its part as facts
 * (MESH_COUNTED), so that there is one table. Thread: plain data. */
#ifndef WEFT_MESH_COUNTERS_H
#define WEFT_MESH_COUNTERS_H

/* X(name) - lower case, as shown. "in" and "out" are seen from this node. */
/* clang-format never agrees with itself about this list. */
/* clang-format off */
#define COUNTER_LIST(X)                                                                            \
    /* frames and messages by channel */                                                           \
    X(client_frames_in)                                                                            \
    X(client_frames_out)                                                                           \
    X(client_messages_in)                                                                          \
    X(client_messages_out)                                                                         \
    X(client_bytes_in)                                                                             \
    X(client_bytes_out)                                                                            \
    X(gossip_frames_in) X(gossip_frames_out) X(gossip_messages_in) X(gossip_messages_out)          \
        X(gossip_bytes_in) X(gossip_bytes_out) X(forward_frames_in) X(forward_frames_out)          \
            X(forward_messages_in) X(forward_messages_out) X(forward_bytes_in)                     \
                X(forward_bytes_out) /* what peers were sent on purpose: zero for local work */    \
        X(requests_forwarded) X(responses_forwarded) X(commands_forwarded) /* sessions */          \
        X(sessions_opened) X(sessions_closed) X(sessions_refused)                                  \
            X(sessions_lost)                                                                       \
        X(sessions_disconnected) X(sessions_resumed) X(sessions_not_resumed)                       \
        X(sessions_unrecovered) X(sessions_refused_address) X(sessions_refused_rate)               \
        X(updates_merged) X(subscriptions_ended) X(queues_given_up)                               \
        X(authentications_begun) X(authentications_allowed) X(authentications_denied)              \
            X(authentications_refused) X(authentications_refused_address)                          \
                X(authentications_abandoned) X(authenticators_asked) X(authenticators_silent)      \
                    X(authenticators_lost) X(authentication_answers_late) X(passwords_checked)     \
        X(missing_topics_told) X(missing_topics_coalesced) X(missing_topics_forwarded)             \
            X(missing_topics_unheard)                                                              \
        X(session_events_told) X(session_event_resyncs) X(session_listeners_ended)                 \
        /* requests this node's callers made, and their outcomes */                                \
        X(requests_received) X(requests_ok) X(requests_rejected) X(requests_handler_error)         \
            X(requests_no_handler) X(requests_unhandled) X(requests_no_such_session)               \
                X(requests_denied) X(requests_overloaded) X(requests_handler_lost)                 \
                    X(requests_timeout) X(requests_cancelled) X(requests_other)                    \
                        X(requests_handed_over) X(requests_rerouted) X(responses_late)             \
                            X(requests_withdrawn) X(requests_retried) X(requests_not_copied)       \
                            X(parts_sent) X(parts_answered) X(parts_failed)                        \
                            X(commands_received) X(commands_applied)                        \
        /* topics: what this node sequenced, asked others for, told its sessions */               \
        X(topic_updates) X(topic_updates_forwarded) X(topic_updates_parked)                        \
        X(topic_updates_told) X(topics_adopted) X(topic_collects_cut) X(fetches_refused)           \
        X(filter_matches_limited) /* membership and links */    \
        X(probes_sent) X(probes_failed) X(probes_indirect) X(suspicions) X(deaths) X(refutations)  \
            X(joins_refused) X(links_up) X(links_lost) X(links_full) /* the log */                 \
        X(log_entries_in) X(log_entries_out) X(log_gaps) X(log_snapshots_in) X(log_snapshots_out)  \
            X(log_rejected) /* bad input, by where it came from */                                 \
        X(client_frames_bad) X(gossip_frames_bad) X(forward_frames_bad) X(kinds_unknown)           \
            X(client_messages_invalid) X(peer_strikes) X(peer_frames_struck) X(frames_wrong_mesh)  \
                X(frames_not_ours) X(frames_wrong_owner) /* the daemon's guard and sockets */      \
        X(connections_accepted) X(connections_closed) X(connections_cut) X(connections_silent)     \
            X(connections_failed) X(frames_multipart) X(frames_routing_id) X(accept_failures)      \
                X(sends_refused) X(seeds_resolved) X(seeds_failed) X(log_lines_dropped)          \
        X(connections_refused_address) X(keys_refused) X(keys_revoked)

/* clang-format on */

enum counter {
#define COUNTER_ENUM(name) COUNTER_##name,
    COUNTER_LIST(COUNTER_ENUM)
#undef COUNTER_ENUM
        COUNTERS
};

/* The name as it is shown; "unknown_counter" for a number past the list. */
const char *counters_name(enum counter counter);

#endif

"""The frames of proto/vectors.json, as values: vectors.py encodes them."""

import struct
from typing import Any, NamedTuple


class Groups(NamedTuple):
    of: str
    values: list


class Entries(NamedTuple):
    writer: int
    values: list


class TopicEntries(NamedTuple):
    values: list


class Message(NamedTuple):
    channel: str
    kind: str
    correlation: int = 0
    fields: dict = {}
    body: Any = b""
    flags: int = 0


A, B = 0x1A2B3C4D5E6F7081, 0x6731A0C19E02B7D4
PEER = {"mesh": 0x3D8B12F619F6348B, "sender": A, "receiver": B, "sequence": 7}
SESSION = "6731a0c19e02b7d4-00c0ffee00c0ffee"
OTHER = "1a2b3c4d5e6f7081-0123456789abcdef"
TOKEN = bytes(range(0x20, 0x40))
NODES = Groups("node_address", [{"node": "eu-b", "address": "10.0.0.12:7310"},
                                {"node": "eu-a", "address": "[2001:db8::a]:7310"}])
INT64 = (-2).to_bytes(8, "little", signed=True)
RECORD = {"name": "eu-a", "instance": A, "incarnation": 0x200000003, "state": 1,
          "gossip_address": "10.0.0.11:7311", "forward_address": "10.0.0.11:7312",
          "client_address": "10.0.0.11:7310", "zone": "az1", "version": "0.1.0", "wire_min": 1,
          "wire_max": 1}
SUSPECT = {"name": "eu-c", "instance": 0x3333, "incarnation": 0x100000001, "state": 2,
           "accusers": struct.pack("<QQ", A, B)}
DEAD = {"name": "eu-d", "instance": 0x5555, "incarnation": 0x100000009, "state": 3,
        "refused": struct.pack("<Q", A)}
PROPERTIES = Groups("property", [{"key": "$Principal", "value": "ann"},
                                 {"key": "city", "value": "Z\u00fcrich \u20ac \U0001f9f5"},
                                 {"key": "empty"}, {"key": "gone", "is_absent": True}])


def client(kind, /, correlation=0, flags=0, body=b"", **fields):
    return Message("client", kind, correlation, fields, body, flags)


def gossip(kind, /, correlation=0, flags=0, **fields):
    return Message("gossip", kind, correlation, fields, b"", flags)


def forward(kind, /, correlation=0, flags=0, body=b"", **fields):
    return Message("forward", kind, correlation, fields, body, flags)


HELLO = client("HELLO", 1, 1, version_min=1, version_max=1, client_type="python")
WELCOME = client("WELCOME", 1, version=1, session=SESSION, token=TOKEN, node="eu-b", mesh="weft",
                 instance=B, message_bytes_max=1048576, body=NODES)
REQUEST = client("REQUEST", 2, 1, path="hello", type=2, body=b"hi")
RESPONSE = client("RESPONSE", 2, outcome=0, type=2, body=b"hi yourself")
GOODBYE = client("GOODBYE", reason=1)

CONVERSATION = [
    ("C", "I am a Python program, nobody in particular.", HELLO),
    ("N", "The session is open; these are its id and token, and two nodes to turn to.", WELCOME),
    ("C", "Who serves `hello`? Here is a string.", REQUEST),
    ("N", "Somebody answered.", RESPONSE),
    ("C", "That was all.", GOODBYE),
]

ROWS = {
    "members": Groups("member_row", [
        {"name": "eu-b", "zone": "az2", "version": "0.1.0", "address": "10.0.0.12:7311",
         "instance": B, "incarnation": 0x100000000, "state": 1, "sessions": 18190, "lag_us": 912,
         "is_self": True},
        {"name": "eu-a", "instance": A, "incarnation": 0x200000003, "state": 2, "rtt_us": 210}]),
    "handlers": Groups("handler_row", [
        {"kind": 1, "path": "orders", "node": "eu-a", "session": OTHER, "state": 1},
        {"kind": 4, "path": "chat", "node": "eu-a", "session": OTHER, "state": 1, "in_flight": 2,
         "requests": 1 << 33, "errors": 7, "mean_us": 310, "p99_us": 1100,
         "last_error": "REJECTED: busy"}]),
    "sessions": Groups("session_row", [
        {"id": SESSION, "state": 1, "node": "eu-b", "properties": PROPERTIES},
        {"id": OTHER, "state": 2, "is_conflated": True, "queue_messages": 3, "queue_bytes": 4096,
         "conflated_total": 5000000000, "lag_ms": 1700}]),
    "roles": Groups("role", [{"name": "trader"}, {"name": "Z\u00fcrich"}]),
    "previous": Groups("property", [{"key": "desk", "is_absent": True},
                                    {"key": "tier", "value": "trial"}]),
    "status": Groups("status_row", [
        {"is_ready": True, "members": 3, "sessions": 18204, "handlers": 3, "sessions_here": 9,
         "members_hash": 0x1111, "directory_hash": 0x2222, "topics_hash": 0x3333,
         "behind": 1700, "topics": 4}]),
    "counters": Groups("counter_row", [
        {"name": "requests_ok", "value": 1 << 40}, {"name": "requests_denied"}]),
    "verdicts": Groups("verdict_row", [
        {"at_ms": 1795374867123, "by": "eu-b", "event": "unanswered", "helpers": "eu-a,eu-d",
         "incarnation": 0x100000001},
        {"at_ms": 1795374867400, "by": "eu-a", "event": "confirmed", "confirmations": 1},
        {"at_ms": 1795374867500, "by": "?", "event": "answered", "rtt_us": 210}]),
}


def answers(rows):
    return Groups("node_answer", [
        {"node": "eu-a", "instance": A, "code": 0, "matched": 2, "applied": 1, "failed": 1,
         "total": 2, "took_us": 850, "rows": rows},
        {"node": "eu-b", "code": 42, "text": "no answer"}])


VALID = [
    ("hello_anonymous", HELLO),
    ("hello_with_everything", client(
        "HELLO", 0xFFFFFFFFFFFFFFFF, 1, version_min=1, version_max=3, mesh="weft",
        client_type="c", environment="libweft 0.1.0, Linux", principal="ann",
        credentials=b"\x00secret\xff", reconnect_ms=4294967295, session=SESSION, token=TOKEN,
        received_seq=1 << 32, body=PROPERTIES)),
    ("welcome", WELCOME),
    ("welcome_back", client("WELCOME", 2, version=1, session=SESSION, node="eu-b",
                            reconnect_ms=60000, recovered=True, received_seq=70001,
                            resumed_seq=1 << 32)),
    ("welcome_back_with_a_gap", client("WELCOME", 2, version=1, session=SESSION, node="eu-b",
                                       reconnect_ms=60000, received_seq=3, resumed_seq=70)),
    ("refused_wrong_mesh", client("REFUSED", 1, code=50, text="this is mesh weft, not prod",
                                  body=NODES)),
    ("ping", client("PING", 9)),
    ("pong", client("PONG", 9)),
    ("grant_from_the_start", client("GRANT", messages_limit=1000, bytes_limit=1048576)),
    ("grant_nothing_more", client("GRANT", received_seq=70000, messages_limit=0, bytes_limit=0)),
    ("grant_of_a_node", client("GRANT", received_seq=128, messages_limit=4294967295,
                               bytes_limit=4294967295)),
    ("goodbye", GOODBYE),
    ("goodbye_with_a_reason", client("GOODBYE", reason=2, text="the trial is over")),
    ("done", client("DONE", 5)),
    ("error_in_a_filter", client("ERROR", 6, code=35, text="expected a quoted string, found Gold",
                                 line=1, column=9)),
    ("request_string", REQUEST),
    ("request_json", client("REQUEST", 3, 1, path="orders/eu", type=1, timeout_ms=2500,
                            is_idempotent=True, body=b'{"n":[1,2,3]}')),
    ("request_int64", client("REQUEST", 4, 1, path="counter/add", type=4, body=INT64)),
    ("request_double", client("REQUEST", 5, 1, path="counter/add", type=5,
                              body=struct.pack("<d", 1.5))),
    ("request_long_path", client("REQUEST", 6, 1, path="/".join(["p" * 255] * 4), type=3)),
    ("request_to_a_handler", client("REQUEST", 88, 1, path="orders/eu", type=1, timeout_ms=2490,
                                    sender=OTHER, body=b"{}")),
    ("response_ok", RESPONSE),
    ("response_rejected", client("RESPONSE", 3, outcome=1, message="out of stock")),
    ("response_no_handler", client("RESPONSE", 4, outcome=3)),
    ("request_to_a_session", client("REQUEST", 30, 1, path="chat", type=2, to=OTHER, body=b"hi")),
    ("request_to_a_filter", client("REQUEST", 31, 1, path="chat", type=2, timeout_ms=2000,
                                   filter="tier is 'gold'", body=b"hi")),
    ("request_with_properties", client("REQUEST", 89, 1, path="orders/eu", type=1, timeout_ms=2490,
                                       sender=OTHER, properties=PROPERTIES, body=b"{}")),
    ("spread", client("SPREAD", 31, sent=2, nodes_asked=2, nodes_answered=1,
                      body=Groups("node_answer", [
                          {"node": "eu-a", "instance": A, "code": 0, "matched": 2},
                          {"node": "eu-b", "code": 42, "text": "can't be reached now"}]))),
    ("part_ok", client("PART", 31, session=OTHER, outcome=0, type=2, body=b"hi yourself")),
    ("part_unhandled", client("PART", 31, session=SESSION, outcome=4,
                              message="the session does not listen on chat")),
    ("response_of_a_filter", client(
        "RESPONSE", 31, outcome=42, sent=2, answered=1, nodes_asked=2, nodes_answered=1,
        body=Groups("node_answer", [
            {"node": "eu-a", "instance": A, "code": 0, "matched": 1, "applied": 1},
            {"node": "eu-b", "instance": B, "code": 8, "matched": 1, "failed": 1}]))),
    ("cancel", client("CANCEL", 3)),
    ("register_with_keys", client("REGISTER", 12, 1, kind=1, path="orders",
                                  keys="$Principal,tier")),
    ("register_direct", client("REGISTER", 13, 1, kind=4, path="chat", keys="*U")),
    ("register", client("REGISTER", 10, 1, kind=1, path="orders")),
    ("unregister", client("UNREGISTER", 11, 1, kind=1, path="orders")),
    ("register_authenticator", client("REGISTER", 24, 1, kind=2, path="corporate")),
    ("authenticate", client("AUTHENTICATE", 92, 1, name="corporate", principal="ann",
                            credentials=b"\0\xffopen sesame", timeout_ms=2000, session=SESSION,
                            body=PROPERTIES)),
    ("decision_allow", client("DECISION", 92, code=1, body=Groups("property", [
        {"key": "$Principal", "value": "ann@corp"}, {"key": "$Roles", "value": '"desk","eu"'},
        {"key": "tier", "value": "gold"}]))),
    ("decision_deny", client("DECISION", 93, code=2)),
    ("reauthenticate", client("REAUTHENTICATE", 25, 1, principal="ann", credentials=b"pass")),
    ("missing_topic", client("MISSING_TOPIC", selector="prices/+/eur", session=OTHER,
                             nodes="eu-a,eu-b", coalesced=3, body=PROPERTIES)),
    ("command_close_by_id", client("COMMAND", 12, 1, verb=1, session=SESSION, text="bye")),
    ("command_list_by_filter", client("COMMAND", 13, 1, verb=3,
                                      filter="tier is 'gold' and not has x", keys="*U,$Principal",
                                      limit=20, timeout_ms=10000)),
    ("command_list_sorted", client("COMMAND", 19, 1, verb=3, filter="all", sort="tier")),
    ("command_set_properties_by_filter", client(
        "COMMAND", 20, 1, verb=4, filter="tier is 'trial'", dry_run=True, expect_max=40,
        body=Groups("property", [{"key": "$Country", "value": "CH"},
                                 {"key": "desk", "is_absent": True},
                                 {"key": "tier", "value": "gold"}]))),
    ("command_change_roles", client("COMMAND", 21, 1, verb=5, session=SESSION,
                                    add_roles=ROWS["roles"],
                                    remove_roles=Groups("role", [{"name": "guest"}]))),
    ("command_set_conflated", client("COMMAND", 22, 1, verb=6, session=SESSION,
                                     is_conflated=True)),
    ("command_members", client("COMMAND", 14, 1, verb=16, includes_gone=True)),
    ("listen_to_members", client("LISTEN", 16, 1, what=2)),
    ("listen_to_sessions", client("LISTEN", 18, 1, what=1, filter="tier is 'gold'",
                                  keys="tier,$Principal")),
    ("unlisten", client("UNLISTEN", 17, 1, what=2)),
    ("event_session_updated", client("EVENT", 18, what=1, event=2, node="eu-a", zone="az1",
                                     instance=A, sequence=9, session=OTHER, state=1,
                                     body=ROWS["previous"])),
    ("event_session_closed", client("EVENT", 18, what=1, event=5, node="eu-a", instance=A,
                                    sequence=10, session=OTHER, state=3, reason=2)),
    ("event_session_gone", client("EVENT", 18, what=1, event=11, node="eu-c", instance=0x3333,
                                  sequence=11, session="0000000000003333-0000000000000001",
                                  state=2, is_resync=True)),
    ("event_member_failed", client("EVENT", 16, what=2, event=4, node="eu-c", zone="az3",
                                   instance=0x3333, sequence=4)),
    ("command_verdicts", client("COMMAND", 18, 1, verb=20, node="eu-c")),
    ("result_verdicts", client("RESULT", 18, code=0, node="eu-b", matched=3, total=3, state=3,
                               body=ROWS["verdicts"])),
    ("command_counters", client("COMMAND", 15, 1, verb=19, node="eu-a")),
    ("result_close_by_id", client("RESULT", 12, code=0, session=SESSION, node="eu-b",
                                  took_us=310)),
    ("result_set_properties", client("RESULT", 20, code=0, session=SESSION, node="eu-b",
                                     matched=1, applied=1, body=ROWS["previous"])),
    ("result_set_conflated", client("RESULT", 22, code=0, matched=1, applied=1, removed=12,
                                    id=bytes(range(16)))),
    ("result_expectation_refused", client(
        "RESULT", 23, code=48, text="2 sessions match, more than the 1 expected", matched=2,
        nodes_asked=1, nodes_answered=1, is_complete=True,
        body=Groups("node_answer", [{"node": "eu-a", "instance": A, "code": 0, "matched": 2,
                                     "removed": 1}]))),
    ("result_no_such_session", client("RESULT", 12, code=5, session=OTHER,
                                      text="no such session in the mesh")),
    ("result_list", client("RESULT", 13, code=0, matched=2, applied=1, failed=1, total=2,
                           nodes_asked=2, nodes_answered=1, took_us=1000000,
                           body=answers(ROWS["sessions"]))),
    ("result_get_properties", client("RESULT", 16, code=0, session=SESSION, node="eu-b",
                                     body=ROWS["sessions"])),
    ("result_members", client("RESULT", 14, code=0, node="eu-b", body=ROWS["members"])),
    ("result_handlers", client("RESULT", 17, code=0, node="eu-b", body=ROWS["handlers"])),
    ("result_status", client("RESULT", 18, code=0, nodes_asked=2, nodes_answered=1,
                             body=answers(ROWS["status"]))),
    ("result_counters", client("RESULT", 15, code=0, nodes_asked=1, nodes_answered=1,
                               is_complete=True, body=answers(ROWS["counters"]))),
    ("forward_request", forward("REQUEST", 3001, 1, path="hello", type=2, timeout_ms=9999,
                                sender=OTHER, handler=SESSION, body=b"hi")),
    ("forward_request_to_a_session", forward("REQUEST", 3010, 1, path="chat", type=2,
                                             timeout_ms=9999, sender=OTHER, to=SESSION,
                                             properties=PROPERTIES, body=b"hi")),
    ("forward_request_to_a_filter", forward("REQUEST", 4001, 1, path="chat", type=2,
                                            timeout_ms=9999, sender=OTHER, filter="all",
                                            properties=PROPERTIES, body=b"hi")),
    ("forward_spread_counted", forward("SPREAD", 4001, sent=300)),
    ("forward_spread_refused", forward("SPREAD", 4001, code=48, text="too many at work")),
    ("forward_spread_allowed", forward("SPREAD", 4001, allowed=64)),
    ("forward_part", forward("PART", 4001, session=SESSION, outcome=1, message="busy", number=17)),
    ("forward_response_session_moved", forward("RESPONSE", 3010, outcome=96, type=2, owner=B,
                                               message="chat", body=b"hi")),
    ("forward_response_moved", forward("RESPONSE", 3001, outcome=96, type=2, message="hello",
                                       body=b"hi")),
    ("forward_cancel", forward("CANCEL", 3001)),
    ("forward_authenticate", forward("AUTHENTICATE", 5001, 1, name="corporate", timeout_ms=1999,
                                     session=SESSION, handler=OTHER)),
    ("forward_decision_lost", forward("DECISION", 5001, code=4)),
    ("forward_missing_topic", forward("MISSING_TOPIC", selector="prices/**", session=SESSION,
                                      nodes="eu-a", handler=OTHER)),
    ("forward_command", forward("COMMAND", 3002, 1, verb=1, filter="all", text="bye",
                                timeout_ms=5000, id=bytes(range(16)), asker=OTHER)),
    ("forward_command_pin", forward("COMMAND", 3007, 1, verb=6, filter="all", timeout_ms=5000,
                                    id=bytes(range(16)), asker=OTHER, is_conflated=True, phase=1)),
    ("forward_command_apply_pinned", forward(
        "COMMAND", 3007, 1, verb=6, filter="all", timeout_ms=4990, id=bytes(range(16)),
        asker=OTHER, is_conflated=True, phase=2)),
    ("forward_result_moved", forward("RESULT", 3002, code=96, session=SESSION, owner=B)),
    ("forward_result_rows", forward("RESULT", 3003, code=0, matched=1, applied=1, total=1,
                                    took_us=77, body=ROWS["sessions"])),
    ("forward_result_status", forward("RESULT", 3005, code=0, body=ROWS["status"])),
    ("forward_result_counters", forward("RESULT", 3006, code=0, body=ROWS["counters"])),
    ("forward_event_wants_a_filter", forward("EVENT", what=1, event=0, session=OTHER, number=4)),
    ("forward_listen_anew", forward("LISTEN", what=1, filter="all", keys="*U", listener=OTHER,
                                    number=4, epoch=1)),
    ("forward_listen_next_slice", forward("LISTEN", what=1, listener=OTHER, number=4, epoch=1,
                                          slice=1)),
    ("forward_event_slice", forward(
        "EVENT", what=1, event=0, session=OTHER, number=4, epoch=1, sequence=1, is_slice=True,
        is_last=True, body=Groups("session_item", [
            {"id": SESSION, "event": 1, "state": 1, "properties": PROPERTIES},
            {"id": OTHER, "event": 1, "state": 2}]))),
    ("forward_event_closed", forward(
        "EVENT", what=1, event=0, session=OTHER, number=4, epoch=1, sequence=2,
        body=Groups("session_item", [{"id": SESSION, "event": 5, "state": 3, "reason": 1}]))),
    ("forward_event_refused", forward("EVENT", what=1, event=0, session=OTHER, number=5, epoch=1,
                                      code=48)),
    ("forward_error", forward("ERROR", 3004, code=46, text="unknown kind 77")),
    ("log_entries", forward(
        "LOG_ENTRIES", writer=A, stream=1, first=40, last=47, head=47, body=Entries(A, [
            {"type": 1, "session": OTHER, "state": 1},
            {"type": 4, "session": OTHER, "handler_kind": 1, "path": "orders"},
            {"type": 2, "session": SESSION, "state": 2},
            {"type": 5, "session": OTHER, "handler_kind": 1, "path": "orders"},
            {"type": 6, "session": SESSION, "state": 1, "claim": 3},
            {"type": 4, "session": OTHER, "handler_kind": 64, "path": "sessions",
             "value": "\x04\x03\x02\x01" * 2},
            {"type": 4, "session": OTHER, "handler_kind": 77, "path": "of a later version",
             "value": "kept"},
            {"type": 3, "session": SESSION}]))),
    ("log_entries_only_the_head", forward("LOG_ENTRIES", 21, writer=A, stream=1, first=48, last=47,
                                          head=47)),
    ("log_pull", forward("LOG_PULL", 22, writer=B, stream=1, have=300)),
    ("log_pull_inside_a_snapshot", forward("LOG_PULL", 23, writer=B, stream=1,
                                           cursor=b"\x01" + bytes(range(1, 9)) + b"\x01")),
    ("log_snapshot_last_chunk", forward(
        "LOG_SNAPSHOT", 23, writer=B, stream=1, head=70000, is_last=True,
        body=Entries(B, [{"type": 1, "session": SESSION, "state": 2}]))),
    ("log_heads_to_compare", forward("LOG_HEADS", stream=1, hash=0x0123456789ABCDEF)),
    ("log_heads_with_what_there_is", forward(
        "LOG_HEADS", stream=1, hash=0xFEDCBA, body=Groups("log_head", [
            {"writer": A, "have": 47}, {"writer": B}]))),
    ("log_entries_of_topics", forward(
        "LOG_ENTRIES", writer=A, stream=2, first=1, last=4, head=4, body=TopicEntries([
            {"type": 3, "position": 1},
            {"type": 1, "position": 2, "term": 7,
             "instance": hex(A), "n": 1, "path": "prices/eur", "value_type": 5,
             "policy": 1, "value": struct.pack("<d", 1.5).hex()},
            {"type": 1, "position": 3, "term": 8,
             "instance": hex(A), "n": 1, "path": "seats/4", "value_type": 1,
             "creator": SESSION, "value": b"{}".hex()},
            {"type": 2, "position": 4, "term": 7,
             "instance": hex(A), "n": 2, "path": "prices/eur"}]))),
    ("log_snapshot_of_topics", forward(
        "LOG_SNAPSHOT", 24, writer=B, stream=2, head=9, is_last=True, body=TopicEntries([
            {"type": 1, "position": 6, "term": 1 << 40,
             "instance": hex(B), "n": 300, "path": "a", "value_type": 2,
             "policy": 3, "value": b"now".hex()},
            {"type": 77, "position": 9, "term": 1,
             "instance": "0x5555", "n": 2, "path": "of a later version",
             "rest": b"kept".hex()}]))),
    ("log_collect", forward("LOG_COLLECT", 25, stream=2, head=1)),
    ("log_collected", forward("LOG_COLLECTED", 25, stream=2, body=Groups("log_head", [
        {"writer": A, "have": 4}, {"writer": 0x5555, "have": 70000}]))),
    ("subscribe", client("SUBSCRIBE", 30, 1, selector="prices/+/bid")),
    ("unsubscribe", client("UNSUBSCRIBE", 31, 1, selector="prices/**")),
    ("update", client("UPDATE", path="prices/eur", type=5, term=7, instance=A, n=2,
                      body=struct.pack("<d", 1.5))),
    ("update_of_a_snapshot", client("UPDATE", path="prices/eur", type=1, term=7, instance=A, n=9,
                                    is_snapshot=True, body=b"[1]")),
    ("update_to_resync", client("UPDATE", path="prices/eur", type=1, term=9, instance=B, n=1,
                                is_resync=True, body=b"[2]")),
    ("unsubscribed_removed", client("UNSUBSCRIBED", path="prices/eur", reason=4, term=9,
                                    instance=B, n=2)),
    ("unsubscribed_authorization", client("UNSUBSCRIBED", path="prices/eur", reason=2)),
    ("unsubscribed_requested", client("UNSUBSCRIBED", selector="prices/**", reason=1)),
    ("set", client("SET", 32, 1, path="prices/eur", type=5, body=struct.pack("<d", 1.25))),
    ("set_creates", client("SET", 33, 1, path="seats/4", type=1, policy=2, mode=1,
                           remove_with_session=True, body=b"{}")),
    ("set_if_the_value_is", client("SET", 34, 1, path="seats/4", type=2, mode=2, constraint=2,
                                   expected_bytes=4, body=b"freetaken")),
    ("set_if_the_version_is", client("SET", 35, 1, path="seats/4", type=2, constraint=3, term=7,
                                     instance=A, n=12, body=b"taken")),
    ("remove", client("REMOVE", 36, 1, selector="seats/**")),
    ("fetch", client("FETCH", 37, 1, selector="**", limit=20, after="prices/eur",
                     without_values=True)),
    ("topic_set", client("TOPIC", 32, code=0, term=7, instance=A, n=3)),
    ("topic_refused", client("TOPIC", 34, code=41, text="the value is another one", term=7,
                             instance=A, n=3)),
    ("topic_removed", client("TOPIC", 36, code=0, count=12)),
    ("topics", client("TOPICS", 37, code=0, total=70, body=Groups("topic_row", [
        {"path": "prices/eur", "type": 5, "policy": 1, "term": 7, "instance": A, "n": 3,
         "value": struct.pack("<d", 1.25), "value_bytes": 8},
        {"path": "seats/4", "type": 1, "term": 8, "instance": A, "n": 1, "value_bytes": 2,
         "creator": SESSION}]))),
    ("topics_refused", client("TOPICS", 39, code=36, text="a star stands only at the end")),
    ("command_subscribe", client("COMMAND", 38, 1, verb=7, filter="tier is 'gold'",
                                 selector="prices/**")),
    ("forward_set", forward("SET", 7001, 1, path="prices/eur", type=5, asker=OTHER, rights=3,
                            body=struct.pack("<d", 1.25))),
    ("forward_remove", forward("REMOVE", 7002, 1, body=Groups("topic_path", [
        {"path": "seats/4"}, {"path": "seats/5"}]))),
    ("forward_topic", forward("TOPIC", 7001, code=0, term=7, instance=B, n=3, position=81)),
    ("join", gossip("JOIN", 1, 1, mesh="weft", wire_min=1, wire_max=1, members=1,
                    member=Groups("member_record", [RECORD]))),
    ("join_again", gossip("JOIN", 2, 1, mesh="weft", nonce=0x123456789, wire_min=1, wire_max=1,
                          members=1, member=Groups("member_record", [RECORD]))),
    ("challenge", gossip("CHALLENGE", 1, nonce=0x123456789, known_incarnation=0x100000004,
                         member=Groups("member_record", [RECORD]))),
    ("challenge_misaddressed", gossip("CHALLENGE", nonce=1, called=0x7777,
                                      member=Groups("member_record", [RECORD]))),
    ("swim_ping", gossip("SWIM_PING", 500, 1, view_hash=0xABCD, log_head=45, sessions=18190,
                         lag_us=912, health=1, forward_up=True,
                         news=Groups("member_record", [RECORD, SUSPECT, DEAD]))),
    ("swim_ack", gossip("SWIM_ACK", 500, view_hash=0xABCD, log_head=12, forward_up=True)),
    ("swim_ping_request", gossip("SWIM_PING_REQUEST", 500, target=0x3333,
                                 target_incarnation=0x100000001, budget_ms=300)),
    ("swim_nack", gossip("SWIM_NACK", 500, target=0x3333, target_incarnation=0x100000001)),
    ("swim_news", gossip("SWIM_NEWS", news=Groups("member_record", [SUSPECT]))),
    ("swim_sync_buckets", gossip("SWIM_SYNC", buckets=bytes(range(256)) * 2)),
    ("swim_sync_table", gossip("SWIM_SYNC", wants_table=True, has_more=True,
                               bucket_mask=0x8000000000000001,
                               news=Groups("member_record", [RECORD, DEAD]))),
]

BATCHES = [
    ("grant_and_two_requests", [
        client("GRANT", messages_limit=16, bytes_limit=65536), REQUEST,
        client("REQUEST", 3, 1, path="b", type=3, body=b"\x00")]),
    ("answers_to_a_client", [RESPONSE, client("PONG", 9), client("DONE", 10)]),
    ("a_pull_of_a_forward_link", [
        forward("REQUEST", 1, 1, path="a", type=3, handler=SESSION),
        forward("RESPONSE", 2, outcome=0, type=3, body=b"x" * 300),
        forward("LOG_PULL", writer=A, stream=1)]),
]


def raw(kind, fields, body=b"", correlation=1, flags=0):
    """A message from bytes, whatever they are."""
    return struct.pack("<BBHIQ", kind, flags, len(fields), len(body), correlation) + fields + body


def topic(type_, path, rest):
    """An entry of the topics log from bytes, whatever they are."""
    data = struct.pack("<BQQQQH", type_, 1, 1, 1, 1, len(path)) + path + rest
    return struct.pack("<I", len(data)) + data


def accepted(envelope, encode):
    head = envelope("client")
    hello = client("HELLO", 1, version_min=1, version_max=1)
    register = client("REGISTER", 1, kind=1, path="a")
    response = client("RESPONSE", 1, outcome=0)
    return [
        ("integers_longer_than_needed", hello,
         head + raw(1, b"\x01\x08\x01" + bytes(7) + b"\x02\x04\x01\0\0\0")),
        ("zeros_written_out", hello,
         head + raw(1, b"\x01\x01\x01\x02\x01\x01\x03\x00\x08\x01\x00\x09\x10" + bytes(16))),
        ("lengths_longer_than_needed", register,
         head + raw(19, b"\x01\xfe\x01\x00\x01\x02\xff\x01\x00\x00\x00a")),
        ("unknown_fields_between_and_behind", response,
         head + raw(17, b"\x01\x01\x00\x09\x02\xff\xff\x7f\x00")),
        ("known_field_marked_must_understand", response, head + raw(17, b"\x81\x01\x00")),
        ("unknown_flags", response._replace(flags=0xFE),
         head + raw(17, b"\x01\x01\x00", flags=0xFE)),
        ("reserved_bytes_set", response, head[:6] + b"\xff\xff" + encode(response)),
    ]


def invalid(envelope, encode):
    head, peer = envelope("client"), envelope("forward")
    ping = encode(client("PING", 1))
    request = raw(16, b"\x01\x01a\x02\x01\x03")
    bad, mismatch = "INVALID_MESSAGE", "VERSION_MISMATCH"
    entries = b"\x01\x08" + struct.pack("<Q", A) + b"\x02\x01\x01\x03\x01\x01\x04\x01\x01"
    entries += b"\x05\x01\x01"
    topics = entries.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)
    return [
        ("empty", "client", bad, "envelope", b""),
        ("half_an_envelope", "client", bad, "envelope", head[:5]),
        ("wrong_magic", "client", bad, "envelope", b"WARP" + head[4:] + ping),
        ("frame_of_another_channel", "client", bad, "envelope", peer + ping),
        ("half_a_peer_envelope", "forward", bad, "envelope", peer[:39]),
        ("version_0", "client", mismatch, "envelope", envelope("client", 0) + ping),
        ("version_of_tomorrow", "client", mismatch, "envelope", envelope("client", 2) + ping),
        ("half_a_header", "client", bad, "message", head + ping[:15]),
        ("fields_beyond_the_frame", "client", bad, "message", head + request[:-1]),
        ("body_beyond_the_frame", "client", bad, "message",
         head + struct.pack("<BBHIQ", 4, 0, 0, 0xFFFFFFFF, 1)),
        ("byte_behind_the_last_message", "client", bad, "message", head + ping + b"\0"),
        ("required_field_missing", "client", bad, "fields", head + raw(16, b"\x02\x01\x03")),
        ("fields_missing", "client", bad, "fields", head + raw(17, b"")),
        ("tags_descending", "client", bad, "fields", head + raw(16, b"\x02\x01\x03\x01\x01a")),
        ("tag_twice", "client", bad, "fields",
         head + raw(16, b"\x01\x01a\x02\x01\x03\x02\x01\x03")),
        ("tag_0", "client", bad, "fields", head + raw(16, b"\0\x01a\x01\x01a\x02\x01\x03")),
        ("field_beyond_the_fields", "client", bad, "fields",
         head + raw(16, b"\x01\x01a\x02\x02\x03")),
        ("integer_of_three_bytes", "client", bad, "fields",
         head + raw(16, b"\x01\x01a\x02\x03\x03\0\0")),
        ("integer_of_no_bytes", "client", bad, "fields", head + raw(16, b"\x01\x01a\x02\x00")),
        ("timeout_over_its_limit", "client", bad, "fields",
         head + raw(16, b"\x01\x01a\x02\x01\x03\x03\x04" + struct.pack("<I", 300001))),
        ("bool_of_2", "client", bad, "fields",
         head + raw(16, b"\x01\x01a\x02\x01\x03\x04\x01\x02")),
        ("id_of_15_bytes", "client", bad, "fields",
         head + raw(16, b"\x01\x01a\x02\x01\x03\x05\x0f" + bytes(15))),
        ("text_not_utf8", "client", bad, "fields", head + raw(16, b"\x01\x01\xff\x02\x01\x03")),
        ("text_with_nul", "client", bad, "fields", head + raw(16, b"\x01\x02a\0\x02\x01\x03")),
        ("text_with_a_surrogate", "client", bad, "fields",
         head + raw(16, b"\x01\x03\xed\xa0\x80\x02\x01\x03")),
        ("path_over_its_limit", "client", bad, "fields",
         head + raw(16, b"\x01\xfe\x01\x04" + b"p" * 1025 + b"\x02\x01\x03")),
        ("unknown_field_that_must_be_understood", "client", mismatch, "fields",
         head + raw(16, b"\x01\x01a\x02\x01\x03\xff\x01\x01")),
        ("property_group_beyond_the_body", "client", bad, "body",
         head + raw(1, b"\x01\x01\x01\x02\x01\x01", b"\x05\0\0\0\x01\x01a")),
        ("property_without_its_key", "client", bad, "body",
         head + raw(1, b"\x01\x01\x01\x02\x01\x01", b"\x03\0\0\0\x02\x01a")),
        ("half_a_group_length", "client", bad, "body",
         head + raw(1, b"\x01\x01\x01\x02\x01\x01", b"\x05\0")),
        ("member_state_unknown", "gossip", bad, "body",
         envelope("gossip") + encode(gossip("SWIM_NEWS", news=Groups(
             "member_record", [{**DEAD, "state": 5}])))),
        ("entry_cut", "forward", bad, "body",
         peer + raw(32, entries, b"\x01\x01\0\0\0\0\0\0\0")),
        ("entry_with_an_unknown_state", "forward", bad, "body",
         peer + raw(32, entries, b"\x01\x01\0\0\0\0\0\0\0\x03")),
        ("entry_of_an_unknown_type", "forward", mismatch, "body",
         peer + raw(32, entries, b"\x07\x01\0\0\0\0\0\0\0\x01")),
        ("claim_of_zero", "forward", bad, "body",
         peer + raw(32, entries, b"\x06\x01\0\0\0\0\0\0\0\x01\0\0\0\0")),
        ("handler_kind_zero", "forward", bad, "body",
         peer + raw(32, entries, b"\x05\x01\0\0\0\0\0\0\0\0\x01\0a")),
        ("topic_entry_cut", "forward", bad, "body",
         peer + raw(32, topics, topic(1, b"a", b"\x01\0\0{}")[:-1])),
        ("topic_entry_without_a_path", "forward", bad, "body",
         peer + raw(32, topics, topic(1, b"", b"\x01\0\0{}"))),
        ("topic_entry_removed_with_a_rest", "forward", bad, "body",
         peer + raw(32, topics, topic(2, b"a", b"x"))),
        ("topic_entry_with_half_a_creator", "forward", bad, "body",
         peer + raw(32, topics, topic(1, b"a", b"\x01\0\x01" + bytes(15)))),
        ("topic_path_missing", "forward", bad, "body", peer + raw(69, b"", b"\0\0\0\0")),
        ("log_head_without_writer", "forward", bad, "body",
         peer + raw(35, b"\x01\x01\x01\x02\x01\x07", b"\x03\0\0\0\x02\x01\x09")),
    ]

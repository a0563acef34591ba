#!/usr/bin/env python3
"""Writes proto/vectors.json, the conversation in proto/README.md, and the corpora of the fuzzers.

A second encoder, independent of the C one: it knows the tables from proto/README.md alone. The C
test test_vectors.c then holds the C code to what is written here, so page and code cannot drift.
Run it after adding to frames.py, and read the difference before committing it.
"""

import json
import pathlib
import re
import struct

import frames

ROOT = pathlib.Path(__file__).resolve().parents[3]
README = ROOT / "proto" / "README.md"
VECTORS = ROOT / "proto" / "vectors.json"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
SORTS = ("property node_address node_answer session_row member_row handler_row status_row "
         "counter_row member_record log_head verdict_row "
         "role session_item topic_path topic_row").split()  # as in fuzz_groups.c
CHANNELS = {"client": 1, "gossip": 2, "forward": 3}
ROW = re.compile(r"^\| (\d+) \| `(\w+)` \| (\w+) \| (required|must understand)?\s*"
                 r"\| ?([\d^-]*)\s*\|")
BEGIN = "<!-- conversation: from vectors.json -->\n"
END = "<!-- end of conversation -->\n"


class Field:
    def __init__(self, match):
        self.tag, self.name, self.type = int(match[1]), match[2], match[3]
        self.required = match[4] == "required"
        self.mark = 0x80 if match[4] == "must understand" else 0
        self.is_long = match[5] == "2^64-1"


def read_tables(text):
    """From the page: {schema: fields} and {kind: (number, schema or None)}."""
    schemas, kinds, kind, fields = {}, {}, None, None
    for line in text.split("\n"):
        if line.startswith("#"):
            heading = re.match(r"### ([A-Z_]+) \((\d+)\)$", line)
            kind = heading[1] if heading else None
            if heading:
                kinds[kind] = (int(heading[2]), None)
        named = re.search(r"[Ff]ields `(\w+)`:", line)
        same = re.search(r"[Ff]ields as in ([A-Z_]+)", line)
        if named:
            fields = schemas.setdefault(named[1], [])
            if kind:
                kinds[kind] = (kinds[kind][0], named[1])
        elif same and kind:
            kinds[kind] = (kinds[kind][0], kinds[same[1]][1])
        row = ROW.match(line)
        if row and fields is not None:
            fields.append(Field(row))
    return schemas, kinds


SCHEMAS, KINDS = read_tables(README.read_text(encoding="utf-8"))


def encode_id(text):
    high, low = text.split("-")
    return struct.pack("<QQ", int(high, 16), int(low, 16))


def encode_value(field, value):
    """The value's bytes, and whether it is one of those that are left out."""
    if field.type in ("uint", "bool"):
        number = int(value, 0) if isinstance(value, str) else int(value)
        width = next(width for width in (1, 2, 4, 8) if number < 1 << 8 * width)
        return number.to_bytes(width, "little"), number == 0
    if field.type == "id":
        return encode_id(value), value == "0" * 16 + "-" + "0" * 16
    data = value.encode() if field.type == "text" else value
    return data, data == b""


def encode_length(length):
    if length < 254:
        return bytes([length])
    return b"\xfe" + struct.pack("<H", length) if length < 65536 else b"\xff" + struct.pack(
        "<I", length)


def encode_fields(schema, values):
    out = b""
    unknown = set(values) - {field.name for field in SCHEMAS.get(schema, [])}
    assert not unknown, f"{schema} has no {unknown}"
    for field in SCHEMAS.get(schema, []):
        assert not field.required or field.name in values, f"{schema} needs {field.name}"
        if field.name not in values:
            continue
        data, is_zero = encode_value(field, values[field.name])
        if not is_zero or field.required:
            out += bytes([field.tag | field.mark]) + encode_length(len(data)) + data
    return out


def encode_groups(groups):
    out = b""
    for values in groups.values:
        fields = encode_fields(groups.of, plain(values))
        out += struct.pack("<I", len(fields)) + fields
    return out


def encode_entries(entries):
    out = b""
    for entry in entries.values:
        instance, serial = (int(half, 16) for half in entry["session"].split("-"))
        foreign = instance != entries.writer
        out += bytes([entry["type"] | (0x80 if foreign else 0)]) + struct.pack("<Q", serial)
        out += struct.pack("<Q", instance) if foreign else b""
        if entry["type"] in (1, 2):
            out += bytes([entry["state"]])
        elif entry["type"] == 6:
            out += struct.pack("<BI", entry["state"], entry["claim"])
        elif entry["type"] in (4, 5):
            path, value = entry["path"].encode(), entry.get("value", "").encode()
            out += struct.pack("<BH", entry["handler_kind"], len(path))
            out += struct.pack("<H", len(value)) if entry["type"] == 4 else b""
            out += path + value
    return out


def encode_topic_entries(entries):
    out = b""
    for entry in entries.values:
        path = entry.get("path", "").encode()
        data = struct.pack("<BQQQQH", entry["type"], entry["position"], entry.get("term", 0),
                           int(entry.get("instance", "0"), 0), entry.get("n", 0), len(path)) + path
        if entry["type"] == 1:
            creator = entry.get("creator")
            data += struct.pack("<BBB", entry["value_type"], entry.get("policy", 0),
                                1 if creator else 0)
            data += encode_id(creator) if creator else b""
            data += bytes.fromhex(entry["value"])
        data += bytes.fromhex(entry.get("rest", ""))
        out += struct.pack("<I", len(data)) + data
    return out


def encode_body(body):
    if isinstance(body, frames.Groups):
        return encode_groups(body)
    if isinstance(body, frames.TopicEntries):
        return encode_topic_entries(body)
    return encode_entries(body) if isinstance(body, frames.Entries) else body


def plain(values):
    """The values with groups replaced by their bytes."""
    return {name: encode_groups(value) if isinstance(value, frames.Groups) else value
            for name, value in values.items()}


def encode_envelope(channel, version=1):
    out = b"WEFT" + struct.pack("<BBH", version, CHANNELS[channel], 0)
    if channel != "client":
        out += struct.pack("<QQQQ", *frames.PEER.values())
    return out


def encode_message(message):
    number, schema = KINDS[message.kind]
    fields = encode_fields(schema, plain(message.fields))
    body = encode_body(message.body)
    header = struct.pack("<BBHIQ", number, message.flags, len(fields), len(body),
                         message.correlation)
    return header + fields + body


def long(number):
    return f"0x{number:016x}"


def as_json(schema, values):
    """Values as vectors.json writes them."""
    out = {}
    for field in SCHEMAS.get(schema, []):
        value = values.get(field.name)
        if value is None:
            continue
        if field.is_long:
            value = long(value)
        elif isinstance(value, bytes):
            value = value.hex()
        out[field.name] = value
    return out


def groups_json(groups):
    return {"of": groups.of,
            "list": [as_json(groups.of, plain(values)) for values in groups.values]}


def message_json(message):
    _, schema = KINDS[message.kind]
    out = {"kind": message.kind, "flags": message.flags, "correlation": long(message.correlation),
           "fields": as_json(schema, plain(message.fields)),
           "body_hex": encode_body(message.body).hex()}
    inside = {name: groups_json(value) for name, value in message.fields.items()
              if isinstance(value, frames.Groups)}
    if inside:
        out["groups_in"] = inside
    if isinstance(message.body, frames.Groups):
        out["groups"] = groups_json(message.body)
    if isinstance(message.body, frames.Entries):
        out["entries"] = {"writer": long(message.body.writer), "list": message.body.values}
    if isinstance(message.body, frames.TopicEntries):
        out["topic_entries"] = message.body.values
    return out


def envelope_json(channel):
    out = {"version": 1}
    if channel != "client":
        out.update({name: long(value) for name, value in frames.PEER.items()})
    return out


def valid(name, message):
    data = encode_envelope(message.channel) + encode_message(message)
    return {"name": name, "channel": message.channel, "hex": data.hex(),
            "envelope": envelope_json(message.channel), **message_json(message)}


def accepted(name, message, data):
    return {"name": name, "channel": message.channel, "hex": data.hex(),
            "envelope": envelope_json(message.channel), **message_json(message)}


def batch(name, messages):
    channel = messages[0].channel
    data = encode_envelope(channel) + b"".join(encode_message(each) for each in messages)
    return {"name": name, "channel": channel, "hex": data.hex(),
            "kinds": [each.kind for each in messages],
            "correlations": [long(each.correlation) for each in messages]}


def conversation():
    """The page's example: each frame with its parts on lines of their own."""
    out = []
    for who, sentence, message in frames.CONVERSATION:
        number, schema = KINDS[message.kind]
        fields = plain(message.fields)
        data = encode_message(message)
        flags = ", wants an answer" if message.flags else ""
        lines = [(encode_envelope("client"), "envelope"),
                 (data[:16], f"{message.kind} ({number}){flags}, correlation "
                             f"{message.correlation}")]
        for field in SCHEMAS.get(schema, []):
            if field.name in fields and encode_fields(schema, fields):
                value, is_zero = encode_value(field, fields[field.name])
                if is_zero and not field.required:
                    continue
                shown = fields[field.name]
                shown = value.hex() if isinstance(shown, bytes) else shown
                lines.append((bytes([field.tag | field.mark]) + encode_length(len(value)) + value,
                              f"{field.name}: {shown}"))
        body = encode_body(message.body)
        if body:
            lines.append((body, "body"))
        assert b"".join(part for part, _ in lines[1:]) == data, message.kind
        out.append(f"{who}: {sentence}\n\n```\n" + "".join(map(hex_lines, lines)) + "```\n\n")
    return "".join(out)


def hex_lines(line):
    part, text = line
    rows = [part[at:at + 16].hex(" ") for at in range(0, len(part), 16)]
    return "".join(f"{row:<47}  {text if not index else ''}".rstrip() + "\n"
                   for index, row in enumerate(rows))


def corpus_write(fuzzer, name, data):
    folder = CORPUS / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def corpora(vectors):
    """Every frame for the fuzzer of its channel, every run of groups or entries for theirs."""
    for section in ("valid", "accepted", "batches", "invalid"):
        for each in vectors[section]:
            corpus_write(f"{each['channel']}_frame", each["name"], bytes.fromhex(each["hex"]))
    for name, message in frames.VALID:
        for run in [message.body, *message.fields.values()]:
            if isinstance(run, frames.Groups):
                sort = bytes([SORTS.index(run.of)])
                corpus_write("groups", name, sort + encode_groups(run))
            elif isinstance(run, frames.Entries):
                corpus_write("ownership_entries", name,
                             struct.pack("<Q", run.writer) + encode_entries(run))
            elif isinstance(run, frames.TopicEntries):
                corpus_write("topic_entries", name, encode_topic_entries(run))


def main():
    vectors = {
        "about": "Frames of weft's wire and what they mean; see README.md, section 13.",
        "valid": [valid(name, message) for name, message in frames.VALID],
        "accepted": [accepted(name, message, data) for name, message, data in
                     frames.accepted(encode_envelope, encode_message)],
        "batches": [batch(name, messages) for name, messages in frames.BATCHES],
        "invalid": [{"name": name, "channel": channel, "hex": data.hex(), "error": error,
                     "part": part} for name, channel, error, part, data in
                    frames.invalid(encode_envelope, encode_message)],
    }
    missing = set(KINDS) - {each["kind"] for each in vectors["valid"]}
    assert not missing, f"no vector of {missing}"
    VECTORS.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    corpora(vectors)
    page = README.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    README.write_text(head + BEGIN + "\n" + conversation() + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main()

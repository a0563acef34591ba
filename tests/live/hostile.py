"""Bad input: each a clear error or a counted drop; never a crash, a hang or growth."""

import os
import random
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import (BIN, check, raw_connect, resident_bytes, run_tests, wait_until,  # noqa: E402
                   zmtp_handshake)

MIB = 1 << 20


def zmtp_frame(data, more=False):
    if len(data) < 256:
        return bytes([1 if more else 0, len(data)]) + data
    return bytes([3 if more else 2]) + struct.pack(">Q", len(data)) + data


def is_closed(sock, limit_s=20):
    """True when the other side ends the connection."""
    sock.settimeout(limit_s)
    try:
        while sock.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except socket.timeout:
        return False


def still_serves(mesh, node):
    mesh.ctl(node, "node", "ls")


def garbage_bytes_on_each_port_are_ignored(mesh):
    a, b = mesh.start("a"), None
    mesh.wait_ready(a)
    b = mesh.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    dice = random.Random(7)
    for which in ("clients", "gossip", "forward"):
        for _ in range(20):
            sock = raw_connect(a, which)
            try:
                sock.sendall(dice.randbytes(dice.randrange(1, 3000)))
            except ConnectionError:
                pass
            sock.close()
    mesh.wait_members(a, {"a": "alive", "b": "alive"})
    still_serves(mesh, a)


def garbage_frames_on_each_port_are_counted(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    dice = random.Random(8)
    counters = {"clients": "client_frames_bad", "gossip": "gossip_frames_bad",
                "forward": "forward_frames_bad"}
    for which, counter in counters.items():
        before = mesh.counters(a)[counter]
        sock = raw_connect(a, which)
        zmtp_handshake(sock)
        for _ in range(3):
            try:
                sock.sendall(zmtp_frame(dice.randbytes(100)))
            except ConnectionError:
                break
        wait_until(lambda c=counter, n=before: mesh.counters(a)[c] > n, f"{counter} counts")
        sock.close()
    still_serves(mesh, a)


def a_frame_of_a_wrong_version_is_refused(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    sock = raw_connect(a, "clients")
    zmtp_handshake(sock)
    hello = bytes([1, 1, 6, 0]) + struct.pack("<IQ", 0, 5) + bytes([1, 1, 9, 2, 1, 12])
    sock.sendall(zmtp_frame(b"WEFT" + bytes([1, 1, 0, 0]) + hello))
    answer = sock.recv(4096)
    check(b"WEFT" in answer and bytes([3, 0]) in answer, f"REFUSED comes back: {answer!r}")
    check(is_closed(sock), "and the connection ends")


def more_than_one_part_is_cut(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    sock = raw_connect(a, "clients")
    zmtp_handshake(sock)
    sock.sendall(zmtp_frame(b"one", more=True) + zmtp_frame(b"two"))
    wait_until(lambda: mesh.counters(a)["frames_multipart"] >= 1, "frames_multipart counts")
    check(is_closed(sock), "and the connection ends")


def endless_multipart_does_not_grow(mesh):
    """What one connection may hold is four frame limits (64 MiB on the forward port), and what
    loopback carries between two looks of the guard."""
    a = mesh.start("a")
    mesh.wait_ready(a)
    before = resident_bytes(a.pid)
    part = zmtp_frame(b"x" * 65536, more=True)
    peak = 0
    for which in ("clients", "gossip", "forward"):
        sock = raw_connect(a, which)
        zmtp_handshake(sock)
        sock.settimeout(5)
        sent = 0
        try:
            while sent < 2048 * MIB:
                sock.sendall(part)
                sent += len(part)
                if sent % (4 * MIB) < len(part):
                    peak = max(peak, resident_bytes(a.pid))
        except OSError:
            pass  # it was cut, as it should be
        check(sent < 2048 * MIB, f"{which}: it was cut long before 2 GiB")
        sock.close()
    check(peak - before < 512 * MIB, f"resident memory grew {(peak - before) / MIB:.0f} MiB")
    check(mesh.counters(a)["connections_cut"] >= 3, "the connections were cut")
    still_serves(mesh, a)


def an_oversized_frame_costs_its_connection_only(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    held = mesh.ctl_stream(a, "session", "open")
    sock = raw_connect(a, "clients")
    zmtp_handshake(sock)
    try:
        sock.sendall(b"\x02" + struct.pack(">Q", 1 << 40) + b"x" * 1000)
    except ConnectionError:
        pass
    check(is_closed(sock), "libzmq ends the connection")
    check(held.process.poll() is None, "the other session stays")
    still_serves(mesh, a)


def a_connection_without_hello_is_ended(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    silent = raw_connect(a, "clients")
    handshaken = raw_connect(a, "clients")
    zmtp_handshake(handshaken)
    check(is_closed(silent, 25), "nothing at all: ended")
    check(is_closed(handshaken, 25), "no HELLO: ended")


def wrong_command_lines_exit_2(mesh):
    weftd, weftctl = os.path.join(BIN, "weftd"), os.path.join(BIN, "weftctl")
    weftbench, weftsim = os.path.join(BIN, "weftbench"), os.path.join(BIN, "weftsim")
    lines = [([weftd, "--no-such-flag"], "no-such-flag"), ([weftd, "--port", "99999"], "99999"),
             ([weftd, "-c", "/no/such/file"], "/no/such/file"),
             ([weftd, "--set", "no.such=1"], "no.such"),
             ([weftd, "--set", "gossip.period_ms=banana"], "banana"),
             ([weftd, "--host", "0.0.0.0"], "insecure"),
             ([weftctl, "no-such-verb"], "no-such-verb"), ([weftctl, "req"], "USAGE"),
             ([weftctl, "-o", "yaml", "node", "ls"], "yaml"), ([weftbench, "fly"], "fly"),
             ([weftbench, "req", "-c", "zero"], "zero"), ([weftsim, "--nodes", "0"], "nodes")]
    for words, mention in lines:
        tool = mesh.run(os.path.basename(words[0]), words)
        check(tool.wait_exit() == 2, f"{' '.join(words)} exits 2, not {tool.process.returncode}")
        check(mention in tool.log(), f"{' '.join(words)} mentions {mention}: {tool.log()!r}")
        check(tool.out() == "", "results only on stdout")


def a_bad_configuration_names_line_and_column(mesh):
    for text, line, column in (('{"name": "x",\n  "nmae": "y"}', 2, 3),
                               ('{"port": 7310,\n "cluster" "x"}', 2, 12),
                               ('{"name": "x", // why\n "name": "y"}', 2, 2),
                               ('{"port": "many"}', 1, 2)):
        path = os.path.join(mesh.folder, "bad.json")
        with open(path, "w") as file:
            file.write(text)
        node = mesh.run("weftd", [os.path.join(BIN, "weftd"), "-c", path, "--check-config"])
        check(node.wait_exit() == 2, "exit 2")
        check(f"{path}:{line}:{column}" in node.log(), f"at {line}:{column}: {node.log()!r}")


def a_port_in_use_exits_3(mesh):
    a = mesh.start("a")
    again = mesh.spawn("again", port=a.port("clients"))
    check(again.wait_exit() == 3, f"exit 3, not {again.process.returncode}")
    check(str(a.port("clients")) in again.log(), f"names the address: {again.log()!r}")


def a_stopped_reader_harms_nobody(mesh):
    a, b, _ = mesh.trio()
    held = mesh.ctl_stream(a, "session", "open")
    mesh.ctl_stream(b, "reply", "hello", "hi")
    held.signal(signal.SIGSTOP)
    for _ in range(5):
        mesh.ctl(a, "req", "--wait", "5s", "hello")
    held.signal(signal.SIGCONT)
    still_serves(mesh, a)


run_tests([garbage_bytes_on_each_port_are_ignored, garbage_frames_on_each_port_are_counted,
           a_frame_of_a_wrong_version_is_refused, more_than_one_part_is_cut,
           endless_multipart_does_not_grow, an_oversized_frame_costs_its_connection_only,
           a_connection_without_hello_is_ended, wrong_command_lines_exit_2,
           a_bad_configuration_names_line_and_column, a_port_in_use_exits_3,
           a_stopped_reader_harms_nobody])

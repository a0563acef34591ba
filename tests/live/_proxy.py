"""_proxy.py - a TCP proxy between clients and a node that breaks connections, at any byte and in
several ways. Seeded: the same seed cuts after the same numbers of bytes."""

import random
import select
import socket
import struct
import threading

from _mesh import check

ABRUPT = struct.pack("ii", 1, 0)  # SO_LINGER: RST instead of FIN


class Proxy:
    """Listens on a free loopback port and passes on to `target` ("host:port").

    bytes_range: each connection lives for so many bytes, both ways together, drawn anew for each;
    None: until cut_all. How it then ends is drawn too: FIN or RST towards both sides, or only
    towards the client while the node goes on believing in it (half open), until close()."""

    def __init__(self, target, bytes_range=None, seed=1):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.bytes_range = bytes_range
        self.dice = random.Random(seed)
        self.lock = threading.Lock()
        self.live = []       # pairs of sockets
        self.half_open = []  # sockets to the node that are kept though their client is gone
        self.cuts = self.halves = 0
        self.is_over = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def accept(self):
        while not self.is_over:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            node = socket.create_connection(self.target, timeout=10)
        except OSError:
            client.close()
            return
        with self.lock:
            left = self.dice.randint(*self.bytes_range) if self.bytes_range else None
            pair = (client, node)
            self.live.append(pair)
        for sock in pair:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(10)
        try:
            self.pass_on(client, node, left)
        except OSError:
            pass
        with self.lock:
            if pair in self.live:
                self.live.remove(pair)
        self.end(client, node)

    def pass_on(self, client, node, left):
        """Until one side ends, or the bytes are used up: the last piece is cut in the middle."""
        other = {client: node, node: client}
        while True:
            ready, _, _ = select.select([client, node], [], [], 1)
            if self.is_over:
                return
            for sock in ready:
                data = sock.recv(65536)
                if not data:
                    return
                if left is not None and len(data) >= left:
                    other[sock].sendall(data[:left])
                    with self.lock:
                        self.cuts += 1
                    return
                if left is not None:
                    left -= len(data)
                other[sock].sendall(data)

    def end(self, client, node):
        with self.lock:
            way = self.dice.randrange(3)
            if way == 2 and self.bytes_range and not self.is_over:
                self.half_open.append(node)
                self.halves += 1
        for sock in (client, node):
            if sock in self.half_open:
                continue
            try:
                if way == 1:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPT)
                sock.close()
            except OSError:
                pass

    def cut_all(self):
        """Ends all connections that are there now; returns how many."""
        with self.lock:
            pairs, self.live = self.live, []
            self.cuts += len(pairs)
        for pair in pairs:
            for sock in pair:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        return len(pairs)

    def close(self):
        self.is_over = True
        self.listener.close()
        self.cut_all()
        for sock in self.half_open:
            sock.close()
        check(self.bytes_range is None or self.cuts > 0, "the proxy did break something")

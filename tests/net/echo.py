"""A server that echoes: echo.py HOST PORT. What begins like an HTTP request is first answered with 101."""
import selectors
import socket
import sys


class Connection:
    def __init__(self, sock):
        self.sock, self.waiting, self.head, self.ended = sock, b"", b"", False
        self.is_plain = None

    def take(self, data):
        if self.is_plain is None:
            self.head += data
            if self.head[:4] != b"GET "[:len(self.head)]:
                self.is_plain, data = True, self.head
            elif b"\r\n\r\n" in self.head:
                self.is_plain, data = True, self.head.split(b"\r\n\r\n", 1)[1]
                self.waiting += b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
            else:
                return
        self.waiting += data


def main():
    selector = selectors.DefaultSelector()
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=4096)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    print("listening", flush=True)
    while True:
        for key, events in selector.select():
            if key.fileobj is listener:
                sock, _ = listener.accept()
                sock.setblocking(False)
                selector.register(sock, selectors.EVENT_READ, Connection(sock))
                continue
            serve(selector, key.data, events)


def serve(selector, c, events):
    try:
        if events & selectors.EVENT_READ and len(c.waiting) < 1 << 20:
            data = c.sock.recv(65536)
            c.ended = not data
            c.take(data)
        if c.waiting:
            c.waiting = c.waiting[c.sock.send(c.waiting):]
    except BlockingIOError:
        pass
    except OSError:
        selector.unregister(c.sock)
        c.sock.close()
        return
    if c.ended and not c.waiting:
        selector.unregister(c.sock)
        c.sock.close()
        return
    wanted = (selectors.EVENT_READ if not c.ended and len(c.waiting) < 1 << 20 else 0) | (
        selectors.EVENT_WRITE if c.waiting else 0)
    selector.modify(c.sock, wanted, c)


main()

"""A small HTTP/1.1 server for stories and demonstrations: server.py NAME HOST PORT

GET /            its name                     GET /health      200, or what POST /health?status=N set
GET /bytes/N     N bytes                      POST, PUT /echo  the body back (POST /digest: its SHA-256 and length)
GET /slow/MS     its name after MS ms         GET /headers     the request's header fields
"""
import hashlib
import http.server
import sys
import time
from urllib.parse import parse_qs, urlsplit

CHUNK = b"ballast-" * 8192


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body leave together: no waiting for a delayed acknowledgement
    health = 200

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/health":
            self.answer(Handler.health, b"health\n")
        elif path.startswith("/bytes/"):
            self.send_bytes(int(path[7:]))
        elif path.startswith("/slow/"):
            time.sleep(int(path[6:]) / 1000)
            self.answer(200, self.server.label)
        elif path == "/headers":
            self.answer(200, str(self.headers).encode())
        else:
            self.answer(200, self.server.label)

    do_HEAD = do_GET

    def send_bytes(self, n):
        self.send_response(200)
        self.send_header("Content-Length", str(n))
        self.end_headers()
        while n > 0 and self.command != "HEAD":
            self.wfile.write(CHUNK[:min(n, len(CHUNK))])
            n -= len(CHUNK)

    def body(self):
        """The request body in pieces, framed either way."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            yield from self.chunks()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def chunks(self):
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if size == 0:
                break
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass

    def do_POST(self):
        url = urlsplit(self.path)
        if url.path == "/health":
            Handler.health = int(parse_qs(url.query)["status"][0])
            list(self.body())
            self.answer(200, b"set\n")
        elif url.path == "/digest":
            digest, length = hashlib.sha256(), 0
            for piece in self.body():
                digest.update(piece)
                length += len(piece)
            self.answer(200, f"{digest.hexdigest()} {length}\n".encode())
        else:
            self.answer(200, b"".join(self.body()))

    do_PUT = do_POST


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def main():
    name, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    server = Server((host, port), Handler)
    server.label = f"{name}\n".encode()
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

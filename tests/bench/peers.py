"""The programs that are measured, each configured as its users would for the same work: one worker on the measured
core, connections to the server kept, access logs off, the same certificate, TLS 1.3.
"""
from lab import connects, free_port, wait_for
from measure import MEASURED, pin, pinned

KINDS = ("http", "tcp", "https")  # https: with HTTP/2 by ALPN


class Peer:
    """One of the measured programs: where its listeners are ({kind: port}), and its root process."""

    def __init__(self, name, process, ports, node=None):
        self.name, self.process, self.ports, self.node = name, process, ports, node

    def url(self, kind, path="/"):
        scheme = "https" if kind == "https" else "http"
        return f"{scheme}://127.0.0.1:{self.ports[kind]}{path}"

    def stop(self):
        self.process.stop()
        if self.node:
            self.node.stop("control")

    def wait(self):
        for port in self.ports.values():
            wait_for(lambda p=port: connects("127.0.0.1", p), 15, f"{self.name} to listen")
        return self


def haproxy(lab, server, certificate, name="haproxy"):
    ports = {kind: free_port() for kind in KINDS}
    pem = lab.folder / f"{name}.pem"
    pem.write_text("".join(path.read_text() for path in certificate))
    path = lab.folder / f"{name}.cfg"
    path.write_text(f"""global
  nbthread 1
  maxconn 7000
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  mode http
  option splice-response
listen http
  bind 127.0.0.1:{ports['http']} backlog 4096
  option forwardfor
  http-reuse always
  server s1 {server}
listen https
  bind 127.0.0.1:{ports['https']} backlog 4096 ssl crt {pem} alpn h2,http/1.1
  option forwardfor
  http-reuse always
  server s1 {server}
listen tcp
  mode tcp
  option splice-auto
  bind 127.0.0.1:{ports['tcp']} backlog 4096
  server s1 {server}
""")
    return Peer("HAProxy", lab.process(name, pinned(MEASURED, "haproxy", "-db", "-f", path)), ports)


def nginx(lab, server, certificate, name="nginx-proxy"):
    ports = {"http": free_port(), "https": free_port()}
    folder = lab.folder / name
    folder.mkdir()
    (folder / "nginx.conf").write_text(f"""daemon off; user root; worker_processes 1; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 9000; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
 uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000000; tcp_nodelay on;
 ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}; ssl_protocols TLSv1.3; ssl_session_cache shared:s:10m;
 upstream u {{ server {server}; keepalive 1024; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{ports['http']} backlog=4096; listen 127.0.0.1:{ports['https']} backlog=4096 ssl http2;
  location / {{ proxy_pass http://u; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}
""")
    process = lab.process(name, pinned(MEASURED, "nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"))
    return Peer("nginx", process, ports)


def ballast(lab, server, certificate, name="bench", workers=1, core=MEASURED):
    """With all kinds of listeners that this build knows."""
    node = lab.node(name, workers=workers).start("control", "data")
    kinds = list(KINDS)
    while True:
        ports = {kind: free_port() for kind in kinds}
        status, body, _ = node.api("PUT", "/v1/stacks/bench/document?wait=10s", document(server, certificate, ports))
        if status in (200, 201):
            break
        assert kinds.pop() == "https", body
    return _peer(node, ports, core)


def ballast_with(lab, name, document_at):
    """One http listener, with the document that document_at(port) gives; None when this build knows no such documents."""
    ports = {"http": free_port()}
    node = lab.node(name).start("control", "data")
    made = document_at(ports["http"])
    status, body, _ = node.api("PUT", f"/v1/stacks/{made['stack']}/document?wait=60s", made, timeout=120)
    if status == 422 and "not available" in str(body):
        node.stop("data", "control")
        return None
    assert status in (200, 201), str(body)[:2000]
    return _peer(node, ports, MEASURED)


def _peer(node, ports, core):
    peer = Peer("Ballast", node.daemons["data"], ports, node)
    if core is not None:
        pin(peer.process.pid, core)
    return peer


def document(server, certificate, ports):
    listeners = [{"name": kind, "bind": [f"127.0.0.1:{port}"], "protocol": kind, "access_log": False,
                  "pool": "tcp" if kind == "tcp" else "http"} for kind, port in ports.items()]
    pools = [{"name": kind, "protocol": kind, "servers": [{"name": "s1", "address": server}],
              "keepalive": {"maximum_idle": 1024}} for kind in ("http", "tcp")]
    made = {"stack": "bench", "pools": pools, "listeners": listeners}
    if "https" in ports:
        listeners[-1]["certificates"] = ["bench"]
        made["certificates"] = [{"name": "bench", "certificate_pem": certificate[0].read_text(), "key_pem": certificate[1].read_text()}]
    return made


FACTORIES = (haproxy, nginx, ballast)

"""Connections to servers from several own addresses: each is good for as many as there are ports."""
import subprocess

import pytest

from test_data_tcp import Backend, Client, serve
from test_udp import Client as UdpClient, Server as UdpServer, document as udp_document, udp_port


@pytest.fixture
def node(lab):
    return lab.node("lb-a", workers=1)


def sources(backend):
    return [c.getpeername()[0] for c in backend.accepted]


def test_they_take_turns(node):
    """One that the node does not have is passed over."""
    a = Backend("a")
    port = serve(node, [a], pool={"source_addresses": ["127.0.0.11", "192.0.2.1", "127.0.0.12"]})
    clients = [Client(port) for _ in range(8)]
    assert all(c.echoes() for c in clients)
    assert sources(a).count("127.0.0.11") >= 2 and sources(a).count("127.0.0.12") >= 2
    assert set(sources(a)) == {"127.0.0.11", "127.0.0.12"}


def test_datagrams_too(node):
    a = UdpServer("a")
    port = udp_port()
    node.start("control", "data")
    node.put(udp_document(port, [a], pool={"source_addresses": ["127.0.0.11", "127.0.0.12"]}))
    assert all(UdpClient(port).name() == "a" for _ in range(4))
    assert {address for address, _ in a.sources} == {"127.0.0.11", "127.0.0.12"}


IN_NAMESPACE = """
import resource, socket, sys, threading
resource.setrlimit(resource.RLIMIT_NOFILE, (4000, 4000))
server = socket.create_server(("127.0.0.1", 7000), backlog=512)
kept = []
def accept():
    while True:
        connection, _ = server.accept()
        connection.sendall(b"s")
        kept.append(connection)
threading.Thread(target=accept, daemon=True).start()
print("listening", flush=True)
clients = []
for line in sys.stdin:
    for n in range(int(line)):
        c = socket.socket()
        c.settimeout(10)
        c.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: these are not to use ports up
        c.bind((f"127.0.1.{n % 20 + 1}", 0))
        c.connect(("127.0.0.1", 8000))
        clients.append(c)
    print(sum(c.recv(1) == b"s" for c in clients), len({a.getpeername() for a in kept}), flush=True)
    break
"""


def test_more_connections_than_ports(lab):
    """With 40 ports three addresses carry 110 connections to one server."""
    namespace = lab.namespace("ports")
    subprocess.run(["nsenter", f"--net=/run/netns/{namespace}", "sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40039"],
                   check=True)
    node = lab.node("lb-a", netns=namespace, workers=1)
    node.start("control", "data")
    node.put({"stack": "s", "listeners": [{"name": "l", "bind": ["127.0.0.1:8000"], "protocol": "tcp", "pool": "p"}],
              "pools": [{"name": "p", "protocol": "tcp", "source_addresses": ["127.0.0.11", "127.0.0.12", "127.0.0.13"],
                         "servers": [{"name": "s", "address": "127.0.0.1:7000"}]}]})
    peer = subprocess.Popen(["nsenter", f"--net=/run/netns/{namespace}", "/usr/bin/python3", "-c", IN_NAMESPACE],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert peer.stdout.readline() == "listening\n"
        peer.stdin.write("110\n")
        peer.stdin.flush()
        assert peer.stdout.readline() == "110 110\n"
    finally:
        peer.kill()
        peer.wait()

"""Packets that vrrpd must not heed, by the cause each is refused for; run as a program, their sender.

    rubbish.py COUNT RATE FRAME HOST…    COUNT packets, RATE a second (0: at once), to 224.0.0.18 and the hosts' port 7610

FRAME is a heartbeat as it was seen on the wire, in hexadecimal.
"""
import socket
import struct
import sys
import time

PORT, VRRP, GROUP = 7610, 112, "224.0.0.18"
RESULT = "sent {} in {:.2f} s"


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff


def advertisement(first=0x31, router=51, priority=254, count=1, interval=10, addresses=b"\x0a\x00\x00\x64", spoil=0):
    head = struct.pack("!BBBBHH", first, router, priority, count, interval, 0)
    proper = checksum(head + addresses)
    return head[:6] + struct.pack("!H", proper ^ spoil) + addresses


# {cause: (what, TTL)}; each would be heeded, or do harm, were it not for that cause.
ADVERTISEMENTS = {
    "short": (b"\x31\x33\xfe", 255),
    "oversize": (advertisement(addresses=bytes(5000)), 255),
    "wrong_ttl": (advertisement(), 254),
    "wrong_version": (advertisement(first=0x71), 255),
    "wrong_type": (advertisement(first=0x32), 255),
    "wrong_length": (advertisement(count=9), 255),
    "wrong_checksum": (advertisement(spoil=0x0101), 255),
    "no_such_router": (advertisement(router=99), 255),
    "no_address": (advertisement(count=0, addresses=b""), 255),
    "wrong_interval": (advertisement(interval=0), 255),
}


def heartbeats(frame):
    """{cause: datagram}"""
    return {"short": b"hello", "version": b"\xff" + frame[1:], "key": frame[:1] + bytes(8) + frame[9:],
            "forged": frame[:-1] + bytes([frame[-1] ^ 1]), "replayed": frame}


class Rubbish:
    """The sender in a namespace of a segment with a pair of nodes."""

    CAPTURE = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
while True:
    p = s.recv(65536)
    head = (p[0] & 15) * 4
    if p[9] == 17 and p[head + 2:head + 4] == (7610).to_bytes(2, "big") and p[12:16] == bytes([10, 0, 0, 11]):
        print(p[head + 8:].hex())
        sys.exit()
"""

    vrrp_causes, heartbeat_causes = list(ADVERTISEMENTS), ["short", "version", "key", "forged", "replayed"]

    def __init__(self, lab, netns, pair):
        from lab import run  # not needed by the program
        self.lab, self.netns = lab, netns
        self.frame = run("nsenter", f"--net=/run/netns/{pair.netns['b']}", "/usr/bin/python3", "-c", self.CAPTURE).strip()

    def start(self, count, rate=0):
        return self.lab.process("rubbish", ["/usr/bin/python3", __file__, count, rate, self.frame, "10.0.0.11", "10.0.0.12"],
                                netns=self.netns)

    def send(self, each):
        """Each kind so many times, to its end."""
        process = self.start(each * (len(self.vrrp_causes) + 2 * len(self.heartbeat_causes)))
        assert process.popen.wait(30) == 0, process.text()


def main(count, rate, frame, hosts):
    sockets = {ttl: socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP) for ttl in (254, 255)}
    for ttl, s in sockets.items():
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4),
                                                                           socket.if_nametoindex("eth0")))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    kinds = [(sockets[ttl], what, (GROUP, 0)) for what, ttl in ADVERTISEMENTS.values()]
    kinds += [(udp, what, (host, PORT)) for host in hosts for what in heartbeats(frame).values()]
    begun, sent = time.monotonic(), 0
    while sent < count:
        due = min(count, int((time.monotonic() - begun) * rate) + 1) if rate else count
        for n in range(sent, due):
            s, what, to = kinds[n % len(kinds)]
            s.sendto(what, to)
        sent = max(sent, due)
        if rate:
            time.sleep(0.001)
    print(RESULT.format(sent, time.monotonic() - begun), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), bytes.fromhex(sys.argv[3]), sys.argv[4:])

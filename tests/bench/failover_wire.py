"""The wire as the failover bench sees it: when a node advertised last, so that it dies at a known phase of its interval.

A kill at a random moment of the interval costs between Active-down less one interval and Active-down. With twenty kills
the medians of two programs that do the same differ by a tenth of an interval for that alone. So the interval is cut
into as many parts as there are kills, and each kill falls at a random moment of a part of its own, for both programs alike.
"""
import ctypes
import os
import socket
import threading
import time

CLONE_NEWNET = 0x40000000
ETH_P_IP = 0x0800
VRRP = 112


def _packet_socket(netns, interface):
    """A packet socket in another namespace: only the thread that opens it goes there."""
    found = []

    def enter():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{netns}", "rb") as where:
            if libc.setns(where.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        wire.bind((interface, ETH_P_IP))
        found.append(wire)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return found[0]


class Wire:
    """Advertisements that arrive at an interface of a namespace."""

    def __init__(self, netns, interface="eth0"):
        self.socket = _packet_socket(netns, interface)
        self.socket.settimeout(10)

    def next_of(self, source):
        """Waits for the next advertisement (no farewell) of a source; returns its time by the monotonic clock."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(2048)  # what is old says nothing
        except BlockingIOError:
            self.socket.settimeout(10)
        while True:
            packet = self.socket.recv(2048)
            at = time.monotonic()
            head = (packet[0] & 15) * 4
            if packet[9] == VRRP and socket.inet_ntoa(packet[12:16]) == source and packet[head + 2] != 0:
                return at

    def close(self):
        self.socket.close()


def phases(times, interval, dice):
    """`times` moments of an interval in seconds, each in a part of its own, in random order."""
    found = [(n + dice.random()) / times * interval for n in range(times)]
    dice.shuffle(found)
    return found

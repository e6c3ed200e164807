"""tcpdump at the switch: who claims an address, as the wire shows it."""
import re

from lab import wait_for
from test_vrrp_pair import Pair

CLAIM = re.compile(r"^(\d+\.\d+) IP (\S+) > \S+: .*VRRPv3, Advertisement, vrid 51, prio (\d+),", re.M)
# Before a command: what is measured must not be how busy the machine is. And who looks on must not stand in the way of
# whom it looks at: an interpreter that starts under the same policy keeps a processor for 50 ms.
REALTIME = ["chrt", "-r", "1"]


class SteadyPair(Pair):
    """Two ballast-vrrpd, whose flaps are no cause for bypass: they are what is done to them."""

    ha = {"maximum_flaps": 1000}


class Onlooker:
    """Advertisements of virtual router 51 in version 3 over IPv4, each as (time by the wall clock, source)."""

    def __init__(self, lab, interval):
        self.interval = interval
        self.process = lab.process("tcpdump", [*REALTIME, "tcpdump", "-i", "br0", "-n", "-tt", "-l", "ip proto 112"],
                                   netns=lab.switch)
        wait_for(lambda: "listening on" in self.process.text(), 10)

    def claims(self):
        """A farewell (priority 0) claims nothing and is left out."""
        return [(float(at), source) for at, source, priority in CLAIM.findall(self.process.text()) if priority != "0"]

    def last_source(self):
        claims = self.claims()
        return claims[-1][1] if claims else None

    def terms(self):
        """(source, first, last) of each run of claims in which a source was not silent for more than an interval and a half."""
        found, running = [], {}
        for at, source in self.claims():
            term = running.get(source)
            if term and at - term[2] <= 1.5 * self.interval:
                term[2] = at
            else:
                running[source] = [source, at, at]
                found.append(running[source])
        return found

    def doubles(self):
        """(begin, length) of each time in which two claimed the address: both advertised before, during and after it."""
        found, terms = [], self.terms()
        for n, (source, first, last) in enumerate(terms):
            for other, begun, ended in terms[n + 1:]:
                if begun > last:
                    break
                if other != source:
                    found.append((begun, min(last, ended) - begun))
        return found

    def intervals(self, source, begin, end):
        """Seconds between successive claims of a source within a time."""
        times = [at for at, who in self.claims() if who == source and begin <= at <= end]
        return [b - a for a, b in zip(times, times[1:])]

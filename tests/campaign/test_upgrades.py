"""Fifty upgrades of data in a row under load (decision D4): no request fails, no plaintext tunnel closes, no byte is wrong."""
from lab import rss_kib
from load_house import House

UPGRADES = 50
TUNNELS = 2000


def test_fifty_upgrades(lab, figure):
    house = House(lab)
    node = house.node
    node.put(house.document())
    house.load(TUNNELS)

    def memory_kib():
        return [rss_kib(pid) for pid in node.data_processes("worker")]

    node.replace_data(within=60)
    before = memory_kib()
    for _ in range(UPGRADES - 1):
        node.replace_data(within=60)
    after = memory_kib()
    figure("upgrades in a row", UPGRADES)
    loads, tunnels = house.tally(figure)
    figure("memory of the workers in KiB, after the first and after the last upgrade", (before, after))
    assert all(failed == 0 and requests > 0 for requests, failed in loads.values()), loads
    assert tunnels["bytes"] > 0 and tunnels["wrong"] == 0 and tunnels["closed"] == 0
    assert len(after) == 2, "processes are left over"
    assert max(after) < max(before) * 1.5

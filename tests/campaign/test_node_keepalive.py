"""Node.js servers behind ten minutes of load with pauses: with their default, and with a keep-alive of 40 ms."""
import os

from test_resilience import Race, node_document, node_server
from lab import Lab
from pool_house import PoolHouse

SECONDS = int(os.environ.get("NODE_SECONDS", "600"))  # each of the two


def test_ten_minutes_of_nodes_default(figure):
    """keepalive.idle is 4s by default, Node's is 5s or 6s: with ours at a minute, Node ends connections under our requests."""
    with Lab("node-default") as lab:
        house = PoolHouse(lab)
        port, patience = node_server(lab)
        house.node.put(node_document(house, port))
        Race(house, patience, 0.02).run(port, SECONDS, 200, figure)


def test_ten_minutes_of_a_short_keep_alive(figure):
    with Lab("node-short") as lab:
        house = PoolHouse(lab)
        port, patience = node_server(lab, 40)
        house.node.put(node_document(house, port))
        Race(house, patience, 0.001).run(port, SECONDS, 16, figure)

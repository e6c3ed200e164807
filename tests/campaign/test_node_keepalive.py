"""Node.js servers behind ten minutes of load with pauses: with their default of 5 s, and with a keep-alive as short as the pauses."""
import os

from test_resilience import node_document, node_server, race
from lab import Lab
from pool_house import PoolHouse

SECONDS = int(os.environ.get("NODE_SECONDS", "600"))


def test_ten_minutes_of_a_short_keep_alive(figure):
    with Lab("node-short") as lab:
        house = PoolHouse(lab)
        port = node_server(lab, 40)
        house.node.put(node_document(house, port))
        race(house, port, SECONDS // 2, 0.040, 16, figure)


def test_ten_minutes_of_nodes_default(figure):
    """keepalive.idle is 4s by default, Node's is 5s: with ours at a minute, Node ends connections under our requests."""
    with Lab("node-default") as lab:
        house = PoolHouse(lab)
        port = node_server(lab, 5000)
        house.node.put(node_document(house, port))
        race(house, port, SECONDS // 2, 5.0, 64, figure)

"""pytest: campaigns are told with the harness of the stories in tests/net, and its fixtures."""
import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from fixtures import figure, lab, pytest_terminal_summary  # noqa: E402, F401 (pytest finds them here)


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=os.environ.get("CHURN_SEED"), help="of a campaign's dice: repeats it")


@pytest.fixture
def seed(request):
    """--seed, or one that is printed."""
    given = request.config.getoption("--seed")
    return random.randrange(1 << 30) if given is None else int(given)

"""pytest: campaigns are told with the harness of the stories in tests/net, and its fixtures."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from fixtures import figure, lab, pytest_terminal_summary  # noqa: E402, F401 (pytest finds them here)

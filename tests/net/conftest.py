"""pytest: the fixtures of stories."""
from fixtures import figure, lab, pytest_terminal_summary  # noqa: F401 (pytest finds them here)

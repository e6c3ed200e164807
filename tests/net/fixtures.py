"""What pytest gives every story: a lab of its own, and the figures that stories report, printed at the end."""
import pytest

from lab import Lab

FIGURES = []


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


@pytest.fixture
def figure(request):
    """figure("longest gap", "3.4 ms"): a measured result, printed after the run."""

    def report(name, value):
        FIGURES.append(f"{request.node.name}: {name}: {value}")

    return report


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)

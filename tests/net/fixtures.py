"""What pytest gives every story: a lab of its own, and the figures that stories report, printed at the end."""
import pytest

from lab import Lab


@pytest.fixture
def lab(request):
    with Lab(request.node.name) as made:
        yield made


@pytest.fixture
def figure(request):
    """figure("longest gap", "3.4 ms"): a measured result, printed after the run."""

    def report(name, value):
        request.node.user_properties.append(("figure", f"{request.node.name}: {name}: {value}"))

    return report


def pytest_terminal_summary(terminalreporter):
    """Figures come with the reports: also from another lane's process."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [value for report in reports for key, value in report.user_properties if key == "figure"]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)

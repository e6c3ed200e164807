"""The systemd units as they are built: systemd knows every word in them, and they leave the daemons little to harm."""
import json
import re
import shutil
import subprocess

import pytest

from lab import BUILD, DAEMONS

EXPOSURE_MAX = 2.5  # of 10: systemd-analyze security

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")


@pytest.fixture
def units(tmp_path):
    """The units, with the programs of the build for those of an installation."""
    for name in DAEMONS:
        unit = f"ballast-{name}.service"
        text = (BUILD / "packaging" / "systemd" / unit).read_text()
        text = re.sub(r"(?m)^(Exec\w+=)\S+/(ballast-\w+)", rf"\1{BUILD}/{name}/\2", text)
        (tmp_path / unit).write_text(text)
    return sorted(tmp_path.iterdir())


def analyze(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def test_units_are_good(units):
    done = analyze("verify", "--man=no", "--recursive-errors=no", *units)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if "ballast" in line], done.stderr


def test_units_harden_the_daemons(units, figure):
    for unit in units:
        done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX * 10:.0f}", "--json=short", unit)
        rows = json.loads(done.stdout)
        figure(f"exposure of {unit.stem}", analyze("security", "--offline=true", "--no-pager", unit).stdout.rsplit(": ", 1)[1].split()[0])
        assert rows and done.returncode == 0, unit

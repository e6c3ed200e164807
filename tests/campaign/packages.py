"""The packages of this source, and the same with a higher version, which an upgrade goes to.

CAMPAIGN_PACKAGES: a folder that has them, else they are built in BUILD/campaign/packages.
"""
import os
import re
import shutil
from pathlib import Path

from lab import BUILD, ROOT, run

VERSION = re.search(r"^  version: '(.*)',$", (ROOT / "meson.build").read_text(), re.M)[1]
NEXT = re.sub(r"\d+$", lambda last: str(int(last[0]) + 1), VERSION)
NAMES = {"deb": "ballast_{}_*.deb", "rpm": f"ballast-{{}}-*.{os.uname().machine}.rpm"}


def packages(kind, trees=None):
    """{version: the package} of a kind, "deb" or "rpm". trees: {version: another source than this}."""
    folder = Path(os.environ.get("CAMPAIGN_PACKAGES", BUILD / "campaign" / "packages"))
    for version in (VERSION, NEXT):
        if "CAMPAIGN_PACKAGES" not in os.environ:
            tree = (trees or {}).get(version, ROOT)
            run("env", f"BALLAST_PACKAGES={folder}", tree / "packaging" / "build", kind, version)
    return {version: next(folder.glob(NAMES[kind].format(version))) for version in (VERSION, NEXT)}


def copy_source(folder):
    """This source in a folder of its own, where it may be changed before it is built."""
    for name in run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    run("git", "-C", folder, "init", "-q")
    return folder

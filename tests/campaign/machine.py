"""A machine with the distribution's own systemd as its first process: systemd-nspawn in a namespace of the lab.

The root folder is made once by debootstrap in BUILD/campaign/root; each machine writes to an overlay of its own, which
lasts over its reboots and goes with the lab.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

from lab import BUILD, run, wait_for

GROUPS = [Path("/sys/fs/cgroup") / name for name in ("systemd", "unified")]
SYSTEM = ["systemd", "systemd-sysv", "dbus", "iproute2", "procps", "rpm"]


def base_root(package):
    """The folder of a minimal system that has what the package depends on."""
    folder = BUILD / "campaign" / "root"
    needs = [re.sub(r"[ (|].*", "", need.strip()) for need in run("dpkg-deb", "-f", package, "Depends").split(",")]
    words, made = ",".join(sorted({*SYSTEM, *needs})), folder / "made"
    if not made.exists() or made.read_text() != words:
        shutil.rmtree(folder, ignore_errors=True)  # half made, or with other packages
        folder.parent.mkdir(exist_ok=True)
        done = subprocess.run(["debootstrap", "--variant=minbase", f"--include={words}", "bookworm", str(folder)],
                              capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        made.write_text(words)
    return folder


class Machine:
    """shared: {folder of the lab: where the machine sees it}."""

    def __init__(self, lab, name, netns, base, shared):
        self.lab, self.name, self.netns, self.shared = lab, name, netns, shared
        self.group = f"{lab.prefix}{name}"
        self.folder = lab.folder / f"machine-{name}"
        self.root = self.folder / "root"
        self.process = self.leader = None
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={base},upperdir={self.folder}/upper,workdir={self.folder}/work", self.root)
        lab.closers.append(self.remove)

    def boot(self):
        enter = "; ".join(f"mkdir -p {g}/{self.group} && echo $BASHPID > {g}/{self.group}/cgroup.procs" for g in GROUPS if g.is_dir())
        nspawn = ["systemd-nspawn", "-q", "--capability=all", "-D", self.root, "--boot", "--register=no", "--keep-unit", "--console=pipe",
                  f"--network-namespace-path=/run/netns/{self.netns}", f"--machine={self.name}",
                  *[f"--bind={folder}:{place}" for folder, place in self.shared.items()]]
        self.process = self.lab.process(f"machine-{self.name}", ["bash", "-c", f'{enter}; exec "$@"', "boot", *nspawn],
                                        env={"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"})
        wait_for(self.is_up, 60, f"{self.name} to have booted", every=0.2)
        return self

    def is_up(self):
        """nspawn's first child makes the machine's first process and ends."""
        assert self.process.is_running(), self.process.text()
        self.leader = int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def power_off(self):
        """In order; returns when it is off."""
        self.run("systemctl", "poweroff")
        wait_for(lambda: not self.process.is_running(), 120, f"{self.name} to be off")

    def run(self, *words, check=True, within=120):
        """A command inside, its output. It fails with both outputs unless check is False."""
        argv = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", *map(str, words)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=within, check=False)
        assert not check or done.returncode == 0, f"{self.name}: {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path, text, mode=0o644, group=None):
        """A file, at its place whether it runs or not."""
        file = self.root / path.lstrip("/")
        file.write_text(text)
        file.chmod(mode)
        if group:
            self.run("chgrp", group, path)

    def property(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).strip()

    def pid(self, unit):
        """The unit's main process by its number inside; 0: none."""
        return int(self.property(unit, "MainPID"))

    def status_of(self, pid):
        """{key: value} of /proc/PID/status inside."""
        return dict(line.split(":\t", 1) for line in self.run("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)

    def remove(self):
        if self.process and self.process.is_running():
            try:
                os.kill(self.leader, 9)
            except ProcessLookupError:
                pass
            self.process.popen.wait(30)
        run("umount", self.root)
        wait_for(self.has_left_groups, 10, f"{self.name}'s control groups to be empty")

    def has_left_groups(self):
        """Removes its control groups; what has just died may keep them for a moment."""
        for group in GROUPS:
            for folder in sorted((group / self.group).glob("**/"), reverse=True):
                folder.rmdir()
        return True

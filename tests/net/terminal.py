"""A program on a terminal of its own, as somebody sits before it."""
import os
import pty
import select
import signal
import time

INTERRUPT, END_OF_INPUT = b"\x03", b"\x04"


class Terminal:
    """Ended by .end(); .text is all that was shown, with what was typed."""

    def __init__(self, argv):
        self.text, self.sought = "", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                signal.signal(signal.SIGINT, signal.SIG_DFL)  # a lane of tests may run with it ignored
                os.execv(argv[0], [str(a) for a in argv])
            finally:
                os._exit(127)

    def _read(self, until):
        """False at the end of what it shows."""
        if not select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
            os.close(self.fd)  # hangs up, which ends it
            raise AssertionError(f"nothing more in time:\n{self.text}")
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:  # nobody has the terminal open any more
            return False
        self.text += chunk.decode(errors="replace")
        return bool(chunk)

    def wait(self, words, within=60):
        """Until it shows words, behind those that were waited for before."""
        until = time.monotonic() + within
        while words not in self.text[self.sought:]:
            assert self._read(until), f"it ended without {words!r}:\n{self.text}"
        self.sought = self.text.index(words, self.sought) + len(words)

    def type(self, keys):
        os.write(self.fd, keys)

    def end(self, within=60):
        """Its exit status, or that of a shell where a signal ended it."""
        until = time.monotonic() + within
        while self._read(until):
            pass
        os.close(self.fd)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return status if status >= 0 else 128 - status

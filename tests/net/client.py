"""A client that asks at a fixed pace and keeps the books: client.py HOST PORT EVERY_MS [TIMEOUT_MS]

Sends a GET on a connection of its own every EVERY_MS, whether or not earlier ones were answered. On SIGTERM it
prints one JSON object: requests sent, answered and lost by cause, and the longest gap between the sending times of two neighbouring
answered requests, in milliseconds. It says "answered" once it has had fifty answers.
"""
import asyncio
import json
import signal
import sys
import time


class Books:
    def __init__(self):
        self.rows = []
        self.answers = 0

    def note_answer(self):
        self.answers += 1
        if self.answers == 50:
            print("answered", flush=True)

    def summary(self, unfinished_after):
        rows = [r for r in self.rows if r[0] <= unfinished_after]
        good = sorted(r[0] for r in rows if r[1])
        gaps = [(b - a, a) for a, b in zip(good, good[1:])]
        longest = max(gaps, default=(0, 0))
        lost = sorted(r[0] for r in rows if not r[1])
        causes = {}
        for r in rows:
            if not r[1]:
                causes[r[2]] = causes.get(r[2], 0) + 1
        return {"sent": len(rows), "answered": len(good), "lost": len(lost), "causes": causes,
                "longest_gap_ms": round(longest[0] * 1000, 2), "slowest_ms": round(max((r[3] for r in rows if r[1]), default=0), 2)}


async def ask(host, port, timeout, books):
    started = time.monotonic()
    row = [started, False, "unanswered", 0]
    writer = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            status = answer[9:12].decode(errors="replace")
            row[1], row[2] = status == "200", f"status {status}" if status else "closed without an answer"
            books.note_answer()
    except TimeoutError:
        row[2] = "time-out"
    except OSError as error:
        row[2] = type(error).__name__
    finally:
        row[3] = (time.monotonic() - started) * 1000
        books.rows.append(row)
        if writer:
            writer.transport.abort()


async def main():
    host, port, every = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) / 1000
    timeout = int(sys.argv[4]) / 1000 if len(sys.argv) > 4 else 0.25
    books, ended = Books(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    print("asking", flush=True)
    running, due = set(), loop.time()
    while not ended.is_set():
        task = asyncio.create_task(ask(host, port, timeout, books))
        running.add(task)
        task.add_done_callback(running.discard)
        due = max(due + every, loop.time() - every)
        await asyncio.sleep(max(0, due - loop.time()))
    now = time.monotonic()
    if running:
        await asyncio.wait(running, timeout=timeout + 0.5)
    print(json.dumps(books.summary(now)), flush=True)


asyncio.run(main())

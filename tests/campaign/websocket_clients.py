"""Many WebSockets at once: websocket_clients.py URL COUNT ROUNDS. Each sends its own message in each round; all are open
in every round. Prints how many were open and how many echoes came back right.
"""
import asyncio
import sys

import websockets


async def main():
    url, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    gate, sockets = asyncio.Semaphore(100), []

    async def connect():
        async with gate:
            sockets.append(await websockets.connect(url, compression=None, ping_interval=None, open_timeout=60))

    await asyncio.gather(*(connect() for _ in range(count)))
    right = 0

    async def one(number, socket, turn):
        nonlocal right
        message = f"{turn} {number} " + "x" * (number % 2000)
        await socket.send(message)
        answer = await asyncio.wait_for(socket.recv(), 60)
        right += answer == message

    for turn in range(rounds):
        await asyncio.gather(*(one(number, socket, turn) for number, socket in enumerate(sockets)))
    print(f"open {sum(s.open for s in sockets)} right {right}", flush=True)
    await asyncio.gather(*(socket.close() for socket in sockets))


asyncio.run(main())

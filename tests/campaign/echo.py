"""A server for crowds: echo.py HOST PORT: sends back what comes, on as many connections as there are; several of it share a port."""
import asyncio
import resource
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = await asyncio.get_running_loop().create_server(Echo, sys.argv[1], int(sys.argv[2]), backlog=4096,
                                                                reuse_port=True)
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main())

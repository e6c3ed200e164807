"""A small server of HTTP/2 by prior knowledge: h2_server.py PORT. Every request is answered with 200 and a few bytes."""
import asyncio
import sys

import h2.config
import h2.connection
import h2.events


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.h = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.h.initiate_connection()
        transport.write(self.h.data_to_send())

    def data_received(self, data):
        try:
            for event in self.h.receive_data(data):
                if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                    self.h.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.h.send_headers(event.stream_id, [(":status", "200"), ("content-type", "text/plain")])
                    self.h.send_data(event.stream_id, b"hello", end_stream=True)
        except h2.exceptions.ProtocolError:
            self.transport.close()
        self.transport.write(self.h.data_to_send())


async def main():
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", int(sys.argv[1]))
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main())

"""Two upstreams that are not well: one never answers, the other only after two seconds."""
import asyncio, sys

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nslow\n"


def upstream(delay):
    async def serve(reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                if delay is None:
                    await reader.read()
                    return
                await asyncio.sleep(delay)
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


async def main(hung, slow):
    servers = [
        await asyncio.start_server(upstream(None), "127.0.0.1", hung, backlog=4096),
        await asyncio.start_server(upstream(2), "127.0.0.1", slow, backlog=4096),
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main(*map(int, sys.argv[1:3])))

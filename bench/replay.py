"""a jetstream that has likes only, made beforehand, and sends them as fast as they are taken.

its frames are written without a websocket library: what is measured is who reads, not who writes.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

from devstack.processes import die_with_parent
from plyr.kit.tid import encode_tid

HOST = "127.0.0.1"
PEOPLE = 2000
SUBJECTS = 1000
_KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
_CID = base64.b32encode(b"\x01\x71\x12\x20" + hashlib.sha256(b"like").digest()).decode().lower().rstrip("=")
_FRAMES_AT_ONCE = 200


def likes(count: int, namespace: str, first_us: int) -> Iterator[dict[str, object]]:
    """yield `count` events of as many like records, no two of one person on one subject."""
    collection = f"{namespace}.like"
    for number in range(count):
        time_us = first_us + number
        subject = f"at://did:plc:artist/{namespace}.track/{encode_tid((number // PEOPLE) % SUBJECTS, 1)}"
        made = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time_us / 1e6))
        record = {"$type": collection, "subject": {"uri": subject, "cid": f"b{_CID}"}, "createdAt": made}
        commit = {
            "rev": encode_tid(time_us, 1), "operation": "create", "collection": collection,
            "rkey": encode_tid(time_us, 2), "record": record, "cid": f"b{_CID}",
        }  # fmt: skip
        yield {"did": f"did:plc:person{number % PEOPLE:06}", "time_us": time_us, "kind": "commit", "commit": commit}


def frame(payload: bytes) -> bytes:
    """return a websocket message of less than 64 KiB as a server sends it."""
    length = len(payload)
    head = bytes((0x81, length)) if length < 126 else bytes((0x81, 126)) + length.to_bytes(2, "big")
    return head + payload


async def serve(port: int, count: int, namespace: str) -> None:
    """replay to whoever comes, after their cursor; says `connected` with the monotonic time for each of them."""
    first_us = time.time_ns() // 1000 - 600_000_000
    frames = [frame(json.dumps(event, separators=(",", ":")).encode()) for event in likes(count, namespace, first_us)]

    async def replay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ", 2)[1]
        key = next(
            line.split(": ", 1)[1] for line in request.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(f"{key}{_KEY_SUFFIX}".encode()).digest()).decode()  # noqa: S324
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        cursor = int(parse_qs(urlsplit(path).query).get("cursor", ["0"])[0])
        begin = max(0, cursor - first_us + 1)
        print("connected", time.monotonic(), flush=True)
        with suppress(ConnectionError):  # who has heard enough goes
            for start in range(begin, count, _FRAMES_AT_ONCE):
                writer.write(b"".join(frames[start : start + _FRAMES_AT_ONCE]))
                await writer.drain()
            await reader.read()

    server = await asyncio.start_server(replay, HOST, port)
    print("ready", first_us, flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """serve until ended."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="bench.replay", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--namespace", default="fm.plyr.dev")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.count, options.namespace))


if __name__ == "__main__":
    main()

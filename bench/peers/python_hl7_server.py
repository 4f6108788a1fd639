"""python-hl7's asyncio server with the loop of its documentation: read, acknowledge. It keeps nothing."""

import asyncio
import sys

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server


async def converse(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
    """Until the peer closes."""
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(port: int) -> None:
    """Until the process ends."""
    async with await start_hl7_server(converse, "127.0.0.1", port, encoding="utf-8", limit=2**26) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

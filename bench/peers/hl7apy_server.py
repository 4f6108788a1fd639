"""hl7apy's MLLPServer; its handler reads the message with hl7apy's parser. It keeps nothing, and closes after each one."""

import sys

from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message


class Acknowledge(AbstractHandler):  # type: ignore[misc]
    """Parse, then answer; the answer is composed as text, which is cheaper than hl7apy's own building."""

    def reply(self) -> str:
        """The acknowledgement in a block."""
        control_id = parse_message(self.incoming_message).msh.msh_10.value
        return f"\x0bMSH|^~\\&|A|B|C|D|20261124||ACK|1|P|2.5.1\rMSA|AA|{control_id}\r\x1c\r"


class Server(MLLPServer):  # type: ignore[misc]
    """With a queue for connections that does not drop our load's."""

    request_queue_size = 64
    daemon_threads = True


if __name__ == "__main__":
    Server("127.0.0.1", int(sys.argv[1]), {"OMG^O19^OMG_O19": (Acknowledge,)}).serve_forever()

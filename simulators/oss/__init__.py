"""Aliyun Object Storage Service on loopback (F1): objects, ranges, multipart; refuses a wrong signature.

Path-style addresses (`http://127.0.0.1:port/bucket/key`), which oss2 chooses by itself for an IP address.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from simulators.loopback import LoopbackServer
from simulators.oss.service import OssService
from simulators.oss.signature import Verifier
from simulators.oss.web import create_app
from simulators.outage import OutageSwitch

__all__ = ["OssSimulator", "serve"]


class OssSimulator(LoopbackServer):
    """OSS for tests: `with OssSimulator(state_dir, {"id": "secret"}, buckets=["films"]) as oss: oss.url`."""

    def __init__(
        self,
        state_dir: Path,
        secrets_by_id: Mapping[str, str],
        *,
        buckets: Sequence[str] = (),
        region: str = "cn-hangzhou",
        cors_origins: Sequence[str] = ("*",),
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        service = OssService(state_dir, Verifier(secrets_by_id, region, clock), region, clock)
        for bucket in buckets:
            service.shelf.create_bucket(bucket)
        self.outage = OutageSwitch(clock)
        super().__init__(create_app(service, self.outage, tuple(cors_origins)), host, port)


def serve(
    host: str,
    port: int,
    *,
    state_dir: Path,
    secrets_by_id: Mapping[str, str],
    buckets: Sequence[str] = (),
    region: str = "cn-hangzhou",
) -> None:
    """Run until the process ends. `secrets_by_id`: the keys that may sign; `buckets` are made at start."""
    OssSimulator(
        state_dir, secrets_by_id, buckets=buckets, region=region, host=host, port=port
    ).serve_forever()

"""`./cloudfilm crypto serve|status`: the key server, and what serves in it."""

import json
from typing import Any

import click

from app.crypto_server import run_key_server
from app.engines import open_engines
from app.key_client import key_client
from core import config, logs
from core.config import Settings
from crypto.errors import ServiceUnavailable
from crypto.service import state_contract as contract


@click.group("crypto")
def crypto_group() -> None:
    """The key server: cryptography for other processes, which then hold no keys."""


@crypto_group.command("serve")
def serve() -> None:
    """Answer on the Unix socket, and on loopback HTTPS where CLOUDFILM_CRYPTO_BIND is set."""
    settings = config.load()
    logs.configure(settings.log_level, "crypto")
    run_key_server(settings, click.echo)


@crypto_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> None:
    """Which engines serve, and whether the key server is there and unsealed."""
    told = _status(config.load())
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"key server: {told['server']}")
    for row in told["engines"]:
        reason = f"  ({row['reason']})" if row["reason"] else ""
        click.echo(f"{row['service'] or '-':24} {row['engine']:16} {row['state']}{reason}")
    for name, count in told["keys"].items():
        click.echo(f"{count:8} keys {name}")


def _status(settings: Settings) -> dict[str, Any]:
    """The server's own words; without one the engines that this machine has."""
    client = key_client(settings, is_patient=False)
    try:
        state = client.ask(contract.STATUS, contract.Status)
    except ServiceUnavailable as error:
        return {"server": str(error), "engines": open_engines(settings).report(), "keys": {}}
    finally:
        client.close()
    sealed = "sealed" if state.sealed else "unsealed"
    given = f", {state.shares_given} of {state.shares_needed} shares given" if state.shares_given else ""
    return {
        "server": f"{client.address}: {sealed}{given}",
        "engines": [row.model_dump() for row in state.engines],
        "keys": state.keys,
    }

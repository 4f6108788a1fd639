"""`./cloudfilm run PROCESS`: one process of the Procfile in the foreground."""

import click

from app import processes


@click.command()
@click.argument("process", type=click.Choice(sorted(processes.PROCESSES)))
def run(process: str) -> None:
    """Run one process: web, live, relay, worker, mllp, scp or (for demos) simulators."""
    processes.PROCESSES[process]()

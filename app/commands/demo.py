"""`./cloudfilm demo`: everything on one machine, with a phantom patient, staying up."""
import click


@click.command()
def demo() -> None:
    """Placeholder."""

"""`python -m bench AREA [--json]`: measure one area and print its figures."""

import argparse
import importlib
import sys

from bench.figure import as_json, as_text

AREAS = ("crypto", "hl7", "viewer")


def main() -> None:
    """Figures go to stdout; what is going on, to stderr."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--json", action="store_true", help="print the list of figures as JSON")
    parser.add_argument("--only", default="", help="only figures whose name contains this")
    told = parser.parse_args()
    area = importlib.import_module(f"bench.{told.area}")
    figures = []
    for figure in area.measure(told.only):
        figures.append(figure)
        if not told.json:
            print(as_text(figure), flush=True)
    if told.json:
        print(as_json(figures))
    sys.exit(0 if figures else 1)


if __name__ == "__main__":
    main()

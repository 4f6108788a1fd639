"""Benchmarks (ARCHITECTURE 16 of the project's plan): `./cloudfilm bench AREA [--json]`.

Each figure is the median of at least five rounds; a peer that is compared is measured in the same run, in turns with us,
by the same load. Nothing imports this package, and no test asserts a figure.
"""

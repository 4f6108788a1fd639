"""Telling people: templates, the channel port and its adapters (E1, E2, E4)."""

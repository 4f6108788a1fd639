"""Adapters of the port in hl7_engine/connector.py; built by registry.py, named by `app` alone."""

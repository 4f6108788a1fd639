"""Tests: unit, contract, wire, story, browser, structure (ARCHITECTURE §5). They share fixtures/ and shared_data.py."""

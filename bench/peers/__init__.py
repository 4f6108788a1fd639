"""Servers that others wrote, started as their own documentation shows."""

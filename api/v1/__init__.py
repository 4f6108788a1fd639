"""The JSON API, version 1: exams and films for the viewer, sessions for tools, fees for kiosks and tills.

Documented at /openapi.json; errors are problem documents (RFC 9457).
"""

"""Live rooms: an ASGI process beside the WSGI one, because a WebSocket would hold a thread (decision 5).

Rooms carry no personal data; who may enter is the session's matter.
"""

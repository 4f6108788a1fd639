"""Live rooms: an ASGI process beside the WSGI one, because a WebSocket would hold a thread (decision 5; docs/live.md).

    rooms      the application: who may come in
    visit      one connection, from hello to bye
    hub        the visits of this process by room; hands on what happens in a room
    messages   what clients may say
    outgoing   what waits to be sent to one client
    ports      what a room remembers, wherever that is kept; stores/ keeps it in memory or in Redis

What is shared is JSON that only the pages understand; no image and no name of a patient passes here.
"""

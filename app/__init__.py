"""Assembly and command line: builds the platform from settings, names the concrete adapters, starts the processes.

The only room that knows every other one. Nothing imports it but `wsgi.py`.
"""

"""What a WSGI server loads; made by `app` (ARCHITECTURE §2)."""

from app.web import application as application

"""The WSGI application object, built once per server process."""

from api.application import create_app
from app.platform import build_platform
from core import config, logs

settings = config.load()
logs.configure(settings.log_level, "web")
application = create_app(build_platform(settings))

"""From a [[connector]] table of the site file to the connector that it describes."""

from collections.abc import Callable, Mapping
from typing import Any

from core.errors import Misconfigured
from hl7_engine.connector import Connector
from hl7_engine.connectors import settings
from hl7_engine.connectors.folder import FolderConnector, FolderSettings
from hl7_engine.connectors.rabbitmq import RabbitConnector, RabbitSettings
from hl7_engine.connectors.redis_streams import RedisConnector, RedisSettings
from hl7_engine.connectors.view import ViewConnector, ViewSettings

# Each kind with the class of its settings and its own.
_KINDS: dict[str, tuple[type, Callable[[Any], Connector]]] = {
    "folder": (FolderSettings, FolderConnector),
    "rabbitmq": (RabbitSettings, RabbitConnector),
    "redis": (RedisSettings, RedisConnector),
    "view": (ViewSettings, ViewConnector),
}
# It is the peer of messages that name no sender: a column of the inbox.
_NAME_LENGTH = 64


def build(table: Mapping[str, Any]) -> Connector:
    """The connector of one table. Raises `Misconfigured` naming the connector and the key."""
    told = dict(table)
    kind = told.pop("kind", None)
    name = told.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        raise Misconfigured(f"every [[connector]] needs a name of 1 to {_NAME_LENGTH} letters")
    if kind not in _KINDS:
        raise Misconfigured(f"connector {name}: kind is {kind!r}: use one of {', '.join(_KINDS)}")
    settings_type, connector_type = _KINDS[kind]
    return connector_type(settings.read(settings_type, told, f"connector {name}"))


def build_all(tables: tuple[Mapping[str, Any], ...]) -> list[Connector]:
    """The connectors of a site. Raises `Misconfigured`, also when two have one name."""
    connectors = [build(table) for table in tables]
    names = [connector.name for connector in connectors]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Misconfigured(f"two connectors have the name {', '.join(twice)}")
    return connectors

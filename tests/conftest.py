"""Fixtures for every test: `settings`, `provider`, `keyring`, `database`, `memory_database`, `redis_url`,
`rabbitmq_server`, `memory_inbox`.

`database` runs the test twice, on a SQLite file and on a real PostgreSQL; `memory_database` is the quick one
for rules that no thread and no lock touches. Both are empty, with all tables, and with the keyring bound.
"""

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A busy machine is no failure: tests are not timed.
hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("untimed")

pytest_plugins = (
    "tests.fixtures.installation",
    "tests.fixtures.databases",
    "tests.fixtures.redis_server",
    "tests.fixtures.rabbitmq_server",
    "tests.fixtures.taking",
    "tests.fixtures.certificates",
    "tests.fixtures.live_server",
    "tests.fixtures.requirement_trace",
)

"""A table that refuses stale tokens, with SQLite from Python's standard library.

Each write is a transaction that takes the fence first (fence.sql) and writes only if that succeeded. With PostgreSQL
the statements are the same; its drivers write parameters as %(name)s.
"""

import sqlite3
from contextlib import closing

# [take]
TAKE = """
INSERT INTO fence (resource, token) VALUES (:resource, :token)
ON CONFLICT (resource) DO UPDATE SET token = excluded.token WHERE fence.token <= excluded.token
RETURNING token;
"""
# [/take]


class StaleToken(Exception):
    """A later holder was here. Stop, and ask /leader again."""


def open_store(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS fence (resource TEXT PRIMARY KEY, token BIGINT NOT NULL)")
    database.execute("CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY, value TEXT NOT NULL)")
    return database


def write(database, token, value):
    """Replaces the value, or raises StaleToken and changes nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        with closing(database.execute(TAKE, {"resource": "progress", "token": token})) as taken:
            if taken.fetchone() is None:
                raise StaleToken(token)
        database.execute("INSERT OR REPLACE INTO progress (id, value) VALUES (1, ?)", (value,))
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def read(database):
    row = database.execute("SELECT value FROM progress WHERE id = 1").fetchone()
    return None if row is None else row[0]

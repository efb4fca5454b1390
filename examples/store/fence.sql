-- A database that refuses stale tokens: PostgreSQL 9.5 or later, SQLite 3.35 or later.
--
-- The rule: check and write are one transaction; an older token is refused, an equal one is accepted (a holder writes
-- more than once). The fence row stays for ever, also when everything else is deleted.
--
-- Deliberately absent: triggers. So that no write forgets the fence, put these statements into the one function that
-- writes; see sql_store.py and sql-store.ts.

-- [schema]
CREATE TABLE fence (
  resource TEXT PRIMARY KEY,
  token BIGINT NOT NULL
);
-- [/schema]

-- First in each transaction: take the fence. One row: go on, and the row stays locked until COMMIT, so that a later
-- holder waits for this transaction and is not overtaken by it. No row: ROLLBACK, a later holder was here.
-- [take]
INSERT INTO fence (resource, token) VALUES (:resource, :token)
ON CONFLICT (resource) DO UPDATE SET token = excluded.token WHERE fence.token <= excluded.token
RETURNING token;
-- [/take]

-- Or, when one row is all that is written: keep the token in that row. No row changed means refused.
-- [row]
UPDATE progress SET value = :value, token = :token WHERE id = :id AND token <= :token;
-- [/row]

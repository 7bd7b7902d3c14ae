"""The tables of a store, as SQL, and the version they carry.

`entry` and `operation` are append-only chains; the rest are indexes over them, or wait for them. The
meaning of each column stands in docs/journal.md, well enough to write a verifier from.
"""

FORMAT = 4  # what a store is given when it is made, or next opened for writing
OLDEST = 1  # what is still read: `ADDED` says what each has not
BUNDLED = 4  # since when a run's entries may stand in one row
HISTORY = (
    2  # what the first entry names: the bytes of history and of the effects that it seals, as in format 2
)

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE run(
    run_id TEXT PRIMARY KEY, world TEXT NOT NULL, scenario TEXT NOT NULL, mode TEXT NOT NULL,
    seed INTEGER NOT NULL, status TEXT NOT NULL, turn INTEGER NOT NULL, turns INTEGER NOT NULL,
    head_seq INTEGER NOT NULL, head_hash BLOB, op_seq INTEGER NOT NULL, op_hash BLOB,
    parent TEXT, parent_seq INTEGER, parent_turn INTEGER, branch INTEGER NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, tags TEXT NOT NULL, reason TEXT, pruned REAL
) WITHOUT ROWID;

CREATE TABLE entry(
    id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, turn INTEGER NOT NULL,
    phase TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL,
    prev BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE UNIQUE INDEX entry_by_run ON entry(run_id, seq);
CREATE INDEX entry_turning ON entry(run_id, seq) WHERE phase = 'fork';

CREATE TABLE operation(
    id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE UNIQUE INDEX operation_by_run ON operation(run_id, seq);

CREATE TABLE effect(
    run_id TEXT NOT NULL, turn INTEGER NOT NULL, phase TEXT NOT NULL, actor TEXT NOT NULL,
    idx INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
    result TEXT, asked REAL NOT NULL, answered REAL, attempts INTEGER NOT NULL
);
CREATE UNIQUE INDEX effect_by_place ON effect(run_id, turn, phase, actor, idx);
CREATE INDEX effect_waiting ON effect(run_id, turn) WHERE result IS NULL;

CREATE TABLE inbox(
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    sender TEXT NOT NULL, at REAL NOT NULL, taken INTEGER
);
CREATE INDEX inbox_by_turn ON inbox(run_id, taken);

CREATE TABLE lease(
    run_id TEXT PRIMARY KEY, fence INTEGER NOT NULL, owner TEXT NOT NULL, beat INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE checkpoint(
    run_id TEXT NOT NULL, turn INTEGER NOT NULL, seq INTEGER NOT NULL, state BLOB NOT NULL,
    memory TEXT NOT NULL, deferred TEXT NOT NULL
);
CREATE UNIQUE INDEX checkpoint_by_turn ON checkpoint(run_id, turn);

CREATE TABLE segment(
    run_id TEXT NOT NULL, hash BLOB NOT NULL, prev BLOB NOT NULL, count INTEGER NOT NULL,
    items BLOB NOT NULL
);
CREATE UNIQUE INDEX segment_by_hash ON segment(run_id, hash);

-- Metrics are no second copy that could disagree: they are read out of the `scored` entries.
CREATE INDEX entry_scored ON entry(run_id, turn) WHERE kind = 'scored';
CREATE VIEW metric AS
    SELECT entry.run_id, entry.turn, agent.key AS agent, item.key AS name,
        CASE item.type WHEN 'object' THEN json_extract(item.value, '$.mean') ELSE item.value END AS value
    FROM entry, json_each(entry.body, '$.metrics') AS agent, json_each(agent.value) AS item
    WHERE entry.kind = 'scored';

CREATE VIEW decision AS
    SELECT entry.run_id, entry.turn, item.key AS actor, item.value AS action
    FROM entry, json_each(entry.body, '$.actions') AS item WHERE entry.kind = 'decided';
"""

# Since format 2. With row ids: WITHOUT ROWID long bodies would lie in the index itself, which measured a
# quarter more bytes and twice the time of a look-up.
TEXTS = """
CREATE TABLE text(hash BLOB NOT NULL PRIMARY KEY, body TEXT NOT NULL);
"""

# Since format 3. Effects are written in place and in no order of their own, so a follower could not tell what
# is new: a row for each time one is asked or answered, numbered by run. A turn without effects pays
# nothing. In its own key and nothing else: one tree to write to, not two.
ARRIVALS = """
CREATE TABLE arrival(
    run_id TEXT NOT NULL, number INTEGER NOT NULL, turn INTEGER NOT NULL, phase TEXT NOT NULL,
    actor TEXT NOT NULL, idx INTEGER NOT NULL, answered INTEGER NOT NULL, PRIMARY KEY(run_id, number)
) WITHOUT ROWID;
"""

# Since format 4. A short run comes into its store when it is over, and its entries as one row: a hundred rows
# in three trees were a fifth of all that a match cost. Its JSON is an array for each entry, so that what is
# asked of `history` finds them too.
BUNDLES = """
CREATE TABLE bundle(run_id TEXT NOT NULL PRIMARY KEY, lines TEXT NOT NULL, hashes BLOB NOT NULL);

CREATE VIEW history AS
    SELECT run_id, seq, turn, phase, kind, actor, body, prev, hash FROM entry
    UNION ALL
    SELECT run_id, line.key, json_extract(line.value, '$[0]'), json_extract(line.value, '$[1]'),
        json_extract(line.value, '$[2]'), json_extract(line.value, '$[3]'), json_extract(line.value, '$[4]'),
        CASE line.key WHEN 0 THEN zeroblob(32) ELSE substr(hashes, line.key * 32 - 31, 32) END,
        substr(hashes, line.key * 32 + 1, 32)
    FROM bundle, json_each(bundle.lines) AS line;

DROP VIEW IF EXISTS metric;
CREATE VIEW metric AS
    SELECT history.run_id, history.turn, agent.key AS agent, item.key AS name,
        CASE item.type WHEN 'object' THEN json_extract(item.value, '$.mean') ELSE item.value END AS value
    FROM history, json_each(history.body, '$.metrics') AS agent, json_each(agent.value) AS item
    WHERE history.kind = 'scored';

DROP VIEW IF EXISTS decision;
CREATE VIEW decision AS
    SELECT history.run_id, history.turn, item.key AS actor, item.value AS action
    FROM history, json_each(history.body, '$.actions') AS item WHERE history.kind = 'decided';
"""
ADDED = {2: TEXTS, 3: ARRIVALS, 4: BUNDLES}  # what each format brought


def tables(version: int) -> str:
    """All tables of a store of this format."""
    return TABLES + "".join(sql for since, sql in ADDED.items() if since <= version)

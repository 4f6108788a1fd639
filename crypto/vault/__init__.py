"""The keys of one installation on disk: three levels (H2.8), states, rotation, backup.

Where to start
    `vault`         `KeyVault`: create, open, unseal; make, use, change and find keys. What it does is in
    `states`        one table: what a state allows, and what follows it
    `records`       the rows; `wrapping` how a row's secret is bound to it; `making` new keys in batches
    `keks`          versions of key-encryption keys; `rewrap` brings keys under the newest
    `open_secrets`  what an unsealed vault holds in memory; `identity` which vault a database is
    `database`      the SQLite file that holds everything here; `transaction` is the one way to change it
    `backup`        all keys into an `archive`, for the shares of `backup_sets`; `restore` puts them on another machine

The rules that callers rely on
    No key is stored in clear, and none opens while the vault is sealed. The system key is never stored here at all.
    A row whose secret was moved, or whose owner, purpose or public key was changed, is refused.
    What is destroyed is gone from the file; its tombstone says when and why.
"""

"""Who may do what with keys, and the record of who did (H2.7): administrators, operators, auditors.

Where to start
    `permissions`    the one table: operation × role
    `accounts`       people with password and one-time code, machines known by the socket they come through; lock-out
    `dual_control`   destroy, export and accounts wait for a second administrator
    `audit_log`      the SM3 chain in the vault's own database
    `guard`          one request: role, second person, work, record, release; in this order everywhere
    `administration` managing keys: all of `vault` that an administrator may reach
    `operation`      using keys: the services of `crypto.services` by key id
    `data_keys`      the platform's keyring in the same way, for processes that hold no key
    `inspection`     reading records and the audit; changes nothing

The rules that callers rely on
    Nobody who manages keys can use them, nobody who uses them can manage them.
    No audit, no service: a result is released after its row is on the disk, and a change and its row commit together.
    These are rules of a program. Who is root on the machine, or has its disk and the system key, is above them
    (docs/crypto-roles.md).
"""

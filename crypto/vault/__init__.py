"""The keys of one installation on disk: three levels (H2.8), states, rotation, backup.

Where to start
    `database`  the SQLite file that holds everything here; `transaction` is the one way to change it
"""

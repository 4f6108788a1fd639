"""Work that committed changes owe to others: the relay of the outbox, in its threads or through rq workers.

The outbox is the truth (decision 1): Redis may forget everything at any moment, and nothing is lost or done
twice.
"""

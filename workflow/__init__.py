"""The story of one exam, one file per step; each opens with the sentence "When X, then Y" (ARCHITECTURE §1).

A step is one transaction: the change and the outbox rows it causes. Repeating a step changes nothing.
"""

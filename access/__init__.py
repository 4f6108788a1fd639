"""Who may come in and what they may see: one-time codes, sessions, staff, machine signatures, rights.

Knows people and exams, not pages.
"""

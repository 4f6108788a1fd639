"""The record: what is true about patients, exams, images, money and messages, and the outbox that tells others of it.

Imported by every capability; imports only `crypto`.
"""

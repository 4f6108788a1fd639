"""Whole files as sealed objects (H2, H2.3, H2.9): format, limits and how-to in docs/sealed-file.md.

Where to start
    `kinds`        which of the 19 kinds of data a file is, from its content (`kinds_*` look inside)
    `body`         chunks in several threads, by place and not by order, at constant memory
    `envelope`     the wrapped data key and what is said about a file, apart from the body
    `placing`      parts, locks and renames: a target is there whole or not at all
    `sealed_file`  seal, open, verify, re-wrap one file; a reader of any range
    `job`          many files: which, in parallel, resumable
    `watch`        a folder whose quiet files are sealed, proven and handed over; `journal` remembers them

Every attempt at a file takes a new data key and a new nonce prefix, so that no crash and no second run can ever
put two contents under one pair.
"""

"""Images: DICOM in (SCP, spool), sealed packs, stores, frames for the viewer.

Knows nothing of exams, money or people's rights; the workflow joins.
"""

"""Server-rendered pages (decision 15): WeUI for patients on phones, Tabler and htmx for staff. All work
without script.

No page shows more of a person than its masked name, and no URL holds personal data: what is typed travels in
forms.
"""

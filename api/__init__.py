"""Every URL of CloudFilm: pages for patients and staff, the JSON API with its OpenAPI 3.1 document, health.

Views translate between HTTP and `workflow`, nothing more; what a caller may see is decided below, in
`access`.
"""

"""A page about runs, of what was measured of them: values in, HTML out, without a script or a connection.

- `facts`: everything a report tells of a run; `wordings`: the sentences and rows of it
- `views`: a column as numbers, moments or levels, and groups of rows by it; `profile`: what a column holds
- `rows`: what parts of a table have in common; `checks`: what makes an error look better than it is
- `page`: the HTML, from the templates in `templates`

Only commands call it. Never imports pipeline, engine, training or features: what is predicted is handed in.
"""

"""A run behind HTTP: rows in, predictions out, with the refusals of `dlreg predict`.

- `bodies`: what a request holds, as a table in each form
- `answers`: a request's rows predicted, and what is said of them
- `faults`: what is wrong with a request, as the one who sent it can mend it
- `served_run`: the run that is served, and the new one in its place
- `row_schema`: what a row is, for OpenAPI
- `form_page`: a page in the browser to try a row
- `application`: the routes
- `server`: the process: its socket, and how it stops

Others call `server`. Never imports engine, training or commands: a run is served without TensorFlow.
"""

"""`pipeline.onnx`: the whole way from raw cells to a prediction as one graph, written, vetted and run.

- `graph`: ONNX graphs written as formulas, and the names of a pipeline's outputs
- `date_fields`: dates as text to their years, months, hours …
- `calendar`, `levels`, `cells`: cells to features
- `quantile`, `scaling`: features to x
- `networks`: x to predictions; `tree_nodes`: trees as one operator
- `export`: the stages merged into one graph; `residual_scale`: a further output for intervals
- `metadata`: what the graph says of itself
- `agreement`: whether the graph predicts what Keras predicts
- `vetting`: refuses a graph that dlreg does not write, by `wire` (what a file is made of), `limits`,
  `patterns` (regular expressions), `shapes` (of its tensors), `memory` (how many rows fit into it), `refusal`
- `telemetry`: keeps ONNX Runtime from sending anything
- `session`: runs a vetted graph; `bound_columns`: where its columns are many numbers

Others call `export.export_pipeline`, `residual_scale.add_residual_scale`, `metadata.with_metadata`,
`agreement`, `session.Pipeline` and the output names in `graph`. Never imports config, training, engine or
runs; `session` and `vetting` neither table, features nor model: predicting needs nothing that was fitted but
the graph.
"""

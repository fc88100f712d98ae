"""A run for other runtimes: its pipeline as a C file, or as a SavedModel of TensorFlow.

Both are compiled from the graph of `pipeline.onnx`, operator by operator: whatever a pipeline computes, so do
they.

- `tensors`: the graph, its constants, and the type and the axes of each tensor
- `c`: one C file
- `saved_model`: a SavedModel, with `tensorflow_operators`: an operator of ONNX in TensorFlow
- `exported_run`: what of a run they are made of

Others call `exported_run.read_exported`, `c.model_file.c_source` and `saved_model.write_saved_model`. Only
`saved_model` and `tensorflow_operators` import TensorFlow.
"""

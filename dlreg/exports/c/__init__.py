"""A pipeline as one C file, compiled from its ONNX graph, so that it computes what `pipeline.onnx` computes.

- `literals`: names, numbers, texts and comments as C writes them
- `helpers`: the C functions that a file may need
- `source`: collects the tables and helpers of a file
- `values`: what a tensor of one row is in C
- `body`: the statements of a function
- `numbers`, `texts`: an operator of ONNX to statements and expressions; `products`: those of matrices
- `patterns`: dates' regular expressions as automata; `levels`: those of levels as tables
- `fusing`: operators that are one function together
- `program`: a graph to the body of a function
- `model_file`: the whole file

Others call `model_file.c_source`.
"""

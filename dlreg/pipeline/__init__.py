"""`pipeline.onnx`: the whole way from raw cells to a prediction as one graph, written, vetted and run.

Never imports training, engine or runs.
"""

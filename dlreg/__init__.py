"""Deep-learning regression on tables, from one YAML file, at the command line."""

import os

__version__ = "0.1.0"

# Unless told so before it is imported, ONNX Runtime keeps a device id in the home folder and sends facts
# about models and machine to its makers: https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

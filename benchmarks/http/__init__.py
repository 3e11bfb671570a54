"""The HTTP API under load, beside onnxruntime behind uvicorn and nothing else."""

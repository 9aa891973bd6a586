"""How the bundled encoder is made: from the training data to a folder with a `model.toml`.

`python -m models.train` runs every stage in order and skips the ones that are done; see `__main__.py`.
PyTorch, transformers and onnx are needed here and nowhere else (`requirements.txt`).
"""

"""What turns sentences and pictures into vectors of one space.

`manifest` describes an encoder, `locate` finds it, `preprocess.fit` shapes a picture in the workers,
`dual.DualEncoder` encodes, `selftest` compares an encoder with its golden vectors.
The format of model.toml: MODEL_TOML.md beside this file.
"""

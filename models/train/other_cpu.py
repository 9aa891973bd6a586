"""Whether the vectors are the same on an older CPU: the encoder runs here and under `qemu-x86_64 -cpu Haswell`.

    python -m models.train.other_cpu

Haswell has AVX2 and FMA, but neither AVX-512 nor 8-bit dot products. Needs qemu's user emulation (Debian: qemu-user),
which is slow: a handful of texts and pictures.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tokenizers import Tokenizer

from cmrcli.encoders import golden
from models.train import pictures, text_tower
from models.train.workspace import MODEL, log, note

CPU = "Haswell"
# Stands alone, so that the emulated process imports nothing that it does not need.
PROGRAM = """
import sys
import numpy as np
import onnxruntime
given = np.load(sys.argv[2])
found = {}
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
for name, inputs in (("text", ("input_ids", "attention_mask")), ("image", ("pixel_values",))):
    session = onnxruntime.InferenceSession(f"{sys.argv[1]}/{name}.onnx", options, providers=["CPUExecutionProvider"])
    found[name] = session.run(None, {key: given[key] for key in inputs})[0]
np.savez(sys.argv[3], **found)
"""


def run() -> None:
    """Notes the least cosine between the two CPUs, and whether texts rank images alike and the reverse."""
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    ids, mask = text_tower.pad(
        text_tower.encode(tokenizer, [text for text in golden.TEXTS.values() if len(text) < 200])
    )
    drawn = [pictures.letterbox(Image.fromarray(one), pictures.SIZE) for one in golden.pictures().values()]
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch) / "given.npz"
        np.savez(given, input_ids=ids.numpy(), attention_mask=mask.numpy(), pixel_values=np.stack(drawn))
        found = []
        for name, before in (("here", []), ("there", ["qemu-x86_64", "-cpu", CPU])):
            path = Path(scratch) / f"{name}.npz"
            subprocess.run([*before, sys.executable, "-c", PROGRAM, str(MODEL), str(given), str(path)], check=True)
            found.append(dict(np.load(path)))
            log(f"encoded {name}")
    here, there = found
    least = {kind: round(float((here[kind] * there[kind]).sum(1).min()), 6) for kind in here}
    scores = [one["text"] @ one["image"].T for one in found]
    orders = [(np.argsort(-some, axis=1), np.argsort(-some, axis=0)) for some in scores]
    same = all(np.array_equal(ours, theirs) for ours, theirs in zip(*orders, strict=True))
    note(
        "other-cpu", model=MODEL.name, cpu=CPU, least_cosine=least, same_ranking=same, texts=len(ids), images=len(drawn)
    )
    log(f"{CPU}: least cosine {least}, same ranking {same}")


if __name__ == "__main__":
    run()

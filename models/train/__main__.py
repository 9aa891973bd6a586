"""`python -m models.train`: makes the bundled encoder, stage by stage; finished stages are skipped, broken ones resume.

    1. prepare-text    tokenizer; teacher embeddings of all texts          prepare_text.py, texts.py, teacher.py
    2. prepare-images  pixels and words as arrays                          pictures.py
    3. prepare-parts   synthetic parts: drawings, renderings, captions     parts.py, cmrcli/samples
       label-scores    what the frozen label networks say                  label_scores.py, label_words.py
    4. distil-text     the text tower                                      distil.py, text_tower.py
    5. fit-image       the learned part of the image tower, continuing     fit_image.py, image_tower.py, augment.py,
                       from the released encoder (--fresh: from its start) released.py
    6. export          two ONNX files, tokenizer and model.toml            export.py, compress.py
    7. evaluate        figures on the reporting half of dev, speed         evaluate.py, rival.py
    8. card            CARD.md from the figures of all stages              card.py

Needs the packages of `requirements.txt` and the training data in `../shared/data` (or in $CMRCLI_TRAINING_DATA). What
the stages make lies in `models/train/out/`; delete a stage's result there to run it again. Set OMP_NUM_THREADS to
the cores that may be used; `python -m models.train.distil` and so on run one stage. `python -m models.train.other_cpu`
compares the vectors with those of an emulated older CPU, and `python -m cmrcli.encoders.selftest --write models/NAME`
records the golden vectors: both by hand, after looking at the figures.
"""

from models.train import (
    card,
    distil,
    evaluate,
    export,
    fit_image,
    label_scores,
    parts,
    pictures,
    prepare_text,
)  # fmt: skip
from models.train.workspace import OUT


def main() -> None:
    """All stages in order."""
    OUT.mkdir(exist_ok=True)
    prepare_text.run()
    pictures.prepare("dev", pictures.SIZE)
    pictures.prepare("train", pictures.LEARNED_SIZE)
    label_scores.run()
    parts.run()
    distil.run()
    fit_image.run()
    export.run()
    evaluate.run()
    card.run()


main()

"""`python -m models.train`: makes the bundled encoder, stage by stage; finished stages are skipped, broken ones resume.

    1. prepare-text    tokenizer; teacher embeddings of all texts          prepare_text.py, texts.py, teacher.py
    2. prepare-images  pixels and words as arrays                          pictures.py
    3. prepare-parts   synthetic parts: drawings, renderings, captions     parts.py, cmrcli/samples
    4. distil-text     the text tower                                      distil.py, text_tower.py
    5. fit-labels      the label networks at the encoder's image size      fit_labels.py, label_words.py
    6. fit-image       the learned part of the image tower                 fit_image.py, examples.py, image_tower.py,
       plain           the baseline, and second teacher                    augment.py, plain.py
       distil-image    what both know, taught to the learned part          distil_image.py
       curves          how quality grew with their steps                   curves.py
    7. export          two ONNX files, tokenizer and model.toml            export.py, compress.py, fold.py
    8. evaluate        figures on the reporting half of dev, speed         evaluate.py, label_scores.py, rival.py
    9. card            CARD.md from the figures of all stages              card.py

With `--images` the released text tower stays as it is: stages 1 (but the words of the images) and 4 are left out. The
image stages use a GPU where there is one; without one they take days, or fewer steps ($CMRCLI_TRAIN_STEPS,
$CMRCLI_TRAIN_LABEL_STEPS).

Needs the packages of `requirements.txt` and the training data in `../shared/data` (or in $CMRCLI_TRAINING_DATA). What
the stages make lies in `models/train/out/`; delete a stage's result there to run it again. Set OMP_NUM_THREADS to
the cores that may be used; `python -m models.train.distil` and so on run one stage. `python -m models.train.other_cpu`
compares the vectors with those of an emulated older CPU, `python -m models.train.choose` weighs the choices again, and
`python -m cmrcli.encoders.selftest --write models/NAME` records the golden vectors: all by hand.
"""

from models.train import (
    card,
    curves,
    distil,
    distil_image,
    evaluate,
    export,
    fit_image,
    fit_labels,
    parts,
    pictures,
    plain,
    prepare_text,
    released,
)  # fmt: skip
from models.train.workspace import OUT


def main() -> None:
    """All stages in order."""
    OUT.mkdir(exist_ok=True)
    if not released.images_only():
        prepare_text.run()
    pictures.prepare("dev", pictures.SIZE)
    pictures.prepare("train", pictures.STORED)
    parts.run()
    if not released.images_only():
        distil.run()
    fit_labels.run()
    fit_image.run()
    plain.run()
    distil_image.run()
    curves.run("labels", "image", "plain", "both")
    export.run()
    evaluate.run()
    card.run()


main()

"""Stages `teacher` and `prepare-text`: the teacher's embedding of every training text, and the tokenizer."""

import json

import numpy as np

from models.train import teacher, tokenizer
from models.train.texts import Texts, read_texts
from models.train.workspace import OUT, note, stage


def embed_all() -> Texts:
    """Embeds the training texts that have no embedding yet; quick when the lexicon alone has grown."""
    with stage("teacher"):
        texts = read_texts()
        teacher.embed_once(_english(texts) + _pair_english(texts))
    return texts


def run() -> None:
    """Writes `tokenizer.json`, `texts.json` and `teacher-*.npy`; kept when they are there."""
    if (OUT / "texts-done").exists():
        return
    texts = embed_all()
    with stage("prepare-text"):
        japanese = [pair[1] for pair in texts.pairs]
        lexicon = [pair[1] for pair in texts.lexicon_pairs]
        if lexicon:  # as loud as all other Japanese: its words are what users type
            japanese += lexicon * max(1, len(japanese) // len(lexicon))
        english, wanted = _english(texts), _pair_english(texts)
        built = tokenizer.build(english, japanese, teacher.tokenizer(), OUT / "tokenizer.json")
        (OUT / "texts.json").write_text(json.dumps({
            "english": english, "pair_english": wanted, "pairs": texts.pairs, "lexicon_pairs": texts.lexicon_pairs,
            "held_english": texts.held_english, "held_pairs": texts.held_pairs,
        }, ensure_ascii=False))  # fmt: skip
        np.save(OUT / "teacher-held-english.npy", teacher.embed(texts.held_english, half=False))
        np.save(OUT / "teacher-held-pairs.npy", teacher.embed([pair[0] for pair in texts.held_pairs], half=False))
        np.save(OUT / "teacher-pair-english.npy", teacher.embed_once(wanted))
        np.save(OUT / "teacher-english.npy", teacher.embed_once(english))
        note(
            "prepare-text", vocabulary=built.get_vocab_size(), english=len(english), pairs=len(texts.pairs),
            lexicon_pairs=len(texts.lexicon_pairs),
        )  # fmt: skip
        (OUT / "texts-done").touch()


def _english(texts: Texts) -> list[str]:
    """The English texts, and every whole word of the teacher's vocabulary: queries are often one word."""
    words = [word for word in teacher.tokenizer().get_vocab() if word.isascii() and word.isalpha() and len(word) > 2]
    return list(dict.fromkeys([*texts.english, *sorted(words)]))


def _pair_english(texts: Texts) -> list[str]:
    return list(dict.fromkeys(pair[0] for pair in texts.pairs + texts.lexicon_pairs))


if __name__ == "__main__":
    run()

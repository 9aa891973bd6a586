"""The bilingual tokenizer: the teacher's most used English word pieces and Japanese ones learned here.

Keeping the teacher's own pieces lets the student start from the teacher's embedding table, row by row. Japanese is cut
where the script changes (kanji, hiragana, katakana), then into the longest known pieces; a WordPiece file loads several
times faster than a Unigram model of the same size, and every search pays for that.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from models.train.workspace import CONTEXT

ENGLISH_PIECES = 19_000
JAPANESE_PIECES = 9_000
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
SCRIPT_RUNS = "[\u3041-\u309f]+|[\u30a0-\u30ff]+|[\u3400-\u9fff\u3005\u3006]+"


def build(english: Iterable[str], japanese: Iterable[str], teacher: Tokenizer, path: Path) -> Tokenizer:
    """Chooses the vocabulary, writes `tokenizer.json` and returns the tokenizer."""
    english_pieces = _english_pieces(english, teacher)
    japanese_pieces = _japanese_pieces(list(japanese))
    vocabulary = dict.fromkeys((*SPECIAL, *english_pieces, *japanese_pieces))
    tokenizer = _empty({piece: number for number, piece in enumerate(vocabulary)})
    ids = tokenizer.get_vocab()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")]
    )
    tokenizer.enable_truncation(CONTEXT)
    tokenizer.save(str(path), pretty=False)
    return tokenizer


def is_japanese(piece: str) -> bool:
    """Whether a word piece contains a Japanese letter or punctuation mark."""
    return any("\u3001" <= letter <= "\u9fff" for letter in piece)


def _empty(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=64))
    # Accents are dropped as the teacher drops them, but not the voicing marks of kana, which NFKD splits off as well.
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKD(),
        normalizers.Replace(Regex("[\u0300-\u036f]"), ""),
        normalizers.NFC(),
        normalizers.Lowercase(),
    ])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.BertPreTokenizer(),
        pre_tokenizers.Split(Regex(SCRIPT_RUNS), "isolated"),
    ])  # fmt: skip
    return tokenizer


def _english_pieces(texts: Iterable[str], teacher: Tokenizer) -> list[str]:
    counts: Counter[str] = Counter()
    for encoding in teacher.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.tokens)
    known = [piece for piece in teacher.get_vocab() if not piece.startswith("[") and not is_japanese(piece)]
    # Single characters come first, so that no word of Latin or Greek letters is ever unknown.
    single = [piece for piece in known if len(piece.removeprefix("##")) == 1 and piece.removeprefix("##") < "\u0500"]
    frequent = sorted(known, key=lambda piece: (-counts[piece], piece))
    return list(dict.fromkeys(single + frequent))[:ENGLISH_PIECES]


def _japanese_pieces(texts: list[str]) -> list[str]:
    """Every letter seen, word-initial and not, then the most useful longer pieces."""
    tokenizer = _empty({"[UNK]": 0})
    letters: Counter[str] = Counter()
    for text in texts:
        letters.update(letter for letter in tokenizer.normalizer.normalize_str(text) if is_japanese(letter))
    trainer = trainers.WordPieceTrainer(vocab_size=JAPANESE_PIECES, min_frequency=3, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    learned = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    longer = [piece for piece, _ in learned if is_japanese(piece) and len(piece.removeprefix("##")) > 1]
    often = [letter for letter, count in letters.most_common() if count >= 2]
    return list(dict.fromkeys(often + ["##" + letter for letter in often] + longer))[:JAPANESE_PIECES]

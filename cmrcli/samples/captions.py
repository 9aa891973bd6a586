"""Sentences about a part, in English and Japanese, from its names, material and facts."""

from collections.abc import Sequence
from random import Random

from cmrcli.samples.design import Fact
from cmrcli.samples.finishes import Material


def caption_en(names: Sequence[str], material: Material | None, facts: Sequence[Fact], number: str, rng: Random) -> str:
    """One English phrase or sentence; short ones are as frequent as long ones, as queries are.

    A diagram has no material; what says "with" or counts something may follow "with", the rest follows commas.
    """
    name = names[0] if rng.random() < 0.6 else rng.choice(names)
    a = "an" if name[0].lower() in "aeio" or name[:2] in ("L-", "H-", "F-") else "a"
    some = [f[0] for f in rng.sample(list(facts), min(len(facts), rng.randint(1, 3)))]
    listed = ", ".join(some)
    things = [f.removeprefix("with ") for f in some if f.startswith("with ") or any(c.isdigit() for c in f)]
    rest = "".join(f", {f}" for f in some if not (f.startswith("with ") or any(c.isdigit() for c in f)))
    joined = " and ".join([*([", ".join(things[:-1])] if things[1:] else []), *things[-1:]])
    having = f"{name} with {joined}{rest}" if things else f"{name}{rest}"
    phrases = [name, name, f"{a} {name}", having, f"{a} {having}", f"{name}, {listed}", f"drawing of {a} {name}"]
    phrases += [f"{number} {name}", f"part {number}: {name}, {listed}"]
    if material is not None:
        made = rng.choice((material.en, material.code))
        phrases += [f"{made} {name}", f"{made} {having}", f"{name} made of {made}, {listed}", f"{a} {name} in {made}"]
        phrases += [f"{name}, material {material.code}, {listed}"]
    return rng.choice(phrases)


def caption_ja(names: Sequence[str], material: Material | None, facts: Sequence[Fact], number: str, rng: Random) -> str:
    """One Japanese phrase or sentence."""
    name = names[0] if rng.random() < 0.6 else rng.choice(names)
    listed = "、".join(f[1] for f in rng.sample(list(facts), min(len(facts), rng.randint(1, 3))))
    phrases = [name, name, f"{name}の図面", f"{listed}の{name}", f"{name}({listed})", f"{name}、{listed}です。"]
    phrases += [f"図番{number} {name}"]
    if material is not None:
        made = rng.choice((material.ja, material.code))
        phrases += [f"{made}製{name}", f"{made}の{name}、{listed}", f"材質{material.code}の{name}"]
        phrases += [f"材質{material.code}の{name}、{listed}", f"{name} {material.code} {listed}"]
    return rng.choice(phrases)

"""The committed split lists: which boards were used for what."""

import pathlib

SPLITS = pathlib.Path(__file__).parent / "splits"


def ids_of(split, part):
    """Ids of a list (`train`, `validation`, `held-out`): one a line, `#` starts a comment."""
    lines = (line.split("#")[0].strip() for line in (SPLITS / split / f"{part}.txt").read_text().splitlines())
    return [line for line in lines if line]


def boards_of(deeppcb, split, part):
    """The boards of a list, out of the whole data set."""
    index = {name: i for i, name in enumerate(deeppcb.ids)}
    return deeppcb.select([index[name] for name in ids_of(split, part)])

"""Writes splits/NAME/{train,validation,held-out}.txt for the three ways of holding boards out.

A family is the id's first five digits (one board design). Random splits flatter: neighbouring crops
of one design are nearly the same picture, so two of the splits hold whole families out. Run once; the
lists are committed.
"""

import argparse
import pathlib
import random

SEED = 20240607
HELD_OUT_FAMILIES = {"families-a": ("44000", "50600", "77000"), "families-b": ("13000", "92000")}
RANDOM_HELD_OUT_BOARDS = 200
VALIDATION_BOARDS = 75


def write(name, held_out, why, ids, rng):
    rest = [board for board in ids if board not in held_out]
    validation = set(rng.sample(rest, VALIDATION_BOARDS))
    folder = pathlib.Path(__file__).parent / "splits" / name
    folder.mkdir(parents=True, exist_ok=True)
    for part, members, comment in (
        ("held-out", held_out, why),
        ("validation", validation, "boards of the trained families, only for choosing the verdict threshold"),
        ("train", [board for board in rest if board not in validation], "everything else"),
    ):
        (folder / f"{part}.txt").write_text(f"# {comment}\n" + "\n".join(sorted(members)) + "\n")
        print(name, part, len(members))


parser = argparse.ArgumentParser()
parser.add_argument("--deeppcb", required=True)
ids = sorted(path.stem for path in (pathlib.Path(parser.parse_args().deeppcb) / "boards").iterdir())
for split, families in HELD_OUT_FAMILIES.items():
    held_out = {board for board in ids if board[:5] in families}
    write(split, held_out, f"families {', '.join(families)}: never trained on", ids, random.Random(SEED))
rng = random.Random(SEED)
write("random", set(rng.sample(ids, RANDOM_HELD_OUT_BOARDS)), "boards of all families: never trained on", ids, rng)

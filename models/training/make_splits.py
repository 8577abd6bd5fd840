"""Writes splits/*.txt: three whole families held out, 75 boards of the others for the threshold.

A family is the id's first five digits (one board design). Random splits flatter: neighbouring crops
of one design are nearly the same picture. Run once; the lists are committed.
"""

import argparse
import pathlib
import random

HELD_OUT_FAMILIES = ("44000", "50600", "77000")
VALIDATION_BOARDS = 75

parser = argparse.ArgumentParser()
parser.add_argument("--deeppcb", required=True)
ids = sorted(path.stem for path in (pathlib.Path(parser.parse_args().deeppcb) / "boards").iterdir())
held_out = [name for name in ids if name[:5] in HELD_OUT_FAMILIES]
rest = [name for name in ids if name[:5] not in HELD_OUT_FAMILIES]
validation = sorted(random.Random(20240607).sample(rest, VALIDATION_BOARDS))
chosen = set(validation)
splits = pathlib.Path(__file__).parent / "splits"
splits.mkdir(exist_ok=True)
for name, members, why in (
    ("held-out", held_out, "families 44000, 50600 and 77000: never trained on; the gate"),
    ("validation", validation, "boards of the trained families, only for choosing the verdict threshold"),
    ("train", [name for name in rest if name not in chosen], "everything else"),
):
    (splits / f"{name}.txt").write_text(f"# {why}\n" + "\n".join(members) + "\n")
    print(name, len(members))

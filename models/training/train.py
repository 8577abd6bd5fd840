"""Trains a detector on one CPU thread. Stops and resumes at any time: run the same command again.

  python3 train.py --network pair --split families-a --deeppcb DIR [--synthetic DIR] --out DIR --steps N
"""

import argparse
import pathlib
import os
import time

import numpy as np
import torch

import board_folder
from augment import CROP_PX, RECIPES, training_crop
from marks import cut_marks
from network import NETWORKS, STRIDE_PX, DefectNet, ExportedDetector
from scoring import best_threshold, mean_average_precision, score_at
from splits import boards_of
from targets import encode, focal_loss, iou_loss

BATCH = 8
LEARNING_RATE = 3e-3
WARMUP_STEPS = 200
EMA_DECAY = 0.999
CHECKPOINT_EVERY = 500


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=NETWORKS, default="pair")
    parser.add_argument("--split", default="random", help="a folder of splits/")
    parser.add_argument("--deeppcb", required=True)
    parser.add_argument("--synthetic", help="board folder written by the TypeScript generator")
    parser.add_argument("--synthetic-share", type=float, default=0.3)
    parser.add_argument("--out", required=True, help="checkpoints and caches")
    parser.add_argument("--init", help="weights to start from instead of random ones")
    parser.add_argument("--steps", type=int, default=24000)
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--evaluate-every", type=int, default=4000)
    return parser.parse_args()


def learning_rate(step, steps, peak):
    if step < WARMUP_STEPS:
        return peak * (step + 1) / WARMUP_STEPS
    share = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return peak * max(0.005, 0.5 * (1 + np.cos(np.pi * share)))


def detect(network, folder):
    """Detections [100, 6] per board of a folder, at full size."""
    served = ExportedDetector(network).eval()
    found = []
    with torch.no_grad():
        for i in range(len(folder)):
            images = torch.from_numpy(board_folder.to_input(*folder.pair(i)))[None].contiguous(memory_format=torch.channels_last)
            found.append(served(images)[0].numpy())
    return found


def evaluate(network, sets):
    network.eval()
    report = []
    validation = detect(network, sets["validation"])
    threshold = best_threshold(validation, sets["validation"].boxes)
    for name, folder in sets.items():
        found = validation if name == "validation" else detect(network, folder)
        mean, values = mean_average_precision(found, folder.boxes)
        precision, recall, f = score_at(found, folder.boxes, threshold)
        per_class = " ".join(f"{v:.3f}" for v in values)
        report.append(f"  {name}: mAP={mean:.4f} F={f:.4f} precision={precision:.4f} recall={recall:.4f} [{per_class}]")
    return threshold, "\n".join(report)


def batch_at(step, seed, sources, shares, recipe, marks):
    """The batch of a step depends on seed and step only, so that a resumed run sees the same ones."""
    rng = np.random.default_rng([seed, step])
    planes, boxes = [], []
    for _ in range(BATCH):
        folder = sources[rng.choice(len(sources), p=shares)]
        image, found = training_crop(rng, folder, int(rng.integers(len(folder))), recipe, marks)
        planes.append(image)
        boxes.append(found)
    images = torch.from_numpy(np.stack(planes)).float().div_(255)
    return images.contiguous(memory_format=torch.channels_last), boxes


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    deeppcb = board_folder.load(args.deeppcb, out / "cache")
    pick = lambda part: boards_of(deeppcb, args.split, part)
    sets = {"validation": pick("validation"), "held-out": pick("held-out")}
    sources, shares = [pick("train")], [1.0]
    if args.synthetic:
        synthetic = board_folder.load(args.synthetic, out / "cache")
        # The last tenth is only looked at: parts are numbered in order, so its parts are unseen.
        cut = len(synthetic) * 9 // 10
        sets["synthetic"] = synthetic.select(list(range(cut, len(synthetic)))[:150])
        sources.append(synthetic.select(list(range(cut))))
        shares = [1 - args.synthetic_share, args.synthetic_share]
    print(f"train on {[len(s) for s in sources]} boards, look at { {k: len(v) for k, v in sets.items()} }", flush=True)

    marks = cut_marks(sources[0])
    network = DefectNet(args.network).to(memory_format=torch.channels_last)
    average = DefectNet(args.network).to(memory_format=torch.channels_last)
    if args.init:
        network.load_state_dict(torch.load(args.init)["average"])
    average.load_state_dict(network.state_dict())
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0.0}], lr=args.learning_rate
    )
    checkpoint = out / "checkpoint.pt"
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        first = saved["step"]
        print(f"resumed at step {first}", flush=True)

    losses, cpu = [], time.process_time()
    for step in range(first, args.steps):
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.learning_rate)
        images, boxes = batch_at(step, args.seed, sources, shares, RECIPES[args.network], marks)
        heat, target, weight = encode(boxes, CROP_PX // STRIDE_PX)
        with torch.autocast("cpu", torch.bfloat16):
            logits, distances = network(images)
        focal, iou = focal_loss(logits.float(), heat), iou_loss(distances.float(), target, weight)
        optimiser.zero_grad(set_to_none=True)
        (focal + 2 * iou).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        # Early on the average must follow quickly, or it would still hold the random start.
        decay = min(EMA_DECAY, (1 + step) / (10 + step))
        with torch.no_grad():
            for mine, theirs in zip(average.state_dict().values(), network.state_dict().values()):
                mine.mul_(decay).add_(theirs, alpha=1 - decay) if mine.is_floating_point() else mine.copy_(theirs)
        losses.append((focal.item(), iou.item()))
        done = step + 1
        if done % 200 == 0:
            mean = np.mean(losses[-200:], axis=0)
            print(f"step {done} focal={mean[0]:.4f} iou={mean[1]:.4f} cpu_s={time.process_time() - cpu:.0f}", flush=True)
        if done % CHECKPOINT_EVERY == 0 or done == args.steps:
            state = {"network": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(), "step": done}
            torch.save(state, out / "checkpoint.tmp")
            os.replace(out / "checkpoint.tmp", checkpoint)
        if done % args.evaluate_every == 0 or done == args.steps:
            threshold, report = evaluate(average, sets)
            print(f"step {done} threshold={threshold}\n{report}", flush=True)


if __name__ == "__main__":
    main()

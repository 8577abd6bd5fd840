"""The detectors: CenterNet-style networks on a stride-8 map, one for pairs, one for single images.

Input: [B, 3, H, W], values 0..1: the board, its golden template (zero without one), and their
absolute difference (zero without a template). Output while training: class logits [B, 6, H/8, W/8]
and distances from the cell centre to the box sides [B, 4, H/8, W/8], in pixels.
"""

from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F

STRIDE_PX = 8
CLASSES = ["open", "short", "mousebite", "spur", "spurious_copper", "pin_hole"]
# Top-100 keeps the output rectangular over a batch; the densest training board has 15 defects.
DETECTIONS_MAX = 100


def conv(inputs, outputs, kernel, stride, padding):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """x + conv(x): one 3 x 3 convolution, so that a stage costs little on a CPU."""

    def __init__(self, channels):
        super().__init__()
        self.body = conv(channels, channels, 3, 1, 1)

    def forward(self, x):
        return x + self.body(x)


@dataclass(frozen=True)
class Shape:
    """Sizes of a network: image planes it looks at, channels at strides 4 to 32, residuals at strides 8 to 32."""

    planes: int
    widths: tuple
    residuals: tuple


# Without a template the network has to know what belongs on a board: more channels, a wider view.
NETWORKS = {
    "pair": Shape(planes=3, widths=(32, 40, 72, 112), residuals=(1, 1, 1)),
    "single": Shape(planes=1, widths=(32, 48, 96, 144), residuals=(2, 1, 2)),
}


class DefectNet(nn.Module):
    """`DefectNet("pair")` or `DefectNet("single")`; both take [B, 3, H, W], the latter reads plane 0 only."""

    def __init__(self, network="pair", head=64):
        super().__init__()
        shape = NETWORKS[network]
        w4, w8, w16, w32 = shape.widths
        self.planes = shape.planes
        self.stem = conv(shape.planes, w4, 6, 4, 1)
        self.stage8, self.stage16, self.stage32 = (
            nn.Sequential(conv(inputs, outputs, 3, 2, 1), *(Residual(outputs) for _ in range(count)))
            for inputs, outputs, count in zip((w4, w8, w16), (w8, w16, w32), shape.residuals)
        )
        self.lateral32 = nn.Conv2d(w32, w16, 1)
        self.lateral16 = nn.Conv2d(w16, w8, 1)
        # Depthwise, then pointwise: at stride 8 a full 3 x 3 would cost more than any stage.
        self.neck = nn.Sequential(
            nn.Conv2d(w8, w8, 3, 1, 1, groups=w8, bias=False), nn.BatchNorm2d(w8), conv(w8, head, 1, 1, 0)
        )
        self.centre = nn.Conv2d(head, len(CLASSES), 1)
        self.distance = nn.Conv2d(head, 4, 1)
        # Start from "nothing here" (p = 0.01): otherwise the first steps only unlearn noise.
        nn.init.constant_(self.centre.bias, -4.6)
        nn.init.constant_(self.distance.bias, 2.7)

    def forward(self, x):
        x8 = self.stage8(self.stem(x[:, : self.planes]))
        x16 = self.stage16(x8)
        x32 = self.stage32(x16)
        x16 = x16 + F.interpolate(self.lateral32(x32), scale_factor=2.0, mode="nearest")
        x8 = x8 + F.interpolate(self.lateral16(x16), scale_factor=2.0, mode="nearest")
        features = self.neck(x8)
        return self.centre(features), torch.exp(self.distance(features).clamp(-2.0, 6.0))


class ExportedDetector(nn.Module):
    """The served graph: network, peak suppression, top-100, boxes. [B,3,640,640] -> [B,100,6]."""

    def __init__(self, network, side_px=640):
        super().__init__()
        self.network = network
        cells = side_px // STRIDE_PX
        centres = (torch.arange(cells, dtype=torch.float32) + 0.5) * STRIDE_PX
        ys, xs = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("origin", torch.stack([xs, ys, xs, ys]).reshape(1, 4, -1))
        self.register_buffer("sign", torch.tensor([-1.0, -1.0, 1.0, 1.0]).reshape(1, 4, 1))
        self.side_px = float(side_px)
        self.cells = cells * cells

    def forward(self, images):
        logits, distances = self.network(images)
        heat = torch.sigmoid(logits)
        peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).to(heat.dtype)
        flat = peaks.flatten(1)
        scores, index = torch.topk(flat, DETECTIONS_MAX, dim=1)
        # In floats (exact up to 2^24): the exporter spells integer division out in ten operators.
        class_id = torch.floor((index.to(heat.dtype) + 0.5) / self.cells)
        cell = index - class_id.to(torch.int64) * self.cells
        boxes = (self.origin + self.sign * distances.flatten(2)).clamp(0.0, self.side_px)
        chosen = torch.gather(boxes, 2, cell.unsqueeze(1).expand(-1, 4, -1)).transpose(1, 2)
        return torch.cat([chosen, scores.unsqueeze(2), class_id.unsqueeze(2)], 2)

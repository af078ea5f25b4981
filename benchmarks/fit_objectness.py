"""Learn the parameters of Objectness from pictures with boxes around the objects.

    python -m benchmarks.fit_objectness --backgrounds PHOTOS -o parameters.npz
    python -m benchmarks.fit_objectness --voc ANNOTATIONS IMAGES -o parameters.npz
    python -m benchmarks.fit_objectness --coco INSTANCES.json IMAGES -o parameters.npz

The first form learns from procedural scenes (`objectness_scenes.py`), as for the parameters of the
package. It follows section 4 of Alexe, Deselaers & Ferrari (PAMI 2012). The thresholds of MS are
those whose windows cover the objects best; the thresholds of CC, SS and ED are those that make
windows on objects most probable. The likelihoods are smoothed histograms of the scores.
"""

from __future__ import annotations

import argparse
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.objectness_scenes import scenes
from emomap.vision import cues
from emomap.vision.bayes import BINS
from emomap.vision.filters import round_half_up
from emomap.vision.histograms import straddling
from emomap.vision.windows import sample_windows

SCALES = (16, 24, 32, 48, 64)
GRID = {
    "MS": tuple(np.arange(0.1, 0.65, 0.05).round(2).tolist()),
    "CC": (25.0, 50.0, 75.0, 100.0, 150.0),
    "SS": (250.0, 450.0, 600.0, 800.0, 1100.0, 1500.0),
    "ED": (4.0, 6.0, 8.0, 12.0, 17.0),
}
#: Windows drawn from each picture, at all scales and colours together.
WINDOWS = 3000
#: Pictures that the thresholds are chosen on; the likelihoods use all pictures.
TUNING = 80
#: Longer side that larger pictures are shrunk to, as for the recorded values of the original.
LONGEST = 400

Boxes = NDArray[np.float64]
Picture = tuple[NDArray[np.uint8], Boxes]


def read_voc(annotations: Path, images: Path) -> Iterator[Picture]:
    """Pictures of a folder of VOC annotations (xml); boxes are 1-based there."""
    for path in sorted(annotations.glob("*.xml")):
        root = ElementTree.parse(path).getroot()
        boxes = [
            [float(box.findtext(name, "nan")) - 1 for name in ("xmin", "ymin", "xmax", "ymax")]
            for box in root.iterfind("object/bndbox")
        ]
        yield from _picture(images / root.findtext("filename", f"{path.stem}.jpg"), boxes)


def read_coco(instances: Path, images: Path) -> Iterator[Picture]:
    """Pictures of a COCO instances file; boxes are x, y, width, height; crowds are skipped."""
    content = json.loads(instances.read_text())
    boxes: dict[int, list[list[float]]] = {}
    for one in content["annotations"]:
        if not one.get("iscrowd"):
            x, y, width, height = one["bbox"]
            boxes.setdefault(one["image_id"], []).append([x, y, x + width - 1, y + height - 1])
    for entry in content["images"]:
        yield from _picture(images / entry["file_name"], boxes.get(entry["id"], []))


def _picture(path: Path, boxes: Sequence[Sequence[float]]) -> Iterator[Picture]:
    if not boxes:
        return
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    scale = min(1.0, LONGEST / max(image.size))
    if scale < 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS)
    corners = np.asarray(boxes, dtype=np.float64)
    corners[:, 2:] += 1
    corners *= scale
    corners[:, 2:] -= 1
    yield np.asarray(image), corners


def overlaps(windows: Boxes, boxes: Boxes) -> NDArray[np.float64]:
    """(n, m) intersection over union of inclusive boxes."""
    left = np.maximum(windows[:, None, :2], boxes[None, :, :2])
    right = np.minimum(windows[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(right - left + 1, 0, None).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2] + 1).prod(axis=1) for b in (windows, boxes)]
    return np.asarray(shared / (areas[0][:, None] + areas[1] - shared))


def draw(
    image: NDArray[np.uint8], scale: int, theta: float, count: int, seed: int
) -> tuple[Boxes, NDArray[np.float64]]:
    """Windows in pixels that MS draws at one scale, as Objectness does, and their scores."""
    height, width = image.shape[:2]
    smallest = (
        max(2, round_half_up(10 * scale / height)),
        max(2, round_half_up(10 * scale / width)),
    )
    rng = np.random.default_rng(seed)
    drawn = [sample_windows(m, theta, smallest, count, rng) for m in cues.ms_maps(image, scale)]
    step = np.array([width, height, width, height]) / scale
    boxes = np.concatenate([found for found, _ in drawn])
    return (boxes + 1) * step - 1, np.concatenate([score for _, score in drawn])


def choose_ms(pictures: Sequence[Picture]) -> tuple[float, ...]:
    """For each scale, the threshold whose windows cover the objects best."""
    best = []
    for scale in SCALES:
        gains = np.zeros(len(GRID["MS"]))
        for seed, (image, boxes) in enumerate(tqdm(pictures, desc=f"MS, scale {scale}")):
            for k, theta in enumerate(GRID["MS"]):
                windows, _ = draw(image, scale, theta, 100, seed)
                if len(windows):
                    gains[k] += overlaps(windows, boxes).max(axis=0).sum()
        best.append(float(GRID["MS"][int(gains.argmax())]))
        print(f"scale {scale}:", dict(zip(GRID["MS"], gains.round(1).tolist(), strict=True)))
    return tuple(best)


@dataclass
class Judged:
    """Windows of one picture, whether each frames an object, and their MS scores."""

    image: NDArray[np.uint8]
    windows: NDArray[np.int64]
    positive: NDArray[np.bool_]
    strength: NDArray[np.float64]
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def judge(picture: Picture, thetas: Sequence[float], seed: int) -> Judged:
    """Draw windows at all scales; one is positive if it overlaps an object by more than half."""
    image, boxes = picture
    share = WINDOWS // (3 * len(SCALES))
    drawn = [
        draw(image, scale, theta, share, seed) for scale, theta in zip(SCALES, thetas, strict=True)
    ]
    windows = np.concatenate([found for found, _ in drawn])
    positive = (overlaps(windows, boxes) > 0.5).any(axis=1)
    limits = np.array([image.shape[1], image.shape[0]] * 2) - 1
    pixels = np.clip(np.floor(windows + 0.5), 0, limits).astype(np.int64)
    return Judged(image, pixels, positive, np.concatenate([score for _, score in drawn]))


SCORE: dict[str, Callable[[Judged, float], NDArray[np.float64]]] = {
    "CC": lambda one, theta: cues.color_contrast(one.image, one.windows, theta),
    "SS": lambda one, theta: straddling(cues.superpixels(one.image, theta), one.windows),
    "ED": lambda one, theta: cues.edge_density(one.image, one.windows, theta),
}


def table(cue: str, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Boxes:
    """Frequency of each bin on objects and on background, (2, bins).

    The histograms are smoothed by a Gaussian on the axis sqrt(bin), on which scores are about
    evenly spread. A hundredth of a count is added to each bin, so that no bin is impossible.
    """
    factor, bins = BINS[cue]
    index = np.clip(np.ceil(factor * scores + 0.5), 1, bins).astype(np.int64) - 1
    axis = np.sqrt(np.arange(bins) + 0.5)
    kernel = np.exp(-((axis[:, None] - axis) ** 2) / (2 * (0.015 * axis[-1]) ** 2))
    kernel /= kernel.sum(axis=0)
    rows = [
        kernel @ np.bincount(index[chosen], minlength=bins) + 0.01
        for chosen in (positive, ~positive)
    ]
    return np.stack([row / row.sum() for row in rows])


def choose(cue: str, judged: Sequence[Judged], prior: float) -> float:
    """The threshold that makes the windows on objects most probable by this cue alone."""
    positive = np.concatenate([one.positive for one in judged])
    gains = {}
    for theta in GRID[cue]:
        scores = np.concatenate([SCORE[cue](one, theta) for one in tqdm(judged, desc=cue)])
        likelihood = table(cue, scores, positive)
        odds = prior * likelihood[0] / (prior * likelihood[0] + (1 - prior) * likelihood[1])
        factor, bins = BINS[cue]
        index = np.clip(np.ceil(factor * scores + 0.5), 1, bins).astype(np.int64) - 1
        gains[theta] = float(np.log(odds[index[positive]]).mean())
    print(cue, {theta: round(gain, 4) for theta, gain in gains.items()})
    return max(gains, key=lambda theta: gains[theta])


def fit(pictures: Sequence[Picture], source: str) -> dict[str, NDArray[np.generic]]:
    """All parameters, under the names that `emomap.vision.bayes.Parameters` reads."""
    theta_ms = choose_ms(pictures[:TUNING])
    judged = [judge(p, theta_ms, seed) for seed, p in enumerate(tqdm(pictures, desc="windows"))]
    positive = np.concatenate([one.positive for one in judged])
    prior = float(positive.mean())
    print(f"{len(pictures)} pictures, {len(positive)} windows, {prior:.4f} of them on objects")
    values: dict[str, NDArray[np.generic]] = {
        "prior": np.array(prior),
        "scales": np.array(SCALES),
        "theta_MS": np.array(theta_ms),
        "likelihood_MS": table("MS", np.concatenate([one.strength for one in judged]), positive),
        "source": np.array(source),
    }
    for cue in ("CC", "SS", "ED"):
        theta = choose(cue, judged[:TUNING], prior)
        scores = np.concatenate([SCORE[cue](one, theta) for one in tqdm(judged, desc=cue)])
        values[f"theta_{cue}"] = np.array(theta)
        values[f"likelihood_{cue}"] = table(cue, scores, positive)
    return values


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--voc", nargs=2, type=Path, metavar=("ANNOTATIONS", "IMAGES"))
    given.add_argument("--coco", nargs=2, type=Path, metavar=("JSON", "IMAGES"))
    given.add_argument(
        "--backgrounds",
        type=Path,
        metavar="PHOTOS",
        help="make procedural scenes, with these as backgrounds",
    )
    parser.add_argument(
        "--pictures", type=int, default=400, help="largest number of pictures [%(default)s]"
    )
    parser.add_argument(
        "--seed", type=int, default=20261123, help="random seed of the scenes [%(default)s]"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="the npz file to write")
    arguments = parser.parse_args()
    if arguments.voc:
        found, source = read_voc(*arguments.voc), f"VOC annotations {arguments.voc[0].name}"
    elif arguments.coco:
        found, source = read_coco(*arguments.coco), f"COCO annotations {arguments.coco[0].name}"
    else:
        found = scenes(arguments.backgrounds, arguments.seed)
        source = f"procedural scenes of benchmarks/objectness_scenes.py, seed {arguments.seed}"
    pictures = [picture for picture, _ in zip(found, range(arguments.pictures), strict=False)]
    if not pictures:
        parser.error("no picture with a box was found")
    np.savez_compressed(arguments.out, **fit(pictures, source))


if __name__ == "__main__":
    main()

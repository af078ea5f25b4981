"""The embedded data set `demo`: procedural scenes with a schematic face and simulated gaze.

Needs no download and no licence. Each scene has one face (the stimulus), one or two foils (discs
with the same parts, scrambled and turned), and several distractors of high contrast. Only the
configuration of the face's parts shows its emotion: colour, layout and number of parts do not. The
simulated observers are told to look at the face, so the set checks the pipeline and is no evidence
about people.

The set is written once, in the neutral layout of `emomap.data.layouts.neutral`. Its objects are
outlined: the face is emotional, foils and distractors are neutral. For tests, ``boxes.csv`` beside
it has the true place of the stimulus; nothing that trains reads it.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from emomap import parallel
from emomap.data.outlines import outlines_of, write_outlines
from emomap.errors import EmomapError, UsageError
from emomap.progress import track
from emomap.sample import (
    EMOTIONS,
    SPLITS,
    Dataset,
    Gaze,
    Outline,
    Sample,
    Sentiment,
    Split,
)

#: Part of the folder's name. Raise it when the pictures or the gaze change.
VERSION = 3
#: Side of the square pictures, in pixels.
SIDE = 160
#: Standard deviation of the Gaussian that turns fixations into a density, in pixels.
SIGMA = 8.0
OBSERVERS = 15
#: Share of the observers who look at the face before anything else, if they look at it at all.
FACE_FIRST = 0.8
#: The emotion prioritisation that the observers are built with, by level: the expected difference
#: of the attention that the face and the mean neutral object receive, for each statistic of
#: `metrics.objects.object_attention`. Found by `benchmarks/prioritisation.py`.
PRIORITISATION: dict[int, dict[str, float]] = {
    1: {"max": 0.844, "mean": 3.659},
    2: {"max": 0.872, "mean": 4.998},
    3: {"max": 0.9005, "mean": 8.23},
}
#: Corners of an outline, which is a circle.
_CORNERS = 24
_STEPS = (7, 12)
_CHUNK = 100
#: Faces are drawn this many times larger, then averaged down.
_FINE = 4
#: Least and greatest radius (as shares of the side) and number of the distractors. They are large,
#: many and of the strongest contrast: with smaller ones Itti-Koch finds the stimulus (CC .62
#: instead of .42).
DISTRACTOR = (0.07, 0.10)
DISTRACTORS = (4, 6)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """How hard the set is: sizes as shares of the side or the radius, contrasts in grey values."""

    radius: tuple[float, float]
    ink: float
    stroke: float
    disc: float
    foils: tuple[int, int]


#: Level 1 can be learnt from scratch on two cores in minutes; level 3 needs pretrained features.
LEVELS = {
    1: Level(radius=(0.19, 0.22), ink=120.0, stroke=0.16, disc=35.0, foils=(1, 1)),
    2: Level(radius=(0.155, 0.19), ink=92.0, stroke=0.13, disc=26.0, foils=(1, 2)),
    3: Level(radius=(0.115, 0.14), ink=56.0, stroke=0.11, disc=15.0, foils=(1, 2)),
}


@dataclass(frozen=True)
class Face:
    """Configuration of a schematic face. Lengths in radii of its disc, y down."""

    slope: float  # of the brows; positive: inner ends low
    lift: float  # of the brows
    eyes: float  # half the opening
    bend: float  # of the mouth; positive: corners up
    gape: float  # half the opening of the mouth
    mouth: float  # half the width of the mouth


FACES = {
    "amusement": Face(slope=0.0, lift=0.05, eyes=0.04, bend=0.55, gape=0.14, mouth=0.38),
    "anger": Face(slope=0.75, lift=-0.10, eyes=0.10, bend=-0.45, gape=0.0, mouth=0.34),
    "awe": Face(slope=0.0, lift=0.14, eyes=0.19, bend=0.0, gape=0.17, mouth=0.15),
    "contentment": Face(slope=0.0, lift=0.0, eyes=0.04, bend=0.45, gape=0.0, mouth=0.34),
    "disgust": Face(slope=0.75, lift=-0.08, eyes=0.04, bend=-0.40, gape=0.12, mouth=0.36),
    "excitement": Face(slope=0.0, lift=0.14, eyes=0.19, bend=0.55, gape=0.12, mouth=0.38),
    "fear": Face(slope=-0.75, lift=0.12, eyes=0.19, bend=-0.40, gape=0.10, mouth=0.32),
    "sadness": Face(slope=-0.75, lift=0.0, eyes=0.06, bend=-0.50, gape=0.0, mouth=0.32),
}
#: The emotions whose face is a pleasant object.
POSITIVE = ("amusement", "awe", "contentment", "excitement")
#: Centres of the parts: left brow, right brow, left eye, right eye, mouth.
_SLOTS = np.array([(-0.38, -0.46), (0.38, -0.46), (-0.38, -0.10), (0.38, -0.10), (0.0, 0.46)])


def load(
    folder: Path,
    *,
    level: int = 1,
    seed: int = 0,
    train: int = 3200,
    val: int = 200,
    test: int = 400,
    progress: bool = True,
) -> Dataset:
    """Open the set. Generate it below ``folder`` first, unless it is complete there.

    Args:
        folder: cache folder. Each choice of the other arguments has its own subfolder.
        level: 1 (easy) to 3 (hard).
        seed: random seed. The same arguments produce the same bytes.
        train, val, test: number of pictures in each split.
        progress: on stderr while generating.

    Raises:
        UsageError: an argument is out of range.
        EmomapError: the folder cannot be written.
    """
    counts: dict[Split, int] = {"train": train, "val": val, "test": test}
    if level not in LEVELS:
        raise UsageError(f"data.level={level}: there are the levels {', '.join(map(str, LEVELS))}")
    for name, count in counts.items():
        if count < len(EMOTIONS):
            raise UsageError(f"data.{name}={count}: at least {len(EMOTIONS)} pictures are needed")
    home = Path(folder) / f"v{VERSION}-level{level}-seed{seed}-{train}-{val}-{test}"
    if not home.is_dir():
        try:
            _generate(home, level, seed, counts, progress)
        except OSError as error:
            if not home.is_dir():  # otherwise another process was faster
                raise EmomapError(
                    f"the demo data cannot be written to {home}: {error.strerror or error}; "
                    "point EMOMAP_HOME to a folder with 100 MB of room"
                ) from error
    return _open(home)


def boxes(dataset: Dataset) -> dict[str, tuple[float, float, float]]:
    """True centre x, y and radius of each sample's stimulus, in pixels. For tests only."""
    first = dataset.samples[0]
    home = Path(str(first.image_file)).parents[first.id.count("/") + 1]
    with (home / "boxes.csv").open(newline="") as stream:
        return {
            row["image"]: (float(row["x"]), float(row["y"]), float(row["radius"]))
            for row in csv.DictReader(stream)
        }


def level_of(dataset: Dataset) -> int:
    """The level that a set was made with, from the name of its folder."""
    first = dataset.samples[0]
    home = Path(str(first.image_file)).parents[first.id.count("/") + 1]
    return int(home.name.split("-level")[1].split("-")[0])


def read_gaze(file: Path) -> Gaze:
    """The simulated fixations of one picture."""
    table = np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2)
    return Gaze(
        shape=(SIDE, SIDE),
        points=table[:, :2],
        observers=table[:, 2].astype(np.int64),
        durations=table[:, 3],
    )


def _open(home: Path) -> Dataset:
    samples = []
    with (home / "labels.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            name = row["image"]
            split = next(split for split in SPLITS if name.startswith(split))
            samples.append(
                Sample(
                    id=name,
                    image_file=home / "images" / f"{name}.jpg",
                    emotion=row["emotion"],
                    split=split,
                    gaze_source=partial(read_gaze, home / "fixations" / f"{name}.csv"),
                    objects_source=partial(
                        outlines_of, home / "objects" / f"{split}.json", f"{name}.jpg"
                    ),
                )
            )
    return Dataset(
        name="demo",
        samples=tuple(sorted(samples, key=lambda sample: sample.id)),
        classes=EMOTIONS,
        synthetic=True,
        sigma=SIGMA,
        layout="demo",
        source="generated by emomap",
        licence="CC0-1.0",
        notes=("synthetic pictures and simulated gaze: no evidence about people",),
    )


# --- writing ------------------------------------------------------------------------------------


def _generate(home: Path, level: int, seed: int, counts: dict[Split, int], progress: bool) -> None:
    """Write everything to a folder beside ``home`` and rename it: ``home`` is always complete."""
    partial_home = home.with_name(home.name + ".partial")
    for split in SPLITS:
        (partial_home / "images" / split).mkdir(parents=True, exist_ok=True)
        (partial_home / "fixations" / split).mkdir(parents=True, exist_ok=True)
    parts = [
        (split, start, min(start + _CHUNK, counts[split]))
        for split in SPLITS
        for start in range(0, counts[split], _CHUNK)
    ]
    rows: list[dict[str, Any]] = []
    write = partial(_write_chunk, home=partial_home, level=level, seed=seed, counts=counts)
    processes = 2 if len(parts) > 8 and parallel.processors() > 1 else 1
    label = f"demo pictures, in parts of {_CHUNK}"
    with parallel.on("local"):
        chunks = parallel.ordered(write, parts, jobs=processes, chunk=1)
        for done in track(chunks, total=len(parts), label=label, show=progress):
            rows += done
    rows.sort(key=lambda row: str(row["image"]))
    _write_table(partial_home / "labels.csv", rows, ("image", "emotion"))
    _write_table(partial_home / "split.csv", rows, ("image", "split"))
    _write_table(partial_home / "boxes.csv", rows, ("image", "x", "y", "radius"))
    for split in SPLITS:
        outlined = {f"{r['image']}.jpg": outlines_of_scene(r) for r in rows if r["split"] == split}
        sizes = dict.fromkeys(outlined, (SIDE, SIDE))
        write_outlines(partial_home / "objects" / f"{split}.json", outlined, sizes)
    (partial_home / "dataset.toml").write_text(
        'name = "demo"\nsource = "generated by emomap"\nlicence = "CC0-1.0"\n'
        f"synthetic = true\nsigma = {SIGMA}\n"
    )
    for marker in partial_home.glob("chunk-*.json"):
        marker.unlink()
    partial_home.rename(home)


def _write_chunk(
    part: tuple[Split, int, int], home: Path, level: int, seed: int, counts: dict[Split, int]
) -> list[dict[str, Any]]:
    """Write the pictures from ``start`` to ``stop`` of a split, unless an earlier run did."""
    split, start, stop = part
    marker = home / f"chunk-{split}-{start}.json"
    if marker.exists():
        found: list[dict[str, Any]] = json.loads(marker.read_text())
        return found
    emotions = np.random.default_rng([seed, SPLITS.index(split)]).permutation(counts[split])
    emotions %= len(EMOTIONS)  # balanced, in random order
    rows = []
    for index in range(start, stop):
        rng = np.random.default_rng([seed, SPLITS.index(split), index, level])
        emotion = EMOTIONS[int(emotions[index])]
        scene = make_scene(rng, emotion, LEVELS[level])
        name = f"{split}/{index:05d}"
        Image.fromarray(scene.image).save(home / "images" / f"{name}.jpg", quality=95)
        points = make_gaze(rng, scene)
        lines = "".join(f"{x:.1f},{y:.1f},{who:.0f},{ms:.0f}\n" for x, y, who, ms in points)
        (home / "fixations" / f"{name}.csv").write_text("x,y,observer,duration\n" + lines)
        x, y, radius = (round(float(value), 2) for value in scene.stimulus)
        rows.append(
            {"image": name, "emotion": emotion, "split": split, "x": x, "y": y, "radius": radius}
            | {"others": scene.others.round(2).tolist(), "foils": scene.foils}
        )
    temporary = marker.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(rows))
    temporary.replace(marker)
    return rows


def outlines_of_scene(row: dict[str, Any]) -> tuple[Outline, ...]:
    """The face, which is emotional, and the foils and distractors, which are neutral."""
    sentiment: Sentiment = "positive" if row["emotion"] in POSITIVE else "negative"
    found = [_circle((row["x"], row["y"], row["radius"]), "face", sentiment)]
    for number, place in enumerate(row["others"]):
        name = "foil" if number < row["foils"] else "distractor"
        found.append(_circle(place, name, "neutral"))
    return tuple(found)


def _circle(place: Sequence[float], name: str, sentiment: Sentiment) -> Outline:
    x, y, radius = place
    turn = np.arange(_CORNERS) * (2 * math.pi / _CORNERS)
    corners = np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)
    return Outline((SIDE, SIDE), (corners.round(2),), name=name, sentiment=sentiment)


def _write_table(file: Path, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# --- pictures -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class DemoScene:
    """A picture and its objects; rows of the arrays are x, y and radius in pixels.

    The first ``foils`` of the others are foils, the rest distractors.
    """

    image: NDArray[np.uint8]
    stimulus: Array
    others: Array
    foils: int


def make_scene(rng: np.random.Generator, emotion: str, level: Level) -> DemoScene:
    """Draw one scene. Only the face's configuration depends on the emotion."""
    canvas = _background(rng)
    stimulus, foils, distractors = make_places(rng, level)
    disc = float(rng.choice((-1.0, 1.0))) * level.disc
    _stamp(canvas, stimulus, _face_lines(FACES[emotion]), disc, level)
    for place in foils:
        shown = FACES[EMOTIONS[int(rng.integers(len(EMOTIONS)))]]
        disc = float(rng.choice((-1.0, 1.0))) * level.disc
        _stamp(canvas, place, _scramble(rng, _face_lines(shown)), disc, level)
    for place in distractors:
        _distractor(rng, canvas, place)
    canvas += rng.normal(0.0, 2.0, canvas.shape)
    image = np.clip(canvas + 0.5, 0.0, 255.0).astype(np.uint8)
    return DemoScene(image, stimulus, np.concatenate([foils, distractors]), len(foils))


def _background(rng: np.random.Generator) -> Array:
    """Bright sky over dark ground, so that a turned picture can be recognised, with 1/f texture."""
    rows = np.arange(SIDE)[:, None] / SIDE
    horizon = rng.uniform(0.4, 0.65)
    ground = 1.0 / (1.0 + np.exp(-(rows - horizon) * SIDE / rng.uniform(1.5, 5.0)))
    sky = rng.uniform(168.0, 205.0) - rng.uniform(0.0, 30.0) * (rows / horizon)
    earth = rng.uniform(95.0, 125.0) + rng.uniform(-15.0, 15.0) * rows
    grey = sky * (1.0 - ground) + earth * ground
    tint = rng.uniform(-14.0, 14.0, (2, 3))
    colour = tint[0] * (1.0 - ground)[..., None] + tint[1] * ground[..., None]
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) / frequency
    texture = np.fft.irfft2(spectrum, (SIDE, SIDE))
    texture *= rng.uniform(7.0, 13.0) / texture.std()
    canvas: Array = (grey + texture)[..., None] + colour
    return canvas


def make_places(rng: np.random.Generator, level: Level) -> tuple[Array, Array, Array]:
    """Stimulus (3,), foils and distractors (n, 3) as x, y, radius in pixels, without overlap."""
    foils = int(rng.integers(level.foils[0], level.foils[1] + 1))
    distractors = int(rng.integers(*DISTRACTORS, endpoint=True))
    taken: list[tuple[float, float, float]] = []
    last_disc = 0
    for index in range(1 + foils + distractors):
        disc = index <= foils
        radius = rng.uniform(*(level.radius if disc else DISTRACTOR)) * SIDE
        for _ in range(200):  # a crowded scene lacks its last items
            x, y = rng.uniform(radius + 1, SIDE - radius - 1, 2)
            if all(math.hypot(x - u, y - v) > radius + r + 3 for u, v, r in taken):
                taken.append((float(x), float(y), float(radius)))
                last_disc += disc
                break
    places = np.array(taken)
    return places[0], places[1:last_disc], places[last_disc:]


def _face_lines(face: Face) -> list[Array]:
    """The parts of an upright face: left brow, right brow, left eye, right eye, mouth.

    Each is a polyline (n, 2), in radii of the disc.
    """
    reach = np.array([-0.2, 0.2])
    left_brow = np.stack([reach, face.slope * reach - face.lift], axis=1)
    right_brow = np.stack([reach, -face.slope * reach - face.lift], axis=1)
    turn = np.linspace(0.0, 2.0 * math.pi, 11)
    eye = np.stack([0.15 * np.cos(turn), face.eyes * np.sin(turn)], axis=1)
    across = np.linspace(-1.0, 1.0, 7)
    arch = -face.bend * face.mouth * (across**2 - 0.5)
    upper = np.stack([face.mouth * across, arch], axis=1)
    mouth = upper
    if face.gape:
        bulge = face.gape * np.sqrt(1.0 - across**2)
        above = np.stack([upper[:, 0], arch - bulge], axis=1)
        below = np.stack([upper[:, 0], arch + bulge], axis=1)
        mouth = np.concatenate([above, below[::-1], above[:1]])
    return [
        part + slot
        for part, slot in zip((left_brow, right_brow, eye, eye, mouth), _SLOTS, strict=True)
    ]


def _scramble(rng: np.random.Generator, parts: list[Array]) -> list[Array]:
    """The same parts in other slots, each turned by at least 50 degrees."""
    order = rng.permutation(len(parts))
    while (order == np.arange(len(parts))).sum() > 1:
        order = rng.permutation(len(parts))
    scrambled = []
    for part, home, slot in zip(parts, _SLOTS, _SLOTS[order], strict=True):
        angle = math.radians(rng.uniform(50.0, 310.0))
        cos, sin = math.cos(angle), math.sin(angle)
        scrambled.append((part - home) @ np.array([[cos, sin], [-sin, cos]]) + slot)
    return scrambled


def _stamp(canvas: Array, place: Array, parts: list[Array], disc: float, level: Level) -> None:
    """Blend a disc of low contrast with dark strokes into the canvas, which is changed."""
    x, y, radius = (float(value) for value in place)
    top, left = max(int(y - radius) - 1, 0), max(int(x - radius) - 1, 0)
    patch = canvas[top : int(y + radius) + 3, left : int(x + radius) + 3]
    size = (patch.shape[1] * _FINE, patch.shape[0] * _FINE)
    middle = (np.array([x - left, y - top]) + 0.5) * _FINE
    radius *= _FINE
    inside, strokes = Image.new("L", size), Image.new("L", size)
    ImageDraw.Draw(inside).ellipse((*(middle - radius), *(middle + radius)), fill=255)
    pen = ImageDraw.Draw(strokes)
    for part in parts:
        points = part * radius + middle
        pen.line(
            points.ravel().tolist(), fill=255, width=round(level.stroke * radius), joint="curve"
        )
    for mask, grey in ((inside, disc), (strokes, -level.ink)):
        patch += np.asarray(mask.reduce(_FINE), np.float64)[..., None] * (grey / 255.0)


def _distractor(rng: np.random.Generator, canvas: Array, place: Array) -> None:
    """Draw a striped, chequered, ringed or plain patch of nearly black and bright colour."""
    x, y, radius = (float(value) for value in place)
    top, left = int(y - radius), int(x - radius)
    patch = canvas[top : int(y + radius) + 1, left : int(x + radius) + 1]
    rows, columns = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]]
    across, down = columns + left - x, rows + top - y
    angle = rng.uniform(0.0, math.pi)
    turned = across * math.cos(angle) + down * math.sin(angle)
    normal = down * math.cos(angle) - across * math.sin(angle)
    kind = int(rng.integers(4))
    # coarse enough to survive in the pyramids of contrast models
    wave = 2.0 * math.pi / (rng.uniform(1.0, 1.4) * radius)
    if kind == 0:
        pattern = np.sin(turned * wave) > 0.0
    elif kind == 1:
        pattern = (np.sin(turned * wave / 1.4) > 0.0) ^ (np.sin(normal * wave / 1.4) > 0.0)
    else:
        pattern = np.hypot(across, down) < radius * (0.55 if kind == 2 else 2.0)
    dark, bright = np.full(3, 5.0), np.full(3, 250.0)
    dark[int(rng.integers(3))] = rng.uniform(0.0, 90.0)
    bright[int(rng.integers(3))] = rng.uniform(0.0, 120.0)
    first, second = (bright, dark) if rng.integers(2) else (dark, bright)
    square = bool(rng.integers(2))
    mask = (
        (np.maximum(abs(turned), abs(normal)) < radius * 0.7)
        if square
        else (np.hypot(across, down) < radius)
    )
    colours = np.where(pattern[..., None], first, second)
    patch[...] = np.where(mask[..., None], colours, patch)


# --- gaze ---------------------------------------------------------------------------------------


def make_gaze(rng: np.random.Generator, scene: DemoScene) -> Array:
    """Simulated fixations (n, 4) in viewing order: x, y, observer, duration in ms.

    Each observer starts at the centre, then draws from a mixture of the stimulus (.62, less with
    time), the other objects (.20), the centre (.10) and noise, and prefers short saccades. Each has
    a bias and measurement noise. Of those who look at the face at all, `FACE_FIRST` do so first.
    """
    middle = (SIDE - 1) / 2.0
    bias = rng.normal(0.0, 0.012 * SIDE, (OBSERVERS, 2))
    here = rng.normal(middle, 0.05 * SIDE, (OBSERVERS, 2))
    path = [here]
    for step in range(1, _STEPS[1]):
        targets = _targets(rng, scene, 0.62 * 0.97 ** (step - 1))
        lengths = np.hypot(*np.moveaxis(targets - here[:, None], -1, 0))
        chosen = (rng.gumbel(size=lengths.shape) - lengths / (0.5 * SIDE)).argmax(axis=1)
        here = targets[np.arange(OBSERVERS), chosen]
        path.append(here)
    seen = np.stack(path, axis=1) + bias[:, None]
    seen += rng.normal(0.0, 0.01 * SIDE, seen.shape)
    seen = (SIDE - 1) - np.abs((SIDE - 1) - np.abs(seen))  # reflected at the borders
    steps = rng.integers(*_STEPS, OBSERVERS, endpoint=True)
    observer, step_index = np.nonzero(np.arange(_STEPS[1]) < steps[:, None])
    durations = rng.lognormal(math.log(240.0), 0.4, len(observer))
    fixations = np.column_stack([seen[observer, step_index], observer, durations])
    return _face_first(rng, scene, fixations)


def _face_first(rng: np.random.Generator, scene: DemoScene, fixations: Array) -> Array:
    """The same fixations, the first on the face moved to the front for some observers.

    Where people look stays the same, and so does every score that knows no order.
    """
    x, y, radius = scene.stimulus
    on_face = np.hypot(fixations[:, 0] - x, fixations[:, 1] - y) < radius
    order = np.arange(len(fixations))
    for observer, at_once in enumerate(rng.random(OBSERVERS) < FACE_FIRST):
        own = np.flatnonzero(fixations[:, 2] == observer)
        looks = own[on_face[own]]
        if at_once and len(looks):
            order[own] = [looks[0], *own[own != looks[0]]]
    return fixations[order]


def _targets(rng: np.random.Generator, scene: DemoScene, stimulus: float) -> Array:
    """Three places (observers, 3, 2) where each observer might look next."""
    shape = (OBSERVERS, 3)
    middle = (SIDE - 1) / 2.0
    kind = np.searchsorted([stimulus, stimulus + 0.20, stimulus + 0.30], rng.random(shape))
    other = scene.others[rng.integers(len(scene.others), size=shape)]
    noise = rng.normal(size=(*shape, 2))
    return np.choose(
        kind[..., None],
        [
            scene.stimulus[:2] + noise * 0.4 * scene.stimulus[2],
            other[..., :2] + noise * 0.5 * other[..., 2:],
            middle + noise * 0.15 * SIDE,
            rng.uniform(0.0, SIDE - 1.0, (*shape, 2)),
        ],
    )

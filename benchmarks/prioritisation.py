"""The emotion prioritisation that the simulated observers of `demo` are built with, by level.

    python -m benchmarks.prioritisation [--pictures N] [--seed S] [--parts all] [--levels 1,2,3]

The expected difference of attention between the face and the mean neutral object of a picture, with
its standard error, over fresh pictures: `emomap.data.demo.PRIORITISATION` has these numbers.
"""

from __future__ import annotations

import argparse

import numpy as np

from emomap import metrics
from emomap.data import demo


def of_picture(level: int, seed: int, index: int, fixations: str) -> dict[str, float]:
    """Prioritisation in one fresh picture, by statistic."""
    rng = np.random.default_rng([seed, level, index])
    stimulus, foils, distractors = demo.make_places(rng, demo.LEVELS[level])
    nothing = np.zeros((0, 0, 3), np.uint8)  # the observers do not look at the pixels
    others = np.concatenate([foils, distractors])
    scene = demo.DemoScene(nothing, stimulus, others, len(foils))
    table = demo.make_gaze(rng, scene).round(1)
    first = np.r_[True, np.diff(table[:, 2]) != 0]
    kept = {"all": slice(None), "first": first, "later": ~first}[fixations]
    shape = (demo.SIDE, demo.SIDE)
    density = metrics.density(metrics.fixation_map(table[kept, :2], shape), demo.SIGMA)
    x, y, radius = (round(float(value), 2) for value in scene.stimulus)
    row = {"emotion": "fear", "x": x, "y": y, "radius": radius}
    row |= {"others": scene.others.round(2).tolist(), "foils": scene.foils}
    outlines = demo.outlines_of_scene(row)
    masks = np.stack([outline.mask() for outline in outlines])
    kinds = np.array([bool(outline.emotional) for outline in outlines])
    return {
        statistic: float(
            metrics.objects.emotion_prioritization(density, masks, kinds, statistic=statistic)
        )
        for statistic in metrics.objects.STATISTICS
    }


def main() -> None:
    """Print a line for each level, part of the viewing and statistic."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=12345)
    parser.add_argument("--parts", default="all,first,later")
    parser.add_argument("--levels", default=",".join(map(str, demo.LEVELS)))
    chosen = parser.parse_args()
    for level in map(int, chosen.levels.split(",")):
        for fixations in chosen.parts.split(","):
            found = [of_picture(level, chosen.seed, i, fixations) for i in range(chosen.pictures)]
            for statistic in metrics.objects.STATISTICS:
                values = np.array([entry[statistic] for entry in found])
                error = values.std(ddof=1) / np.sqrt(len(values))
                print(
                    f"level {level}, {fixations} fixations, {statistic}: "
                    f"{values.mean():.4f} +- {error:.4f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

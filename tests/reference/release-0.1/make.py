"""Make the small data set and the maps that the files of release 0.1 were computed from."""

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
SIZE = (36, 48)
rng = np.random.default_rng(1)
rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
for folder in ("data/images", "data/fixations", "maps"):
    (HERE / folder).mkdir(parents=True, exist_ok=True)
labels, split = ["image,emotion"], ["image,split"]
for index in range(24):
    name = f"{index:02d}"
    emotion = ("awe", "fear")[index % 2]
    y, x = rng.uniform(8, SIZE[0] - 8), rng.uniform(8, SIZE[1] - 8)
    disc = (rows - y) ** 2 + (columns - x) ** 2 < 36
    colour, ground = ((230, 200, 40), 150) if emotion == "awe" else ((60, 40, 120), 60)
    shade = ground + columns // 8 * 4
    picture = np.where(disc[..., None], colour, shade[..., None]).astype(np.uint8)
    Image.fromarray(picture).save(HERE / "data" / "images" / f"{name}.png")
    spots = np.clip(rng.normal((x, y), 5, (12, 2)), 0, (SIZE[1] - 1, SIZE[0] - 1)).round(1)
    lines = [f"{u},{v},{i % 3}" for i, (u, v) in enumerate(spots)]
    table = "\n".join(["x,y,observer", *lines]) + "\n"
    (HERE / "data" / "fixations" / f"{name}.csv").write_text(table)
    labels.append(f"{name},{emotion}")
    split.append(f"{name},{'train' if index < 6 else 'test'}")
    if index >= 6:
        guess = np.exp(-((rows - y - rng.normal(0, 4)) ** 2 + (columns - x) ** 2) / 60)
        Image.fromarray((255 * guess).astype(np.uint8)).save(HERE / "maps" / f"{name}.png")
(HERE / "data" / "labels.csv").write_text("\n".join(labels) + "\n")
(HERE / "data" / "split.csv").write_text("\n".join(split) + "\n")
(HERE / "data" / "dataset.toml").write_text('name = "small"\nsigma = 4\nsynthetic = true\n')

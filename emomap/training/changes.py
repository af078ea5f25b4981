"""Random changes of training pictures by torchvision's transforms: RandAugment and erasing.

What is drawn follows from a seed alone, so that a training resumes exactly.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms import v2


class Changes:
    """Changes of one picture.

    Args:
        rand_augment: magnitude of two random changes (Cubuk 2020); 0 for none.
        erase: probability that a rectangle is erased (Zhong 2020).
    """

    def __init__(self, rand_augment: int = 0, erase: float = 0.0) -> None:
        steps: list[torch.nn.Module] = []
        if rand_augment:
            steps.append(v2.RandAugment(num_ops=2, magnitude=rand_augment))
        if erase:
            # the mean colour of ImageNet, which is 0 once the picture is normalised
            steps.append(v2.RandomErasing(p=erase, value=[124, 116, 104]))
        self.steps = steps

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __call__(self, picture: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
        """Change a picture (S, S, 3)."""
        image = torch.from_numpy(picture).permute(2, 0, 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for step in self.steps:
                image = step(image)
        return np.ascontiguousarray(image.permute(1, 2, 0).numpy())

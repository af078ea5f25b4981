"""Means over the frames of each video: frames of a video are no independent observations.

An image of a video is called ``VIDEO/FRAME``; the folder is the video. The mean over videos and its
interval then weigh each video alike, however long it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from emomap import metrics
from emomap.errors import EmomapError
from emomap.scoring.per_image import PerImage


def video_of(image: str) -> str:
    """The video of a frame: "0001/0007" belongs to "0001".

    Raises:
        EmomapError: the name has no folder.
    """
    video, slash, _ = image.rpartition("/")
    if not slash:
        raise EmomapError(
            f"{image}: no frame of a video; frames lie in a folder for each video, VIDEO/FRAME"
        )
    return video


def video_means(column: Mapping[str, float]) -> dict[str, float]:
    """Video -> mean over its frames, in the order of the first frames.

    Args:
        column: frame -> value, for the frames that have one.

    Raises:
        EmomapError: a name has no folder.
    """
    frames: dict[str, list[float]] = {}
    for image, value in column.items():
        frames.setdefault(video_of(image), []).append(value)
    return {video: float(np.mean(values)) for video, values in frames.items()}


def per_video(values: PerImage) -> PerImage:
    """The mean of each metric over the frames of each video.

    Frames without a value of a metric do not count there. A video without any has none, and keeps
    the reason of its first frame.

    Raises:
        EmomapError: an image is no frame of a video.
    """
    columns = {metric: video_means(values.by_image(metric)) for metric in values.metrics}
    videos = dict.fromkeys(video_of(image) for image in values.values)
    lacking: dict[str, dict[str, str]] = {}
    for image, reasons in values.lacking.items():
        video = video_of(image)
        for metric, reason in reasons.items():
            if video not in columns.get(metric, {}):
                lacking.setdefault(video, {}).setdefault(metric, reason)
    return replace(
        values,
        values={v: {metric: columns[metric].get(v) for metric in columns} for v in videos},
        signature=over_frames(values.signature),
        signatures={metric: over_frames(text) for metric, text in values.signatures.items()},
        lacking=lacking,
    )


def over_frames(signature: str) -> str:
    """The signature of values as that of their means over the frames of a video.

    >>> over_frames("nss|mit|ddof:1|v:0.1.0")
    'nss|mit|ddof:1|frames:mean|v:0.1.0'
    """
    try:
        own = metrics.Signature.parse(signature)
    except ValueError:
        return signature and f"{signature}|frames:mean"
    return str(replace(own, settings=(*own.settings, ("frames", "mean"))))

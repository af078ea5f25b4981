"""The layouts by name, with what `emomap data list` says of each. Imports no loader by itself."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from emomap.data.reading import Reading
from emomap.data.tree import Tree
from emomap.sample import Dataset


class Loader(Protocol):
    """What the module of a layout provides."""

    def recognise(self, tree: Tree) -> str | None:
        """The signs by which a folder is this layout, or None if it is not."""

    def load(self, tree: Tree, reading: Reading) -> Dataset:
        """Open the data set. The caller completes name, layout and notes."""


@dataclass(frozen=True)
class Layout:
    """A line of the registry.

    Attributes:
        name: as in ``--data NAME:PATH``.
        module: the module of its loader, in `emomap.data.layouts`.
        title: the name as its authors write it.
        summary: one line for `emomap data list`.
        signs: what it is recognised by, for the message that no layout was recognised.
        kind: what it can hold: "emotion", "gaze", "both", "any" or only "images"; "" for the
            layout that is taken when no other is recognised.
    """

    name: str
    module: str
    title: str
    summary: str
    signs: str
    kind: str

    def loader(self) -> Loader:
        """Import and return the module that reads this layout."""
        return cast(Loader, importlib.import_module(f"emomap.data.layouts.{self.module}"))


#: In the order in which they are tried. The first that recognises a folder is taken.
LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            "osie",
            "osie",
            "OSIE",
            "700 images, 15 observers, free viewing; eye or mouse",
            "stimuli/ and eye/fixations.mat",
            "gaze",
        ),
        Layout(
            "salicon",
            "salicon",
            "SALICON",
            "15,000 COCO images, mouse for gaze; json or mat",
            "images/**/COCO_* with fixations_*.json, fixations/**/*.mat or maps/",
            "gaze",
        ),
        Layout(
            "mit1003",
            "mit1003",
            "MIT1003",
            "1,003 images, 15 observers, free viewing",
            "ALLSTIMULI/ and DATA/ or ALLFIXATIONMAPS/",
            "gaze",
        ),
        Layout(
            "mit300",
            "mit300",
            "MIT300",
            "300 images without public gaze: predict only",
            "BenchmarkIMAGES/",
            "images",
        ),
        Layout(
            "cat2000",
            "cat2000",
            "CAT2000",
            "2,000 images of 20 categories, 24 observers",
            "trainSet/Stimuli/ and FIXATIONLOCS/ or FIXATIONMAPS/",
            "gaze",
        ),
        Layout(
            "pascals",
            "pascals",
            "PASCAL-S",
            "850 images, 8 observers",
            "imgs/pascal/ and fixations/pascalFix.mat",
            "gaze",
        ),
        Layout(
            "toronto",
            "toronto",
            "Toronto",
            "120 images, 20 observers, pooled",
            "Original Image Set/ and origfixdata.mat",
            "gaze",
        ),
        Layout(
            "nusef",
            "nusef",
            "NUSEF",
            "758 images, many affective, 25 observers an image",
            "stimuli/ and fix_data/",
            "gaze",
        ),
        Layout(
            "emod",
            "emod",
            "EMOd",
            "1,019 emotional images, 16 observers",
            "EMOdImages*/",
            "both",
        ),
        Layout(
            "emotionroi",
            "emotionroi",
            "EmotionROI",
            "1,980 images, 6 emotions, maps of annotated regions",
            "images/<emotion>/ and ground_truth/<emotion>/",
            "both",
        ),
        Layout(
            "emotion6",
            "emotion6",
            "Emotion6",
            "1,980 images, distribution over 6 emotions and neutral",
            "images/<emotion>/ and ground_truth.txt",
            "emotion",
        ),
        Layout(
            "ldl",
            "ldl",
            "Flickr_LDL, Twitter_LDL",
            "11,150 and 10,045 images, votes for 8 emotions",
            "images/ and ground_truth.txt, or ground_truth_train.txt",
            "emotion",
        ),
        Layout(
            "emoset",
            "emoset",
            "EmoSet-118K",
            "118,102 images, 8 emotions, split by the authors",
            "train.json, val.json, test.json beside image/",
            "emotion",
        ),
        Layout(
            "twitter1",
            "twitter1",
            "Twitter I",
            "1,269 images, negative or positive",
            "amt_result.csv",
            "emotion",
        ),
        Layout(
            "abstract",
            "abstract",
            "Abstract",
            "280 abstract paintings, 8 emotions by votes",
            "ABSTRACT_groundTruth.csv",
            "emotion",
        ),
        Layout(
            "artphoto",
            "artphoto",
            "ArtPhoto",
            "806 artistic photographs, 8 emotions",
            "testImages_artphoto/<emotion>_*",
            "emotion",
        ),
        Layout(
            "fi",
            "fi",
            "FI",
            "23,308 images, 8 emotions, in four forms; --gaze joins gaze",
            "emotion folders, <emotion>_* files, agg/<emotion>_*.csv, TrainImages.txt",
            "emotion",
        ),
        Layout(
            "neutral",
            "neutral",
            "",
            "emomap's own: images/, fixations/*.csv, maps/*, labels.csv, split.csv, dataset.toml",
            "dataset.toml, or images/ with fixations/*.csv, maps/, labels.csv or split.csv",
            "any",
        ),
        Layout(
            "ratings",
            "ratings",
            "GAPED, OASIS",
            "pictures with a table of valence and arousal: GAPED, OASIS and their like",
            "OASIS.csv, GAPED's A.txt beside A/, or a table with valence and arousal",
            "emotion",
        ),
        Layout(
            "pictures",
            "pictures",
            "",
            "any other folder of pictures: no labels, no gaze",
            "pictures at any depth",
            "",
        ),
    )
}
#: Other names, in lower case without punctuation.
ALIASES = {
    "folder": "neutral",
    "twitter": "twitter1",
    "twitteri": "twitter1",
    "pascal": "pascals",
    "flickrldl": "ldl",
    "twitterldl": "ldl",
    "gaped": "ratings",
    "oasis": "ratings",
}
#: Data sets that come with emomap.
EMBEDDED = {
    "demo": "procedural scenes with simulated gaze, 8 emotions (synthetic; made on first use)",
}


def layout_called(name: str) -> Layout | None:
    """The layout with this name, whatever its case and punctuation ("PASCAL-S"), or None."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    return LAYOUTS.get(ALIASES.get(plain, plain))

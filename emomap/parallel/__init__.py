"""One function over many items in several processes, in order, surviving a lost worker.

`score`, `predict`, `bench` and the check of data sets all run on this: on processes of this
machine, or, within ``with on("dask", scheduler)``, on a Dask cluster. Items travel in chunks, and
only a few chunks are under way at a time, so memory stays bounded.

The room knows functions and lists of items. It does not know pictures, maps or scores.
"""

from emomap.parallel.cluster import on, shared_folder
from emomap.parallel.launcher import Launched, launched
from emomap.parallel.pool import end_workers, ordered, processes, shard
from emomap.parallel.worker import MAX_THREADS, keep_memory, processors

__all__ = [
    "MAX_THREADS",
    "Launched",
    "end_workers",
    "keep_memory",
    "launched",
    "on",
    "ordered",
    "processes",
    "processors",
    "shard",
    "shared_folder",
]

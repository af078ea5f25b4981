"""Files: read pictures and maps, write maps and text, pair files by their ids.

A file is written under a temporary name and renamed. Every error is one line that names the file.
Knows errors and nothing else of emomap: it must not know a data set, a method or a score.
"""

from emomap.io.files import (
    IMAGE_SUFFIXES,
    MAP_SUFFIXES,
    File,
    append_text,
    atomic,
    is_junk,
    list_files,
    make_folder,
    write_error,
    write_text,
)
from emomap.io.ids import common_ending, file_id, maps_by_id, pair
from emomap.io.images import MAX_PIXELS, image_size, read_image
from emomap.io.maps import map_shape, read_map, write_map

__all__ = [
    "IMAGE_SUFFIXES",
    "MAP_SUFFIXES",
    "MAX_PIXELS",
    "File",
    "append_text",
    "atomic",
    "common_ending",
    "file_id",
    "image_size",
    "is_junk",
    "list_files",
    "make_folder",
    "map_shape",
    "maps_by_id",
    "pair",
    "read_image",
    "read_map",
    "write_error",
    "write_map",
    "write_text",
]

"""Exports of eye trackers -> fixations on pictures, in the neutral layout.

    fixation.py    what every reader gives: fixations by picture, and what was left out
    placement.py   where the picture was on the screen: coordinates of the export -> its pixels
    kinds.py       the trackers by name, and how each calls its columns
    columns.py     tables with columns: Data Viewer, Tobii, Pupil, BeGaze, PsychoPy
    asc.py         EyeLink's .asc
    importing.py   files and pictures -> data set on the disk

Readers know tables and files, never pictures; `importing` brings both together.
"""

"""The layouts of data sets, one file each: how to recognise one, and how to load it.

A layout knows the listing of a folder or archive, and the readers of tables, gaze and splits in
`emomap.data`. Layouts must not know each other, nor how the data set was asked for.
"""

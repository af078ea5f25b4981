"""Maps against gaze: from a map file to values, rows, means with intervals, and their files.

Knows files of maps, gaze and metrics. It may not know who made a map: it never imports a method or
a network, and `bench` passes it the maps of its methods as it would a stranger's.
"""

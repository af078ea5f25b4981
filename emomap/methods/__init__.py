"""Methods, one file each; `emomap.method` has the registry of their names.

A method knows the parts in `vision` and `nn`, and the samples it is given. It never knows another
method, how it is scored, or who calls it.
"""

"""The run folder of `bench`: where its files lie, who may work in it, and how it is read back.

Knows recipes, rows and data sets. It may not know what a run does with them: no method and no test
is called from here.
"""

"""From values of images to statements about methods: means, ranks, paired tests, comparisons.

Knows finished runs and files of values. It may not know how a value came about: no picture, map or
gaze is read here.
"""

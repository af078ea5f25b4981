"""Explanation maps: where a classifier finds the class that it sees.

`emomap.explain.maps.explanation_maps` takes any PyTorch classifier. The library grad-cam (extra
``cam``) computes the CAM family; class activation maps, attention and rollout are ours. Knows
networks and what a method is. Must not know a data set, a score or a run.
"""

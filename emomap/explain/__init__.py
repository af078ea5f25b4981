"""Explanation maps: where a classifier finds the class that it sees.

`make_explanation` takes any PyTorch classifier. The CAM family is computed by the library grad-cam
(extra ``cam``); class activation maps, attention and rollout are ours. Knows networks and what a
method is. Must not know a data set, a score or a run.
"""

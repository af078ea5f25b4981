"""Parts of the networks: backbones, gates, pooling, and the base of methods that are networks.

It knows tensors, weight files and `emomap.method`, never data sets, gaze, scores or training.
"""

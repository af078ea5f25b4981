"""Models that others made and handed out as a file: ONNX, TFLite, TorchScript, `torch.export`.

A card of ten lines says how a picture goes in and which tensor is the map. Knows files and what a
method is. Must not know a data set, a score or a run.
"""
